/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-earlier-runs.h"
#include "amps-finished-jobs.h"
#include "amps-manifest.h"
#include "amps-run-ids.h"
#include "base/amps-timer-queue.h"

G_BEGIN_DECLS

/* What the files of the manifest share. */
struct _AmpsManifest {
  GObject parent_instance;

  AmpsClock *clock; /* (owned) */
  GHashTable *jobs; /* (owned) id → (owned) AmpsJob */
  GQueue order;     /* of the same, by their numbers */
  guint64 last_number;
  AmpsRunIds *runs;          /* (owned) */
  AmpsEarlierRuns *earlier;  /* (owned) */
  AmpsTimerQueue *deadlines; /* (owned) of AmpsJob */
  gint64 job_timeout;        /* µs; 0 for none */
  gint64 heartbeat_timeout;  /* likewise */
  unsigned int n_in_workload;
  unsigned int n_running;

  AmpsFinishedJobs *finished; /* (owned) */
  AmpsFailures *failures;     /* (owned) */
};

void amps_manifest_enter_state (AmpsManifest *self, AmpsJob *job, AmpsJobState state);
gint64 amps_manifest_get_time_left (AmpsManifest *self, gint64 deadline);

G_END_DECLS
