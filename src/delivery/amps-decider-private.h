/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-decider.h"

G_BEGIN_DECLS

/* What the files of the decider share. */
struct _AmpsDecider {
  GObject parent_instance;

  AmpsConfig *config;       /* (owned) */
  AmpsClock *clock;         /* (owned) */
  AmpsBroker *broker;       /* (owned) */
  AmpsManifest *manifest;   /* (owned) */
  AmpsMetrics *metrics;     /* (owned) */
  AmpsSender *sender;       /* (owned) */
  AmpsSettler *settler;     /* (owned) */
  AmpsPublisher *publisher; /* (owned) */
  AmpsLifecycle *lifecycle; /* (owned) */
  AmpsRefusals *refusals;   /* (owned) */
  AmpsTracer *tracer;       /* (owned) (nullable) */
  GHashTable *late;         /* (owned) id → what is published for it though it was given up */

  AmpsDeciderAccepted accepted; /* (nullable) */
  gpointer accepted_data;
};

GHashTable *amps_decider_new_late (void);
gboolean amps_decider_check_lease (AmpsDecider *self, const char *identifier, GError **error);
void amps_decider_end_acknowledged (AmpsDecider *self, AmpsJob *job);
void amps_decider_end_rejected (AmpsDecider *self, AmpsJob *job, const char *detail);
void amps_decider_end_rescheduled (AmpsDecider *self, AmpsJob *job, gint64 delay);
gboolean amps_decider_may_wait (AmpsDecider *self, AmpsJob *job);

G_END_DECLS
