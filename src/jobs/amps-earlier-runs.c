/* SPDX-License-Identifier: MIT */
#include "amps-earlier-runs.h"

#include "amps-job-private.h"

#include <string.h>

/* An id may be as long as an event. */
#define MAX_LENGTH (1024 * 1024)

struct _AmpsEarlierRuns {
  unsigned int capacity;
  gsize length;     /* bytes of all ids */
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

static void
drop_oldest (AmpsEarlierRuns *self)
{
  AmpsEarlierRun *run = g_queue_pop_head (&self->order);

  self->length -= strlen (run->id);
  g_hash_table_remove (self->runs, &run->run);
}

/**
 * amps_earlier_runs_add:
 * @self: a memory
 * @job: a job whose latest run is given up, if there was one
 *
 * The oldest ones make room for it, so that ids take up no more than a MiB.
 */
void
amps_earlier_runs_add (AmpsEarlierRuns *self, AmpsJob *job)
{
  AmpsEarlierRun *run;

  if (job->run == 0 || g_hash_table_contains (self->runs, &job->run))
    return;

  while (g_hash_table_size (self->runs) >= self->capacity || self->length > MAX_LENGTH)
    drop_oldest (self);

  run = g_new (AmpsEarlierRun, 1);
  run->run = job->run;
  run->id = g_strdup (amps_job_get_id (job));
  run->body_hash = job->delivery->body_hash;
  run->first_received = job->delivery->first_received / 1000;
  self->length += strlen (run->id);
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

/**
 * amps_earlier_run_is_of:
 * @run: an earlier run
 * @job: a job of its id
 *
 * Returns: whether @run was of @job, rather than of another one of the same id
 */
gboolean
amps_earlier_run_is_of (const AmpsEarlierRun *run, AmpsJob *job)
{
  return run->body_hash == job->delivery->body_hash &&
         run->first_received == job->delivery->first_received / 1000;
}
