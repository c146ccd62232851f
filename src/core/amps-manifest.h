/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-clock.h"
#include "amps-job.h"

G_BEGIN_DECLS

#define AMPS_TYPE_MANIFEST (amps_manifest_get_type ())
G_DECLARE_FINAL_TYPE (AmpsManifest, amps_manifest, AMPS, MANIFEST, GObject)

AmpsManifest *amps_manifest_new (AmpsClock *clock);

gboolean amps_manifest_add (AmpsManifest *self, AmpsJob *job);
void amps_manifest_remove (AmpsManifest *self, AmpsJob *job);
AmpsJob *amps_manifest_lookup (AmpsManifest *self, const char *identifier);
unsigned int amps_manifest_get_n_jobs (AmpsManifest *self);
unsigned int amps_manifest_get_n_in_workload (AmpsManifest *self);
GPtrArray *amps_manifest_list (AmpsManifest *self);

void amps_manifest_begin_run (AmpsManifest *self, AmpsJob *job, gint64 deadline);
void amps_manifest_end_run (AmpsManifest *self, AmpsJob *job);
void amps_manifest_set_state (AmpsManifest *self, AmpsJob *job, AmpsJobState state);
void amps_manifest_set_deadline (AmpsManifest *self, AmpsJob *job, gint64 deadline);

AmpsJob *amps_manifest_take (AmpsManifest *self, const char *identifier, AmpsOutcome outcome,
                             GError **error);
gboolean amps_manifest_decide (AmpsManifest *self, AmpsJob *job, AmpsOutcome outcome);

AmpsOutcome amps_manifest_recall (AmpsManifest *self, AmpsDelivery *delivery, const char *id);

G_END_DECLS
