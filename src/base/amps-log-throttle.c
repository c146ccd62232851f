/* SPDX-License-Identifier: MIT */
#include "amps-log-throttle.h"

#include "amps-clock.h"

#define INTERVAL AMPS_SECONDS (60)

/* Words that are new each time must not get past it. */
#define MAX_PROBLEMS 8

struct _AmpsLogThrottle {
  GHashTable *problems; /* (owned) that were said already */
  gint64 said;          /* monotonic µs: when the last one was */
  unsigned int n_tries; /* since then */
};

/**
 * amps_log_throttle_new:
 *
 * Returns: (transfer full): a throttle that has heard of no problem
 */
AmpsLogThrottle *
amps_log_throttle_new (void)
{
  AmpsLogThrottle *self = g_new0 (AmpsLogThrottle, 1);

  self->problems = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

/**
 * amps_log_throttle_free:
 * @self: (transfer full): a throttle
 */
void
amps_log_throttle_free (AmpsLogThrottle *self)
{
  g_hash_table_unref (self->problems);
  g_free (self);
}

/**
 * amps_log_throttle_note:
 * @self: a throttle
 * @problem: what was wrong with another try
 * @now: monotonic µs
 *
 * Each problem is said at once when it is new, and then one line a minute with how often
 * it was tried.
 *
 * Returns: (transfer full) (nullable): what is to be logged now
 */
char *
amps_log_throttle_note (AmpsLogThrottle *self, const char *problem, gint64 now)
{
  gboolean is_new = g_hash_table_size (self->problems) < MAX_PROBLEMS &&
                    !g_hash_table_contains (self->problems, problem);
  gint64 silence = now - self->said;
  unsigned int n_tries = ++self->n_tries;

  if (!is_new && silence < INTERVAL)
    return NULL;

  self->said = now;
  self->n_tries = 0;
  if (!is_new)
    return g_strdup_printf ("still %s, %u %s in %" G_GINT64_FORMAT " s", problem, n_tries,
                            n_tries == 1 ? "try" : "tries", silence / G_USEC_PER_SEC);

  g_hash_table_add (self->problems, g_strdup (problem));
  return g_strdup (problem);
}

/**
 * amps_log_throttle_end:
 * @self: a throttle
 *
 * All is well again, so the next problem is a new one.
 */
void
amps_log_throttle_end (AmpsLogThrottle *self)
{
  g_hash_table_remove_all (self->problems);
  self->n_tries = 0;
}
