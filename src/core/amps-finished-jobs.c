/* SPDX-License-Identifier: MIT */
#include "amps-finished-jobs.h"

#include "amps-clock.h"
#include "amps-job-private.h"

#include <string.h>

/* A redelivery comes within moments of the next connection. Much later the same
 * id is rather a producer that uses it again. */
#define MAX_AGE AMPS_SECONDS (600)

/* A settlement that was sent so long before the connection died has reached the
 * broker: a connection that carries nothing is found dead sooner than that. */
#define MAX_DOUBT AMPS_SECONDS (180)

/* Ten thousand of them are remembered by default, so each is one small block. */
typedef struct _Entry Entry;
struct _Entry {
  GList link;   /* in the order of @finished */
  Entry *older; /* (nullable) another attempt of the same id */
  gint64 run;
  gint64 finished;            /* monotonic µs */
  gint64 expected;            /* monotonic µs: since when a redelivery can come; 0 for not yet */
  AmpsSettlement *settlement; /* (owned) (nullable) with its detail; %NULL: acknowledge */
  unsigned int epoch;         /* in which it was settled */
  unsigned int attempt;       /* of the delivery */
  unsigned int body_hash;
  guint8 outcome;  /* an AmpsOutcome */
  guint8 settles;  /* whether a redelivery is to be settled at all */
  guint8 in_doubt; /* @epoch has died, and may have taken the settlement with it */
  char id[];
};

/* The keys are a part of their entries: a table without values is half as large. */
#define ENTRY_OF(key, member)                                                                      \
  ((Entry *) (gpointer) ((char *) (key) -G_STRUCT_OFFSET (Entry, member)))

struct _AmpsFinishedJobs {
  unsigned int capacity;
  GQueue entries;     /* (owned) of Entry, oldest first */
  GHashTable *by_id;  /* the id of the newest Entry of each */
  GHashTable *by_run; /* the run of each Entry */
  gboolean connected; /* deliveries can come */
};

/**
 * amps_finished_jobs_new:
 * @capacity: how many jobs to remember
 *
 * Returns: (transfer full): an empty memory
 */
AmpsFinishedJobs *
amps_finished_jobs_new (unsigned int capacity)
{
  AmpsFinishedJobs *self = g_new0 (AmpsFinishedJobs, 1);

  self->capacity = capacity;
  self->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  self->by_run = g_hash_table_new (g_int64_hash, g_int64_equal);
  return self;
}

static Entry *
find_newest (AmpsFinishedJobs *self, const char *id)
{
  const char *key = g_hash_table_lookup (self->by_id, id);

  return key != NULL ? ENTRY_OF (key, id) : NULL;
}

static Entry *
find_attempt (AmpsFinishedJobs *self, const char *id, unsigned int attempt)
{
  Entry *entry = find_newest (self, id);

  while (entry != NULL && entry->attempt != attempt)
    entry = entry->older;
  return entry;
}

static Entry *
find_run (AmpsFinishedJobs *self, gint64 run)
{
  const gint64 *key = run != 0 ? g_hash_table_lookup (self->by_run, &run) : NULL;

  return key != NULL ? ENTRY_OF (key, run) : NULL;
}

/* A copy and its original may both come back, each to its own outcome. */
static void
unchain (AmpsFinishedJobs *self, Entry *entry)
{
  Entry *newer = find_newest (self, entry->id);

  if (newer == entry && entry->older == NULL)
    g_hash_table_remove (self->by_id, entry->id);
  else if (newer == entry)
    g_hash_table_add (self->by_id, entry->older->id);
  else
    {
      while (newer->older != entry)
        newer = newer->older;
      newer->older = entry->older;
    }
}

static void
free_settlement (AmpsSettlement *settlement)
{
  if (settlement != NULL)
    g_free (settlement->detail);
  g_free (settlement);
}

static void
forget_entry (AmpsFinishedJobs *self, Entry *entry)
{
  unchain (self, entry);
  g_queue_unlink (&self->entries, &entry->link);
  if (entry->run != 0)
    g_hash_table_remove (self->by_run, &entry->run);

  free_settlement (entry->settlement);
  g_free (entry);
}

/**
 * amps_finished_jobs_free:
 * @self: (transfer full): a memory
 */
void
amps_finished_jobs_free (AmpsFinishedJobs *self)
{
  while (self->entries.head != NULL)
    forget_entry (self, self->entries.head->data);

  g_hash_table_unref (self->by_id);
  g_hash_table_unref (self->by_run);
  g_free (self);
}

/**
 * amps_finished_jobs_remember:
 * @self: a memory
 * @job: a job that has ended
 * @settlement: (nullable): how its delivery is to be settled should it come
 *   back; %NULL when it shall run again then
 * @now: monotonic µs
 */
void
amps_finished_jobs_remember (AmpsFinishedJobs *self, AmpsJob *job, const AmpsSettlement *settlement,
                             gint64 now)
{
  const AmpsDelivery *delivery = job->delivery;
  const char *id = amps_job_get_id (job);
  gsize id_size = strlen (id) + 1;
  Entry *entry = g_malloc0 (sizeof (Entry) + id_size);

  amps_finished_jobs_forget (self, job);

  memcpy (entry->id, id, id_size);
  entry->run = job->run;
  entry->finished = now;
  entry->outcome = job->outcome;
  entry->epoch = delivery->epoch;
  entry->attempt = delivery->attempt;
  entry->body_hash = delivery->body_hash;
  entry->in_doubt = job->detached;
  entry->expected = self->connected ? now : 0;
  entry->settles = settlement != NULL;
  if (settlement != NULL && settlement->kind != AMPS_SETTLE_ACKNOWLEDGE)
    {
      entry->settlement = g_memdup2 (settlement, sizeof *settlement);
      entry->settlement->detail = g_strdup (settlement->detail);
    }

  entry->link.data = entry;
  g_queue_push_tail_link (&self->entries, &entry->link);
  entry->older = find_newest (self, id);
  g_hash_table_add (self->by_id, entry->id);
  if (entry->run != 0)
    g_hash_table_add (self->by_run, &entry->run);

  if (self->entries.length > self->capacity)
    forget_entry (self, self->entries.head->data);
}

/**
 * amps_finished_jobs_forget:
 * @self: a memory
 * @job: a job
 *
 * Forgets a job of the id and the attempt of @job, as when another one begins.
 */
void
amps_finished_jobs_forget (AmpsFinishedJobs *self, AmpsJob *job)
{
  Entry *entry = find_attempt (self, amps_job_get_id (job), job->delivery->attempt);

  if (entry != NULL)
    forget_entry (self, entry);
}

/**
 * amps_finished_jobs_begin_epoch:
 * @self: a memory
 * @now: monotonic µs
 *
 * Says that deliveries come again.
 */
void
amps_finished_jobs_begin_epoch (AmpsFinishedJobs *self, gint64 now)
{
  self->connected = TRUE;
  for (GList *l = self->entries.head; l != NULL; l = l->next)
    {
      Entry *entry = l->data;

      if (entry->expected == 0)
        entry->expected = now;
    }
}

/**
 * amps_finished_jobs_end_epoch:
 * @self: a memory
 * @epoch: the epoch that ended
 * @now: monotonic µs
 *
 * Lets the jobs that were settled in @epoch answer their redeliveries.
 */
void
amps_finished_jobs_end_epoch (AmpsFinishedJobs *self, unsigned int epoch, gint64 now)
{
  self->connected = FALSE;
  for (GList *l = self->entries.tail; l != NULL; l = l->prev)
    {
      Entry *entry = l->data;

      if (now - entry->finished > MAX_DOUBT)
        break;
      if (entry->epoch != epoch)
        continue;
      entry->in_doubt = TRUE;
      entry->expected = 0;
    }
}

/**
 * amps_finished_jobs_find:
 * @self: a memory
 * @id: an event's id, or anything else
 * @run: the number of a POST, or 0
 *
 * Returns: how the job ended that is known by @id or @run;
 *   %AMPS_OUTCOME_NONE when none is
 */
AmpsOutcome
amps_finished_jobs_find (AmpsFinishedJobs *self, const char *id, gint64 run)
{
  const Entry *entry = find_newest (self, id);

  if (entry == NULL)
    entry = find_run (self, run);

  return entry != NULL ? entry->outcome : AMPS_OUTCOME_NONE;
}

/**
 * amps_finished_jobs_recall:
 * @self: a memory
 * @job: a job that has just been delivered
 * @now: monotonic µs
 * @settlement: (out caller-allocates): how to settle its delivery; the detail
 *   is (transfer full)
 *
 * Finds out whether @job came only because the connection died on the
 * settlement of the same job, which had ended (contract, promise 3), and gives
 * it the outcome that it had. Such an answer is given once.
 *
 * Returns: whether its delivery shall be settled instead of run
 */
gboolean
amps_finished_jobs_recall (AmpsFinishedJobs *self, AmpsJob *job, gint64 now,
                           AmpsSettlement *settlement)
{
  const AmpsDelivery *delivery = job->delivery;
  Entry *entry = find_attempt (self, amps_job_get_id (job), delivery->attempt);

  if (entry == NULL || !entry->settles || !entry->in_doubt || !delivery->redelivered ||
      entry->epoch == delivery->epoch || entry->body_hash != delivery->body_hash ||
      now - entry->expected > MAX_AGE)
    return FALSE;

  *settlement = (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE };
  if (entry->settlement != NULL)
    {
      *settlement = *entry->settlement;
      g_clear_pointer (&entry->settlement, g_free);
    }
  entry->settles = FALSE;
  job->outcome = entry->outcome;
  job->run = entry->run;
  return TRUE;
}
