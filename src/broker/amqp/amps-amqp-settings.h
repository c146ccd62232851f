/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-byte-budget.h"
#include "config/amps-config.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpSettings:
 *
 * What both connections need to know, as it was when they began. Never changes, so
 * it may be read from any thread.
 */
typedef struct {
  char *subject;
  char *worker_id;
  char *dead_letter_queue;
  gboolean declares;
  gboolean quorum;
  guint64 max_body_size;
  guint64 max_kept_size;  /* larger bodies are not even kept for a dead letter */
  AmpsByteBudget *budget; /* (owned) for messages */
  AmpsEventValidation event_validation;
  gint64 job_timeout;
} AmpsAmqpSettings;

AmpsAmqpSettings *amps_amqp_settings_new (AmpsConfig *config);
AmpsAmqpSettings *amps_amqp_settings_new_for_dead_letters (AmpsConfig *config);
void amps_amqp_settings_free (AmpsAmqpSettings *self);

G_END_DECLS
