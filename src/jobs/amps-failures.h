/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-job.h"
#include "base/amps-clock.h"

G_BEGIN_DECLS

/**
 * AMPS_FAILURES_MAX:
 *
 * How many failures are remembered.
 */
#define AMPS_FAILURES_MAX 20

/**
 * AmpsFailure:
 * @time: monotonic µs
 * @id: (nullable): the event's id, at most 1 KiB of it; %NULL for a message that is not an event
 * @outcome: how the run ended
 * @attempt: which attempt that was
 * @reason: a static word, as in `x-amps-reason`
 * @detail: (nullable): why, for people
 *
 * A run of a job that failed, or a message that is not an event.
 */
typedef struct {
  gint64 time;
  char *id;
  AmpsOutcome outcome;
  unsigned int attempt;
  const char *reason;
  char *detail;
} AmpsFailure;

/**
 * AmpsFailures:
 *
 * The last failures, for whoever looks. In the main thread.
 */
typedef struct _AmpsFailures AmpsFailures;

AmpsFailures *amps_failures_new (AmpsClock *clock);
void amps_failures_free (AmpsFailures *self);
void amps_failures_add (AmpsFailures *self, AmpsJob *job, AmpsOutcome outcome, const char *reason,
                        const char *detail);
const AmpsFailure *amps_failures_get (const AmpsFailures *self, unsigned int n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsFailures, amps_failures_free)

G_END_DECLS
