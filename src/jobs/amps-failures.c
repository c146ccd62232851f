/* SPDX-License-Identifier: MIT */
#include "amps-failures.h"

#include "base/amps-foreign-text.h"

struct _AmpsFailures {
  AmpsClock *clock; /* (owned) */
  AmpsFailure ring[AMPS_FAILURES_MAX];
  guint64 n_added;
};

/**
 * amps_failures_new:
 * @clock: what says when they are added
 *
 * Returns: (transfer full): no failures yet
 */
AmpsFailures *
amps_failures_new (AmpsClock *clock)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);

  AmpsFailures *self = g_new0 (AmpsFailures, 1);

  self->clock = g_object_ref (clock);
  return self;
}

static void
failure_clear (AmpsFailure *failure)
{
  g_free (failure->id);
  g_free (failure->detail);
}

/**
 * amps_failures_free:
 * @self: (transfer full): failures
 */
void
amps_failures_free (AmpsFailures *self)
{
  for (unsigned int i = 0; i < AMPS_FAILURES_MAX; i++)
    failure_clear (&self->ring[i]);
  g_object_unref (self->clock);
  g_free (self);
}

/**
 * amps_failures_add:
 * @self: failures
 * @job: what has failed now
 * @outcome: how its run ended
 * @reason: a static word, as in `x-amps-reason`
 * @detail: (nullable): why, for people; of bounded length
 *
 * Forgets the oldest if there are too many.
 */
void
amps_failures_add (AmpsFailures *self, AmpsJob *job, AmpsOutcome outcome, const char *reason,
                   const char *detail)
{
  AmpsFailure *failure = &self->ring[self->n_added++ % AMPS_FAILURES_MAX];
  const char *id = amps_job_get_id (job);

  failure_clear (failure);
  *failure = (AmpsFailure){
    .time = amps_clock_get_monotonic_time (self->clock),
    .id = id != NULL ? amps_foreign_text_dup (id, -1) : NULL,
    .outcome = outcome,
    .attempt = amps_job_get_attempt (job),
    .reason = reason,
    .detail = g_strdup (detail),
  };
}

/**
 * amps_failures_get:
 * @self: failures
 * @n: 0 for the latest, 1 for the one before it, and so on
 *
 * Returns: (transfer none) (nullable): that failure, until the next one is added; %NULL if
 *   it is not remembered
 */
const AmpsFailure *
amps_failures_get (const AmpsFailures *self, unsigned int n)
{
  if (n >= MIN (self->n_added, AMPS_FAILURES_MAX))
    return NULL;
  return &self->ring[(self->n_added - 1 - n) % AMPS_FAILURES_MAX];
}
