/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-job.h"
#include "base/amps-timer-queue.h"

G_BEGIN_DECLS

/* What the manifest keeps of a job; nobody else includes this. */
struct _AmpsJob {
  GObject parent_instance;

  AmpsCloudEvent *event;  /* (owned) NULL when malformed */
  GError *problem;        /* (owned) why it is malformed */
  AmpsDelivery *delivery; /* (owned) the one that is settled; dead while detached */
  gboolean detached;      /* the connection of @delivery has died */
  GPtrArray *duplicates;  /* (owned) (nullable) more deliveries that share the outcome */
  GQueue followers;       /* (owned) other jobs of the same id, which wait for this one's end */
  GHashTable *confirmed;  /* (owned) (nullable) of GBytes: events that are published already */

  AmpsJobState state;
  AmpsJobState undecided; /* what @state falls back to from deciding */
  AmpsOutcome outcome;
  gboolean succeeded;   /* acknowledged after it had been given up */
  unsigned int attempt; /* 1-based */
  char *detail;         /* (owned) (nullable) why its latest run failed */
  gint64 run;           /* number of the latest POST; 0 before the first */
  AmpsRunTrace *trace;  /* (owned) (nullable) where @run is in its trace, while that is known */
  char *run_id;         /* (owned) (nullable) what the workload knows @run as */
  gint64 began;         /* monotonic µs: when @run was POSTed; 0 while none is under way */
  gint64 since;         /* monotonic µs: when @state was entered */
  gint64 deadline;      /* monotonic µs; 0 without one */
  gint64 remaining;     /* µs that were left when the deadline stood still; 0 without one */
  AmpsTimerEntry *deadline_entry; /* (nullable) */

  gint64 heartbeat;          /* monotonic µs: when the latest one of @run came; 0 without one */
  unsigned int n_heartbeats; /* of @run */

  guint64 number; /* its place among all that were ever in the manifest, from 1 */
  GList link;     /* of the manifest's list */
};

void amps_job_attach (AmpsJob *self, AmpsDelivery *delivery);
void amps_job_add_duplicate (AmpsJob *self, AmpsDelivery *delivery);

G_END_DECLS
