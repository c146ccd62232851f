/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-job.h"

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

  AmpsJobState state;
  AmpsOutcome outcome;
  unsigned int attempt;    /* 1-based */
  char *run_id;            /* (owned) (nullable) of the latest POST */
  gint64 since;            /* monotonic µs: when @state was entered */
  gint64 deadline;         /* monotonic µs; 0 without one */
  GSequenceIter *position; /* (nullable) among the deadlines */
};

G_END_DECLS
