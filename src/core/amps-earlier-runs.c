/* SPDX-License-Identifier: MIT */
#include "amps-earlier-runs.h"

#include "amps-job-private.h"

struct _AmpsEarlierRuns {
  unsigned int capacity;
  GHashTable *runs; /* (owned) number → (owned) AmpsEarlierRun */
  GQueue order;     /* (owned) of AmpsEarlierRun (unowned), oldest first */
};

static void
earlier_run_free (gpointer data)
{
  AmpsEarlierRun *run = data;

  g_free (run->id);
  g_free (run);
}

/**
 * amps_earlier_runs_new:
 * @capacity: how many runs to remember
 *
 * Returns: (transfer full): an empty memory
 */
AmpsEarlierRuns *
amps_earlier_runs_new (unsigned int capacity)
{
  AmpsEarlierRuns *self = g_new0 (AmpsEarlierRuns, 1);

  self->capacity = capacity;
  self->runs = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, earlier_run_free);
  g_queue_init (&self->order);
  return self;
}

/**
 * amps_earlier_runs_free:
 * @self: (transfer full): a memory
 */
void
amps_earlier_runs_free (AmpsEarlierRuns *self)
{
  g_queue_clear (&self->order);
  g_hash_table_unref (self->runs);
  g_free (self);
}

/**
 * amps_earlier_runs_add:
 * @self: a memory
 * @job: a job whose latest run is given up, if there was one
 *
 * The oldest one makes room for it.
 */
void
amps_earlier_runs_add (AmpsEarlierRuns *self, AmpsJob *job)
{
  AmpsEarlierRun *run;

  if (job->run == 0 || g_hash_table_contains (self->runs, &job->run))
    return;

  if (g_hash_table_size (self->runs) >= self->capacity)
    {
      run = g_queue_pop_head (&self->order);
      g_hash_table_remove (self->runs, &run->run);
    }

  run = g_new (AmpsEarlierRun, 1);
  run->run = job->run;
  run->id = g_strdup (amps_job_get_id (job));
  run->body_hash = job->delivery->body_hash;
  g_hash_table_insert (self->runs, &run->run, run);
  g_queue_push_tail (&self->order, run);
}

/**
 * amps_earlier_runs_find:
 * @self: a memory
 * @run: the number of a POST, or 0
 *
 * Returns: (transfer none) (nullable): what it was
 */
const AmpsEarlierRun *
amps_earlier_runs_find (AmpsEarlierRuns *self, gint64 run)
{
  return g_hash_table_lookup (self->runs, &run);
}
