/* SPDX-License-Identifier: MIT */
#include "amps-embedded-store-private.h"

/* How jobs are claimed: each by itself, since SQLite would keep the bodies of all that
 * one statement returns beside those that are read. */

/* A job that can be had. */
typedef struct {
  gint64 id;
  gsize size; /* of its body */
} Candidate;

/**
 * amps_stored_job_free:
 * @self: (transfer full): a job
 */
void
amps_stored_job_free (AmpsStoredJob *self)
{
  g_bytes_unref (self->body);
  g_free (self);
}

/**
 * amps_embedded_store_set_budget:
 * @self: a store
 * @budget: what the bodies of claimed jobs are taken from
 */
void
amps_embedded_store_set_budget (AmpsEmbeddedStore *self, AmpsByteBudget *budget)
{
  self->budget = amps_byte_budget_ref (budget);
}

/**
 * amps_embedded_store_get_lacking:
 * @self: a store
 *
 * Returns: how many bytes the job has that could not be claimed last, since there was no
 *   room for it; 0 if there was for all
 */
gsize
amps_embedded_store_get_lacking (AmpsEmbeddedStore *self)
{
  return self->lacking;
}

static gboolean
embedded_store_claim_finish (AmpsEmbeddedStore *self, sqlite3_stmt *statement, GError **error)
{
  /* Reset tells again what the last step said. */
  return sqlite3_reset (statement) == SQLITE_OK || amps_embedded_store_fail (self, error);
}

static GBytes *
read_body (AmpsEmbeddedStore *self, sqlite3_stmt *statement)
{
  gconstpointer data = sqlite3_column_blob (statement, 1);
  gsize size = (gsize) sqlite3_column_bytes (statement, 1);
  GBytes *body = g_bytes_new (data, size);

  if (self->budget == NULL)
    return body;

  amps_byte_budget_add (self->budget, size);
  return amps_byte_budget_wrap (self->budget, body, size);
}

static AmpsStoredJob *
read_job (AmpsEmbeddedStore *self, sqlite3_stmt *statement)
{
  AmpsStoredJob *job = g_new0 (AmpsStoredJob, 1);

  job->id = sqlite3_column_int64 (statement, 0);
  job->body = read_body (self, statement);
  job->attempt = (unsigned int) sqlite3_column_int (statement, 2);
  job->handed_out = (unsigned int) sqlite3_column_int (statement, 3);
  job->returns = (unsigned int) sqlite3_column_int (statement, 4);
  job->first_received = sqlite3_column_int64 (statement, 5);
  job->retry = (unsigned int) sqlite3_column_int (statement, 6);
  return job;
}

/* @statement: says which there are. Returns: (nullable) (element-type Candidate) */
static GArray *
list_candidates (AmpsEmbeddedStore *self, sqlite3_stmt *statement, GError **error)
{
  g_autoptr (GArray) candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));

  while (sqlite3_step (statement) == SQLITE_ROW)
    {
      Candidate candidate = { sqlite3_column_int64 (statement, 0),
                              (gsize) sqlite3_column_int64 (statement, 1) };

      g_array_append_val (candidates, candidate);
    }

  return embedded_store_claim_finish (self, statement, error) ? g_steal_pointer (&candidates)
                                                              : NULL;
}

static gboolean
embedded_store_claim_has_room (AmpsEmbeddedStore *self, const Candidate *candidate)
{
  if (self->budget == NULL || amps_byte_budget_fits (self->budget, candidate->size))
    return TRUE;

  self->lacking = candidate->size;
  return FALSE;
}

static gboolean
claim_job (AmpsEmbeddedStore *self, sqlite3_stmt *statement, const Candidate *candidate,
           GPtrArray *jobs, GError **error)
{
  sqlite3_bind_int64 (statement, 1, candidate->id);
  while (sqlite3_step (statement) == SQLITE_ROW)
    g_ptr_array_add (jobs, read_job (self, statement));

  return embedded_store_claim_finish (self, statement, error);
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  gint64 id_a = (*(AmpsStoredJob *const *) a)->id;
  gint64 id_b = (*(AmpsStoredJob *const *) b)->id;

  return (id_a > id_b) - (id_a < id_b);
}

/* @candidates: (transfer full) (nullable) (element-type Candidate) */
static GPtrArray *
claim_jobs (AmpsEmbeddedStore *self, sqlite3_stmt *statement, GArray *candidates, gboolean limited,
            GError **error)
{
  g_autoptr (GArray) owned = candidates;
  g_autoptr (GPtrArray) jobs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) amps_stored_job_free);

  self->lacking = 0;
  if (owned == NULL)
    return NULL;

  for (unsigned int i = 0; i < owned->len; i++)
    {
      const Candidate *candidate = &g_array_index (owned, Candidate, i);

      if (limited && !embedded_store_claim_has_room (self, candidate))
        break;
      if (!claim_job (self, statement, candidate, jobs, error))
        return NULL;
    }

  g_ptr_array_sort (jobs, compare_ids);
  return g_steal_pointer (&jobs);
}

/**
 * amps_embedded_store_claim:
 * @self: a store
 * @queue: from which
 * @owner: who claims
 * @now: µs since 1970
 * @lease_end: until when, in µs since 1970
 * @limit: how many at most
 * @error: return location
 *
 * Returns: (transfer full) (nullable) (element-type AmpsStoredJob): jobs that are
 *   due and that there is room for, oldest first
 */
GPtrArray *
amps_embedded_store_claim (AmpsEmbeddedStore *self, const char *queue, const char *owner,
                           gint64 now, gint64 lease_end, unsigned int limit, GError **error)
{
  sqlite3_stmt *find = self->statements[AMPS_EMBEDDED_STATEMENT_FIND];
  sqlite3_stmt *claim = self->statements[AMPS_EMBEDDED_STATEMENT_CLAIM];

  amps_embedded_store_bind_text (find, 1, queue);
  sqlite3_bind_int64 (find, 2, now);
  sqlite3_bind_int64 (find, 3, limit);
  amps_embedded_store_bind_text (claim, 2, owner);
  sqlite3_bind_int64 (claim, 3, now);
  sqlite3_bind_int64 (claim, 4, lease_end);
  return claim_jobs (self, claim, list_candidates (self, find, error), TRUE, error);
}

/**
 * amps_embedded_store_reclaim:
 * @self: a store
 * @before: who claimed
 * @owner: who claims now
 * @lease_end: until when, in µs since 1970
 * @error: return location
 *
 * Hands out again what @before has, and what @owner has from a try that seemed to fail.
 * There was room for it, and what is still held of it gives way to it.
 *
 * Returns: (transfer full) (nullable) (element-type AmpsStoredJob): these jobs,
 *   oldest first
 */
GPtrArray *
amps_embedded_store_reclaim (AmpsEmbeddedStore *self, const char *before, const char *owner,
                             gint64 lease_end, GError **error)
{
  sqlite3_stmt *find = self->statements[AMPS_EMBEDDED_STATEMENT_FIND_CLAIMED];
  sqlite3_stmt *claim = self->statements[AMPS_EMBEDDED_STATEMENT_RECLAIM];

  amps_embedded_store_bind_text (find, 1, before);
  amps_embedded_store_bind_text (find, 2, owner);
  amps_embedded_store_bind_text (claim, 2, owner);
  sqlite3_bind_int64 (claim, 3, lease_end);
  return claim_jobs (self, claim, list_candidates (self, find, error), FALSE, error);
}
