/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-failures.h"
#include "amps-job.h"
#include "amps-settlement.h"
#include "base/amps-clock.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsAddition:
 * @AMPS_ADDITION_NEW: the job is new and waits to be POSTed
 * @AMPS_ADDITION_ATTACHED: its delivery now belongs to the detached job that runs already
 * @AMPS_ADDITION_DUPLICATE: its delivery shares the outcome of the same job in flight
 * @AMPS_ADDITION_FOLLOWS: it waits for another job of its id to end
 *
 * What became of a job that was added.
 */
typedef enum {
  AMPS_ADDITION_NEW,
  AMPS_ADDITION_ATTACHED,
  AMPS_ADDITION_DUPLICATE,
  AMPS_ADDITION_FOLLOWS,
} AmpsAddition;

/**
 * AmpsManifest:
 *
 * All jobs in flight, and for a while those that have ended. It alone moves a
 * job from state to state, so that one outcome wins
 * (docs/promises.md#one-outcome-per-delivery), and watches their deadlines with one timer.
 */
#define AMPS_TYPE_MANIFEST (amps_manifest_get_type ())
G_DECLARE_FINAL_TYPE (AmpsManifest, amps_manifest, AMPS, MANIFEST, GObject)

AmpsManifest *amps_manifest_new (AmpsClock *clock, unsigned int capacity);
void amps_manifest_set_timeouts (AmpsManifest *self, gint64 job_timeout, gint64 heartbeat_timeout);

gboolean amps_manifest_is_late_success (AmpsManifest *self, AmpsJob *job);
gboolean amps_manifest_recall (AmpsManifest *self, AmpsJob *job, AmpsSettlement *settlement);
AmpsAddition amps_manifest_add (AmpsManifest *self, AmpsJob *job);
AmpsJob *amps_manifest_lookup (AmpsManifest *self, const char *identifier);
unsigned int amps_manifest_get_n_jobs (AmpsManifest *self);
unsigned int amps_manifest_get_n_in_workload (AmpsManifest *self);
unsigned int amps_manifest_get_n_running (AmpsManifest *self);
GPtrArray *amps_manifest_list_after (AmpsManifest *self, guint64 number, unsigned int max);
GPtrArray *amps_manifest_list (AmpsManifest *self);
AmpsFailures *amps_manifest_get_failures (AmpsManifest *self);

void amps_manifest_begin_run (AmpsManifest *self, AmpsJob *job, gint64 deadline);
void amps_manifest_accept (AmpsManifest *self, AmpsJob *job);
void amps_manifest_end_run (AmpsManifest *self, AmpsJob *job, unsigned int attempt, gboolean sent,
                            const char *detail);
void amps_manifest_set_deadline (AmpsManifest *self, AmpsJob *job, gint64 deadline);
gint64 amps_manifest_get_new_deadline (AmpsManifest *self, gint64 extend);
gboolean amps_manifest_heartbeat (AmpsManifest *self, const char *identifier, gint64 extend,
                                  gint64 *deadline, GError **error);

AmpsJob *amps_manifest_find (AmpsManifest *self, const char *identifier);
const char *amps_manifest_get_given_up (AmpsManifest *self, const char *identifier);
gboolean amps_manifest_take (AmpsManifest *self, const char *identifier, AmpsOutcome outcome,
                             AmpsJob **job, GError **error);
gboolean amps_manifest_decide (AmpsManifest *self, AmpsJob *job, AmpsOutcome outcome);
gboolean amps_manifest_begin_deciding (AmpsManifest *self, const char *identifier, AmpsJob **job,
                                       GError **error);
void amps_manifest_stop_deciding (AmpsManifest *self, AmpsJob *job);

AmpsJob *amps_manifest_finish (AmpsManifest *self, AmpsJob *job, const AmpsSettlement *settlement);
void amps_manifest_begin_epoch (AmpsManifest *self);
GPtrArray *amps_manifest_end_epoch (AmpsManifest *self, unsigned int epoch);

G_END_DECLS
