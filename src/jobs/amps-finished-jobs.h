/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-earlier-runs.h"
#include "amps-job.h"
#include "amps-settlement.h"

G_BEGIN_DECLS

/**
 * AmpsFinishedJobs:
 *
 * The memory of jobs that have ended: so that a call which decides one again is
 * answered truthfully, and so that a message which comes back only because the
 * connection died on its settlement is settled again instead of run again
 * (docs/promises.md#a-broken-connection-starts-no-second-run).
 */
typedef struct _AmpsFinishedJobs AmpsFinishedJobs;

AmpsFinishedJobs *amps_finished_jobs_new (unsigned int capacity);
void amps_finished_jobs_free (AmpsFinishedJobs *self);

void amps_finished_jobs_remember (AmpsFinishedJobs *self, AmpsJob *job,
                                  const AmpsSettlement *settlement, gint64 now);
void amps_finished_jobs_forget (AmpsFinishedJobs *self, AmpsJob *job);
void amps_finished_jobs_begin_epoch (AmpsFinishedJobs *self, gint64 now);
void amps_finished_jobs_end_epoch (AmpsFinishedJobs *self, unsigned int epoch, gint64 now);
AmpsOutcome amps_finished_jobs_find (AmpsFinishedJobs *self, const char *id, gint64 run);
AmpsOutcome amps_finished_jobs_find_of_run (AmpsFinishedJobs *self, const AmpsEarlierRun *run);
gboolean amps_finished_jobs_succeed (AmpsFinishedJobs *self, const char *id,
                                     const AmpsEarlierRun *run);
gboolean amps_finished_jobs_has_succeeded (AmpsFinishedJobs *self, AmpsJob *job, gint64 now);
gboolean amps_finished_jobs_recall (AmpsFinishedJobs *self, AmpsJob *job, gint64 now,
                                    AmpsSettlement *settlement);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsFinishedJobs, amps_finished_jobs_free)

G_END_DECLS
