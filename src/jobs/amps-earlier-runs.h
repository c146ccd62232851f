/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-job.h"

G_BEGIN_DECLS

/**
 * AmpsEarlierRun:
 * @run: number of a POST
 * @id: the id of the event that it was of
 * @body_hash: of its bytes
 * @first_received: ms since 1970 when AMPS first saw the job, which all copies of it say
 *
 * A run that was given up: too slow, failed, or of another attempt. Other messages may
 * have the same id, and even the same bytes.
 */
typedef struct {
  gint64 run;
  char *id;
  unsigned int body_hash;
  gint64 first_received;
} AmpsEarlierRun;

/**
 * AmpsEarlierRuns:
 *
 * Which jobs the runs were of that have been given up, since the workload may finish
 * one of them all the same (docs/promises.md#success-counts-whenever-it-comes).
 */
typedef struct _AmpsEarlierRuns AmpsEarlierRuns;

AmpsEarlierRuns *amps_earlier_runs_new (unsigned int capacity);
void amps_earlier_runs_free (AmpsEarlierRuns *self);
void amps_earlier_runs_add (AmpsEarlierRuns *self, AmpsJob *job);
const AmpsEarlierRun *amps_earlier_runs_find (AmpsEarlierRuns *self, gint64 run);
gboolean amps_earlier_run_is_of (const AmpsEarlierRun *run, AmpsJob *job);

G_END_DECLS
