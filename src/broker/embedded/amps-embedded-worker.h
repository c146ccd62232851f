/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-embedded-message.h"

G_BEGIN_DECLS

/**
 * AmpsEmbeddedSettings:
 *
 * What the worker needs to know. Never changes, so both threads may read it.
 */
typedef struct {
  char *path;
  char *subject;
  char *dead_letters; /* NULL: they are discarded */
  gboolean durable;
  gint64 lease; /* µs */
  gsize max_body_size;
  AmpsEventValidation event_validation;
  AmpsByteBudget *budget; /* (owned) (nullable) for jobs */
} AmpsEmbeddedSettings;

AmpsEmbeddedSettings *amps_embedded_settings_new (const char *uri, const char *subject,
                                                  const char *dead_letters, GError **error);
void amps_embedded_settings_free (AmpsEmbeddedSettings *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsEmbeddedSettings, amps_embedded_settings_free)

/**
 * AmpsEmbeddedWorker:
 *
 * The thread that has the file: commits commands in batches, claims jobs and
 * keeps their leases.
 */
typedef struct _AmpsEmbeddedWorker AmpsEmbeddedWorker;

AmpsEmbeddedWorker *amps_embedded_worker_new (const AmpsEmbeddedSettings *settings,
                                              AmpsMailbox *events);
void amps_embedded_worker_free (AmpsEmbeddedWorker *self);
void amps_embedded_worker_consume (AmpsEmbeddedWorker *self, gboolean consuming,
                                   unsigned int prefetch);
void amps_embedded_worker_publish (AmpsEmbeddedWorker *self, guint64 id, const char *queue,
                                   GBytes *body);
void amps_embedded_worker_settle (AmpsEmbeddedWorker *self, guint64 id,
                                  const AmpsDelivery *delivery, const AmpsSettlement *settlement);
void amps_embedded_worker_end_epoch (AmpsEmbeddedWorker *self, unsigned int epoch);
void amps_embedded_worker_ask (AmpsEmbeddedWorker *self, AmpsEmbeddedCommandKind kind, guint64 id);
gboolean amps_embedded_worker_is_stuck (AmpsEmbeddedWorker *self);

G_END_DECLS
