/* SPDX-License-Identifier: MIT */
#include "amps-finished-jobs.h"

#include "amps-job-private.h"
#include "base/amps-clock.h"

/* A redelivery comes within moments of the next connection. Much later the same
 * id is rather a producer that uses it again. */
#define MAX_AGE AMPS_SECONDS (600)

/* A retry may wait for long. Much later it is rather somebody's copy. */
#define MAX_RETRY_AGE AMPS_SECONDS (24 * 3600)

/* A settlement that was sent so long before the connection died has reached the
 * broker: a connection that carries nothing is found dead sooner than that. */
#define MAX_DOUBT AMPS_SECONDS (180)

/* What an entry is found by. */
typedef enum {
  BY_ID,  /* the digest of its event's id; the latest attempt of several first */
  BY_RUN, /* the number of its POST; 0 if there was none */
  N_KEYS,
} Key;

/* Ten thousand of them are remembered by default, so each is of 80 bytes, and they are
 * linked by numbers instead of pointers. */
typedef struct {
  guint64 keys[N_KEYS];
  unsigned int next[N_KEYS];  /* number of the next entry in the chain of each key */
  AmpsSettlement *settlement; /* (owned) (nullable) with its detail; %NULL: acknowledge */
  gint64 first_received;      /* ms since 1970, which all copies of the job say */
  gint64 finished;            /* monotonic µs */
  gint64 expected;            /* monotonic µs: since when a redelivery can come; 0 for not yet */
  unsigned int epoch;         /* in which it was settled */
  unsigned int attempt;       /* of the delivery */
  unsigned int copy;          /* likewise */
  unsigned int body_hash;
  guint8 outcome;              /* an AmpsOutcome */
  unsigned int settles : 1;    /* whether a redelivery is to be settled at all */
  unsigned int in_doubt : 1;   /* @epoch has died, and may have taken the settlement with it */
  unsigned int succeeded : 1;  /* acknowledged after it had been given up: a retry is not run */
  unsigned int remembered : 1; /* else it was forgotten before its time, or never used */
} Entry;

struct _AmpsFinishedJobs {
  guint64 seed; /* of the digests: another one in each process */
  unsigned int capacity;
  unsigned int last;            /* number of the latest entry */
  unsigned int used;            /* how many entries have been written */
  unsigned int n_awaited;       /* late successes whose retry has not come yet */
  Entry *entries;               /* (owned) a ring of @capacity, numbered from 1 */
  unsigned int *chains[N_KEYS]; /* (owned) number of the first entry in each; @capacity of them */
  gboolean connected;           /* deliveries can come */
};

/**
 * amps_finished_jobs_new:
 * @capacity: how many jobs to remember
 *
 * Returns: (transfer full): an empty memory, which takes up room as it is filled
 */
AmpsFinishedJobs *
amps_finished_jobs_new (unsigned int capacity)
{
  AmpsFinishedJobs *self = g_new0 (AmpsFinishedJobs, 1);

  self->seed = (guint64) g_random_int () << 32 | g_random_int ();
  self->capacity = capacity;
  self->entries = g_new0 (Entry, capacity + 1);
  for (Key key = 0; key < N_KEYS; key++)
    self->chains[key] = g_new0 (unsigned int, capacity);
  return self;
}

/* 64 bits of FNV-1a stand for an id of up to hundreds of bytes: among ten thousand,
 * two are alike once in 10^11 times.
 * https://datatracker.ietf.org/doc/html/draft-eastlake-fnv */
static guint64
digest_id (AmpsFinishedJobs *self, const char *id)
{
  guint64 digest = self->seed;

  for (; *id != '\0'; id++)
    digest = (digest ^ (guint8) *id) * G_GUINT64_CONSTANT (0x100000001b3);
  return digest;
}

static unsigned int *
get_chain (AmpsFinishedJobs *self, Key key, guint64 value)
{
  return &self->chains[key][value % self->capacity];
}

static void
link_entry (AmpsFinishedJobs *self, Key key, unsigned int number)
{
  Entry *entry = &self->entries[number];
  unsigned int *chain = get_chain (self, key, entry->keys[key]);

  entry->next[key] = *chain;
  *chain = number;
}

static void
unlink_entry (AmpsFinishedJobs *self, Key key, const Entry *entry)
{
  unsigned int *link = get_chain (self, key, entry->keys[key]);

  while (&self->entries[*link] != entry)
    link = &self->entries[*link].next[key];
  *link = entry->next[key];
}

/* The first of those from @number on in a chain. */
static Entry *
find_from (AmpsFinishedJobs *self, unsigned int number, Key key, guint64 value)
{
  while (number != 0 && self->entries[number].keys[key] != value)
    number = self->entries[number].next[key];
  return number != 0 ? &self->entries[number] : NULL;
}

static Entry *
finished_jobs_find (AmpsFinishedJobs *self, Key key, guint64 value)
{
  return find_from (self, *get_chain (self, key, value), key, value);
}

/* A copy and its original may both come back, each to its own outcome. They are of one
 * attempt if the failure did not count. */
static Entry *
find_message (AmpsFinishedJobs *self, guint64 id, const AmpsDelivery *delivery)
{
  Entry *entry = finished_jobs_find (self, BY_ID, id);

  while (entry != NULL && (entry->attempt != delivery->attempt || entry->copy != delivery->copy))
    entry = find_from (self, entry->next[BY_ID], BY_ID, id);
  return entry;
}

static void
free_settlement (AmpsSettlement *settlement)
{
  if (settlement != NULL)
    g_free (settlement->detail);
  g_free (settlement);
}

static void
set_succeeded (AmpsFinishedJobs *self, Entry *entry, gboolean succeeded)
{
  self->n_awaited += (unsigned int) succeeded - entry->succeeded;
  entry->succeeded = succeeded != FALSE;
}

static void
forget_entry (AmpsFinishedJobs *self, Entry *entry)
{
  set_succeeded (self, entry, FALSE);
  unlink_entry (self, BY_ID, entry);
  if (entry->keys[BY_RUN] != 0)
    unlink_entry (self, BY_RUN, entry);
  free_settlement (entry->settlement);
  entry->remembered = FALSE;
}

/**
 * amps_finished_jobs_free:
 * @self: (transfer full): a memory
 */
void
amps_finished_jobs_free (AmpsFinishedJobs *self)
{
  for (unsigned int i = 1; i <= self->used; i++)
    {
      if (self->entries[i].remembered)
        free_settlement (self->entries[i].settlement);
    }

  for (Key key = 0; key < N_KEYS; key++)
    g_free (self->chains[key]);
  g_free (self->entries);
  g_free (self);
}

/* A retry may wait behind more jobs than are remembered, so a late success stays where it
 * is until its retry has come. Half of the room is for others. */
static gboolean
is_awaited (AmpsFinishedJobs *self, const Entry *entry, gint64 now)
{
  return entry->remembered && entry->succeeded && now - entry->finished <= MAX_RETRY_AGE &&
         self->n_awaited <= self->capacity / 2;
}

/* Returns: the oldest entry, empty now */
static Entry *
take_oldest (AmpsFinishedJobs *self, gint64 now)
{
  Entry *entry;

  do
    {
      self->last = self->last % self->capacity + 1;
      entry = &self->entries[self->last];
    }
  while (is_awaited (self, entry, now));

  self->used = MAX (self->used, self->last);
  if (entry->remembered)
    forget_entry (self, entry);
  return entry;
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
  guint64 id = digest_id (self, amps_job_get_id (job));
  Entry *entry = find_message (self, id, delivery);

  if (entry != NULL)
    forget_entry (self, entry);

  entry = take_oldest (self, now);
  *entry = (Entry){
    .keys = { [BY_ID] = id, [BY_RUN] = (guint64) job->run },
    .first_received = delivery->first_received / 1000,
    .finished = now,
    .expected = self->connected ? now : 0,
    .epoch = delivery->epoch,
    .attempt = delivery->attempt,
    .copy = delivery->copy,
    .body_hash = delivery->body_hash,
    .outcome = job->succeeded ? AMPS_OUTCOME_ACKNOWLEDGED : job->outcome,
    .settles = settlement != NULL,
    .in_doubt = job->detached,
    .remembered = TRUE,
  };
  set_succeeded (self, entry, job->succeeded);
  if (settlement != NULL && settlement->kind != AMPS_SETTLE_ACKNOWLEDGE && !job->succeeded)
    {
      entry->settlement = g_memdup2 (settlement, sizeof *settlement);
      entry->settlement->detail = g_strdup (settlement->detail);
    }

  link_entry (self, BY_ID, self->last);
  if (entry->keys[BY_RUN] != 0)
    link_entry (self, BY_RUN, self->last);
}

/**
 * amps_finished_jobs_forget:
 * @self: a memory
 * @job: a job
 *
 * Forgets the message that @job came by, as when another one begins.
 */
void
amps_finished_jobs_forget (AmpsFinishedJobs *self, AmpsJob *job)
{
  guint64 id = digest_id (self, amps_job_get_id (job));
  Entry *entry = find_message (self, id, job->delivery);

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
  for (unsigned int i = 1; i <= self->used; i++)
    {
      if (self->entries[i].expected == 0)
        self->entries[i].expected = now;
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
  for (unsigned int i = 1; i <= self->used; i++)
    {
      Entry *entry = &self->entries[i];

      if (now - entry->finished > MAX_DOUBT || entry->epoch != epoch)
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
  const Entry *entry = finished_jobs_find (self, BY_ID, digest_id (self, id));

  if (entry == NULL && run != 0)
    entry = finished_jobs_find (self, BY_RUN, (guint64) run);

  return entry != NULL ? entry->outcome : AMPS_OUTCOME_NONE;
}

/* The latest attempt of the job that @run was of. */
static Entry *
find_of_run (AmpsFinishedJobs *self, const AmpsEarlierRun *run)
{
  guint64 id = digest_id (self, run->id);
  Entry *entry = finished_jobs_find (self, BY_ID, id);

  while (entry != NULL &&
         (entry->body_hash != run->body_hash || entry->first_received != run->first_received))
    entry = find_from (self, entry->next[BY_ID], BY_ID, id);
  return entry;
}

/**
 * amps_finished_jobs_find_of_run:
 * @self: a memory
 * @run: a run that was given up
 *
 * Returns: how the job ended that @run was of; %AMPS_OUTCOME_NONE when that is not known
 */
AmpsOutcome
amps_finished_jobs_find_of_run (AmpsFinishedJobs *self, const AmpsEarlierRun *run)
{
  const Entry *entry = find_of_run (self, run);

  return entry != NULL ? entry->outcome : AMPS_OUTCOME_NONE;
}

/**
 * amps_finished_jobs_succeed:
 * @self: a memory
 * @id: an event's id, or anything else
 * @run: (nullable): a run of it that was given up, if that is known
 *
 * Says that a job that was given up is acknowledged after all: what comes of it is not
 * run again.
 *
 * Returns: whether there is such a job
 */
gboolean
amps_finished_jobs_succeed (AmpsFinishedJobs *self, const char *id, const AmpsEarlierRun *run)
{
  Entry *entry = run != NULL ? find_of_run (self, run)
                             : finished_jobs_find (self, BY_ID, digest_id (self, id));

  if (entry == NULL || !amps_outcome_is_given_up (entry->outcome))
    return FALSE;

  entry->outcome = AMPS_OUTCOME_ACKNOWLEDGED;
  set_succeeded (self, entry, TRUE);
  g_clear_pointer (&entry->settlement, free_settlement);
  return TRUE;
}

/**
 * amps_finished_jobs_has_succeeded:
 * @self: a memory
 * @job: a job that has just been delivered
 * @now: monotonic µs
 *
 * Such an answer is given once.
 *
 * Returns: whether @job is the retry of one that was acknowledged after it had been
 *   given up
 */
gboolean
amps_finished_jobs_has_succeeded (AmpsFinishedJobs *self, AmpsJob *job, gint64 now)
{
  AmpsEarlierRun run = { 0, (char *) amps_job_get_id (job), job->delivery->body_hash,
                         job->delivery->first_received / 1000 };
  Entry *entry = job->delivery->copy != 0 ? find_of_run (self, &run) : NULL;

  if (entry == NULL || !entry->succeeded || now - entry->finished > MAX_RETRY_AGE)
    return FALSE;

  set_succeeded (self, entry, FALSE);
  return TRUE;
}

/* The broker may have two equal copies. Both may come as redelivered, and one of them when the
 * other has been settled. */
static gboolean
is_done_by_another_copy (const Entry *entry, const AmpsDelivery *delivery, gint64 now)
{
  return delivery->repeated && entry->outcome == AMPS_OUTCOME_ACKNOWLEDGED &&
         entry->settlement == NULL && now - entry->finished <= MAX_AGE;
}

static gboolean
is_redelivery (const Entry *entry, const AmpsDelivery *delivery, gint64 now)
{
  return delivery->redelivered && entry->in_doubt && entry->epoch != delivery->epoch &&
         now - entry->expected <= MAX_AGE;
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
 * settlement of the same job, which had ended, and gives it the outcome that it had. Such
 * an answer is given once. Likewise if @job is the second of two equal copies, and the
 * workload has acknowledged the first one.
 *
 * Returns: whether its delivery shall be settled instead of run
 */
gboolean
amps_finished_jobs_recall (AmpsFinishedJobs *self, AmpsJob *job, gint64 now,
                           AmpsSettlement *settlement)
{
  const AmpsDelivery *delivery = job->delivery;
  Entry *entry;

  if (!delivery->redelivered && !delivery->repeated)
    return FALSE;

  entry = find_message (self, digest_id (self, amps_job_get_id (job)), delivery);
  if (entry == NULL || !entry->settles || entry->body_hash != delivery->body_hash ||
      !(is_done_by_another_copy (entry, delivery, now) || is_redelivery (entry, delivery, now)))
    return FALSE;

  *settlement = (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE };
  if (entry->settlement != NULL)
    {
      *settlement = *entry->settlement;
      g_clear_pointer (&entry->settlement, g_free);
    }
  entry->settles = FALSE;
  job->outcome = entry->outcome;
  job->run = (gint64) entry->keys[BY_RUN];
  return TRUE;
}
