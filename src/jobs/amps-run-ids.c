/* SPDX-License-Identifier: MIT */
#include "amps-run-ids.h"

#include "amps-job-private.h"

#include <string.h>

struct _AmpsRunIds {
  char *boot;       /* (owned) what all ids of this process begin with */
  gint64 last;      /* number of the latest run */
  GHashTable *jobs; /* (owned) number of its run → AmpsJob */
};

/**
 * amps_run_ids_new:
 *
 * Returns: (transfer full): with no run known
 */
AmpsRunIds *
amps_run_ids_new (void)
{
  AmpsRunIds *self = g_new0 (AmpsRunIds, 1);

  self->boot = g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
  self->jobs = g_hash_table_new (g_int64_hash, g_int64_equal);
  return self;
}

/**
 * amps_run_ids_free:
 * @self: (transfer full): run ids
 */
void
amps_run_ids_free (AmpsRunIds *self)
{
  g_hash_table_unref (self->jobs);
  g_free (self->boot);
  g_free (self);
}

/**
 * amps_run_ids_begin:
 * @self: run ids
 * @job: a job whose next run begins
 *
 * Gives @job a new run id and forgets the one it had.
 */
void
amps_run_ids_begin (AmpsRunIds *self, AmpsJob *job)
{
  amps_run_ids_forget (self, job);
  g_free (job->run_id);
  job->run = ++self->last;
  job->run_id = g_strdup_printf ("%s-%" G_GINT64_FORMAT, self->boot, job->run);
  g_hash_table_insert (self->jobs, &job->run, job);
}

/**
 * amps_run_ids_forget:
 * @self: run ids
 * @job: a job that may have one
 *
 * Lets @job be known by its run id no longer.
 */
void
amps_run_ids_forget (AmpsRunIds *self, AmpsJob *job)
{
  if (job->run != 0)
    g_hash_table_remove (self->jobs, &job->run);
}

/**
 * amps_run_ids_parse:
 * @self: run ids
 * @identifier: anything
 *
 * Returns: the number of the run that @identifier means; 0 if it means none of
 *   this process
 */
gint64
amps_run_ids_parse (AmpsRunIds *self, const char *identifier)
{
  gsize length = strlen (self->boot);
  guint64 run;

  if (strncmp (identifier, self->boot, length) != 0 || identifier[length] != '-' ||
      !g_ascii_string_to_unsigned (identifier + length + 1, 10, 1, G_MAXINT64, &run, NULL))
    return 0;

  return (gint64) run;
}

/**
 * amps_run_ids_lookup:
 * @self: run ids
 * @identifier: anything
 *
 * Returns: (transfer none) (nullable): the job in whose latest run it is called so
 */
AmpsJob *
amps_run_ids_lookup (AmpsRunIds *self, const char *identifier)
{
  gint64 run = amps_run_ids_parse (self, identifier);

  return g_hash_table_lookup (self->jobs, &run);
}
