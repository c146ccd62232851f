/* SPDX-License-Identifier: MIT */
#include "amps-manifest-private.h"

#include "amps-job-private.h"

G_DEFINE_FINAL_TYPE (AmpsManifest, amps_manifest, G_TYPE_OBJECT)

typedef enum {
  SIGNAL_EXPIRED,
  N_SIGNALS,
} AmpsManifestSignal;

static unsigned int signals[N_SIGNALS];

static void
amps_manifest_finalize (GObject *object)
{
  AmpsManifest *self = AMPS_MANIFEST (object);

  amps_timer_queue_free (self->deadlines);
  amps_run_ids_free (self->runs);
  amps_earlier_runs_free (self->earlier);
  g_hash_table_unref (self->jobs);
  amps_finished_jobs_free (self->finished);
  amps_failures_free (self->failures);
  g_object_unref (self->clock);

  G_OBJECT_CLASS (amps_manifest_parent_class)->finalize (object);
}

static void
amps_manifest_class_init (AmpsManifestClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_manifest_finalize;

  /**
   * AmpsManifest::expired:
   * @self: a manifest
   * @job: a job in flight
   *
   * The deadline of @job has passed, and nothing decided it before. Emitted in
   * the main thread.
   */
  signals[SIGNAL_EXPIRED] = g_signal_new ("expired", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 1, AMPS_TYPE_JOB);
}

static void
amps_manifest_init (AmpsManifest *self)
{
  self->jobs = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->runs = amps_run_ids_new ();
}

static void
manifest_on_deadline (gpointer item, gpointer user_data)
{
  AmpsManifest *self = AMPS_MANIFEST (user_data);
  g_autoptr (AmpsJob) job = g_object_ref (item);

  job->deadline_entry = NULL;
  job->deadline = 0;
  g_signal_emit (self, signals[SIGNAL_EXPIRED], 0, job);
}

/**
 * amps_manifest_new:
 * @clock: what deadlines are measured by
 * @capacity: how many jobs to remember after their end
 *
 * Returns: (transfer full): an empty manifest
 */
AmpsManifest *
amps_manifest_new (AmpsClock *clock, unsigned int capacity)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);

  AmpsManifest *self = g_object_new (AMPS_TYPE_MANIFEST, NULL);

  self->clock = g_object_ref (clock);
  self->finished = amps_finished_jobs_new (capacity);
  self->failures = amps_failures_new (clock);
  self->earlier = amps_earlier_runs_new (capacity);
  self->deadlines = amps_timer_queue_new (clock, "job deadlines", manifest_on_deadline, self);
  return self;
}

/* The one way into another state. */
void
amps_manifest_enter_state (AmpsManifest *self, AmpsJob *job, AmpsJobState state)
{
  self->n_in_workload -= amps_job_is_in_workload (job);
  self->n_running -= job->state == AMPS_JOB_RUNNING;
  job->state = state;
  job->since = amps_clock_get_monotonic_time (self->clock);
  self->n_in_workload += amps_job_is_in_workload (job);
  self->n_running += job->state == AMPS_JOB_RUNNING;
}

static void
insert (AmpsManifest *self, AmpsJob *job)
{
  g_hash_table_insert (self->jobs, job->event->id, g_object_ref (job));
  job->number = ++self->last_number;
  job->link.data = job;
  g_queue_push_tail_link (&self->order, &job->link);
}

/**
 * amps_manifest_is_late_success:
 * @self: a manifest
 * @job: a job that has just been delivered, or waited for another one of its id
 *
 * Such an answer is given once.
 *
 * Returns: whether it is the retry of one that was acknowledged after it had been given
 *   up, so that it need not run
 */
gboolean
amps_manifest_is_late_success (AmpsManifest *self, AmpsJob *job)
{
  return amps_finished_jobs_has_succeeded (self->finished, job,
                                           amps_clock_get_monotonic_time (self->clock));
}

/**
 * amps_manifest_recall:
 * @self: a manifest
 * @job: a job that has just been delivered
 * @settlement: (out caller-allocates): how to settle its delivery; the detail
 *   is (transfer full)
 *
 * Finds out whether @job ended before and came back only because the connection
 * died on its settlement, or because it had been given up before the workload
 * acknowledged it. Then it is in the manifest and decided. A job that comes for the
 * first time makes an earlier one of its id forgotten.
 *
 * Returns: whether its delivery shall be settled instead of run
 */
gboolean
amps_manifest_recall (AmpsManifest *self, AmpsJob *job, AmpsSettlement *settlement)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);
  const char *id = amps_job_get_id (job);

  if (g_hash_table_contains (self->jobs, id))
    return FALSE;

  if (amps_manifest_is_late_success (self, job))
    {
      *settlement = (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE };
      job->outcome = AMPS_OUTCOME_ACKNOWLEDGED;
      insert (self, job);
      amps_manifest_enter_state (self, job, AMPS_JOB_DECIDED);
      return TRUE;
    }

  if (!amps_finished_jobs_recall (self->finished, job, now, settlement))
    {
      if (!job->delivery->redelivered)
        amps_finished_jobs_forget (self->finished, job);
      return FALSE;
    }

  if (job->outcome == AMPS_OUTCOME_NONE)
    {
      job->attempt = settlement->attempt;
      return FALSE;
    }

  insert (self, job);
  amps_manifest_enter_state (self, job, AMPS_JOB_DECIDED);
  return TRUE;
}

/* The copy that @other is to go on as can come before it is known to be there, even by
 * way of another AMPS. If it shared the outcome of @other, which is to make way for it, it
 * would go, too. */
static gboolean
is_successor (AmpsJob *job, AmpsJob *other)
{
  return job->delivery->copy != 0 && job->delivery->copy != other->delivery->copy &&
         other->state == AMPS_JOB_DECIDED && other->outcome != AMPS_OUTCOME_ACKNOWLEDGED &&
         other->outcome != AMPS_OUTCOME_REJECTED;
}

/**
 * amps_manifest_add:
 * @self: a manifest
 * @job: a job that has just been delivered
 *
 * Takes up @job, which is to happen before it is POSTed: a fast workload
 * acknowledges it before its own answer arrives.
 *
 * Returns: what became of it
 */
AmpsAddition
amps_manifest_add (AmpsManifest *self, AmpsJob *job)
{
  AmpsJob *other = g_hash_table_lookup (self->jobs, amps_job_get_id (job));

  if (other == NULL)
    {
      insert (self, job);
      return AMPS_ADDITION_NEW;
    }

  if (!g_bytes_equal (amps_job_get_body (other), amps_job_get_body (job)) ||
      is_successor (job, other))
    {
      g_queue_push_tail (&other->followers, g_object_ref (job));
      return AMPS_ADDITION_FOLLOWS;
    }

  if (other->detached && other->state != AMPS_JOB_DECIDED)
    {
      amps_job_attach (other, job->delivery);
      return AMPS_ADDITION_ATTACHED;
    }

  amps_job_add_duplicate (other, job->delivery);
  return AMPS_ADDITION_DUPLICATE;
}

/**
 * amps_manifest_lookup:
 * @self: a manifest
 * @identifier: an event's id, or an `Amps-Job-Id` of its latest POST
 *
 * Returns: (transfer none) (nullable): the job in flight
 */
AmpsJob *
amps_manifest_lookup (AmpsManifest *self, const char *identifier)
{
  AmpsJob *job = g_hash_table_lookup (self->jobs, identifier);

  return job != NULL ? job : amps_run_ids_lookup (self->runs, identifier);
}

/**
 * amps_manifest_get_n_jobs:
 * @self: a manifest
 *
 * Returns: how many jobs there are, in whatever state
 */
unsigned int
amps_manifest_get_n_jobs (AmpsManifest *self)
{
  return g_hash_table_size (self->jobs);
}

/**
 * amps_manifest_get_n_in_workload:
 * @self: a manifest
 *
 * Returns: how many of MAX_CONCURRENCY places are taken
 */
unsigned int
amps_manifest_get_n_in_workload (AmpsManifest *self)
{
  return self->n_in_workload;
}

/**
 * amps_manifest_get_n_running:
 * @self: a manifest
 *
 * Returns: how many jobs the workload has accepted, and has not finished
 */
unsigned int
amps_manifest_get_n_running (AmpsManifest *self)
{
  return self->n_running;
}

/**
 * amps_manifest_list_after:
 * @self: a manifest
 * @number: the number of a job, which may be gone; 0 for the beginning
 * @max: how many jobs to return at most
 *
 * Returns: (transfer container) (element-type AmpsJob): the jobs with the next higher
 *   numbers, in their order
 */
GPtrArray *
amps_manifest_list_after (AmpsManifest *self, guint64 number, unsigned int max)
{
  GPtrArray *jobs =
      g_ptr_array_new_full (MIN (max, g_hash_table_size (self->jobs)), g_object_unref);
  GList *link = self->order.head;

  while (link != NULL && ((AmpsJob *) link->data)->number <= number)
    link = link->next;
  for (; link != NULL && jobs->len < max; link = link->next)
    g_ptr_array_add (jobs, g_object_ref (link->data));

  return jobs;
}

/**
 * amps_manifest_list:
 * @self: a manifest
 *
 * Returns: (transfer container) (element-type AmpsJob): all jobs, in the order in which
 *   they came
 */
GPtrArray *
amps_manifest_list (AmpsManifest *self)
{
  return amps_manifest_list_after (self, 0, G_MAXUINT);
}

/**
 * amps_manifest_get_failures:
 * @self: a manifest
 *
 * Returns: (transfer none): what failed last; added to by whoever decides so
 */
AmpsFailures *
amps_manifest_get_failures (AmpsManifest *self)
{
  return self->failures;
}

/**
 * amps_manifest_begin_run:
 * @self: a manifest
 * @job: a waiting job
 * @deadline: monotonic µs; 0 for none
 *
 * Says that @job is being POSTed, under a new run id: a late answer of an
 * earlier run can't decide this one.
 */
void
amps_manifest_begin_run (AmpsManifest *self, AmpsJob *job, gint64 deadline)
{
  g_return_if_fail (job->state == AMPS_JOB_WAITING);

  amps_run_ids_begin (self->runs, job);
  amps_manifest_enter_state (self, job, AMPS_JOB_POSTING);
  job->began = job->since;
  job->heartbeat = 0;
  job->n_heartbeats = 0;
  amps_manifest_set_deadline (self, job, deadline);
}

/**
 * amps_manifest_accept:
 * @self: a manifest
 * @job: a job
 *
 * Says that the workload has accepted @job. Changes nothing if an outcome was
 * faster.
 */
void
amps_manifest_accept (AmpsManifest *self, AmpsJob *job)
{
  if (job->state == AMPS_JOB_POSTING)
    amps_manifest_enter_state (self, job, AMPS_JOB_RUNNING);
  else if (job->state == AMPS_JOB_DECIDING)
    job->undecided = AMPS_JOB_RUNNING;
}

/**
 * amps_manifest_end_run:
 * @self: a manifest
 * @job: a job that is being POSTed
 * @attempt: the attempt that its next run is
 * @sent: whether the workload may have it, and may finish it yet
 * @detail: (nullable): why
 *
 * Says that the POST of @job has failed and that it waits for another one.
 */
void
amps_manifest_end_run (AmpsManifest *self, AmpsJob *job, unsigned int attempt, gboolean sent,
                       const char *detail)
{
  g_return_if_fail (amps_job_is_in_workload (job));

  if (sent)
    amps_earlier_runs_add (self->earlier, job);
  g_free (job->detail);
  job->detail = g_strdup (detail);
  job->attempt = attempt;
  job->began = 0;
  amps_manifest_enter_state (self, job, AMPS_JOB_WAITING);
  amps_manifest_set_deadline (self, job, 0);
}

static void
remove_job (AmpsManifest *self, AmpsJob *job)
{
  amps_manifest_set_deadline (self, job, 0);
  self->n_in_workload -= amps_job_is_in_workload (job);
  self->n_running -= job->state == AMPS_JOB_RUNNING;
  amps_run_ids_forget (self->runs, job);
  g_queue_unlink (&self->order, &job->link);
  g_hash_table_remove (self->jobs, job->event->id);
}

/**
 * amps_manifest_finish:
 * @self: a manifest
 * @job: a decided job
 * @settlement: (nullable): how its delivery is to be settled should it come
 *   back only because the connection died; %NULL when it shall run again then
 *
 * Removes @job and remembers how it ended.
 *
 * Returns: (transfer full) (nullable): another job of its id which waited for
 *   this, and which is in the manifest now
 */
AmpsJob *
amps_manifest_finish (AmpsManifest *self, AmpsJob *job, const AmpsSettlement *settlement)
{
  g_autoptr (AmpsJob) next = amps_job_pop_follower (job);

  g_return_val_if_fail (job->state == AMPS_JOB_DECIDED, NULL);

  if (next != NULL)
    {
      next->followers = job->followers;
      g_queue_init (&job->followers);
    }

  if (amps_outcome_is_given_up (job->outcome))
    amps_earlier_runs_add (self->earlier, job);
  amps_finished_jobs_remember (self->finished, job, settlement,
                               amps_clock_get_monotonic_time (self->clock));
  g_object_ref (job);
  remove_job (self, job);
  g_object_unref (job);

  if (next != NULL)
    insert (self, next);
  return g_steal_pointer (&next);
}

/* A job that never came to the workload is nothing without its delivery; only
 * how often it failed must not be lost with it. */
static void
drop_waiting_job (AmpsManifest *self, AmpsJob *job)
{
  if (job->attempt > job->delivery->attempt)
    {
      AmpsSettlement again = { .kind = AMPS_SETTLE_RETRY, .attempt = job->attempt };

      job->detached = TRUE;
      amps_finished_jobs_remember (self->finished, job, &again,
                                   amps_clock_get_monotonic_time (self->clock));
    }

  remove_job (self, job);
}

/**
 * amps_manifest_begin_epoch:
 * @self: a manifest
 *
 * Says that deliveries come again.
 */
void
amps_manifest_begin_epoch (AmpsManifest *self)
{
  amps_finished_jobs_begin_epoch (self->finished, amps_clock_get_monotonic_time (self->clock));
}

/**
 * amps_manifest_end_epoch:
 * @self: a manifest
 * @epoch: an epoch that ended
 *
 * Detaches the jobs of @epoch, whose workloads go on, and drops those that
 * never came to the workload: they will be delivered again.
 *
 * Returns: (transfer full) (element-type AmpsJob): the dropped ones
 */
GPtrArray *
amps_manifest_end_epoch (AmpsManifest *self, unsigned int epoch)
{
  g_autoptr (GPtrArray) jobs = amps_manifest_list (self);
  g_autoptr (GPtrArray) dropped = g_ptr_array_new_with_free_func (g_object_unref);

  amps_finished_jobs_end_epoch (self->finished, epoch, amps_clock_get_monotonic_time (self->clock));
  for (unsigned int i = 0; i < jobs->len; i++)
    {
      AmpsJob *job = g_ptr_array_index (jobs, i);

      /* They are of the same connection, or of one that died even before. */
      g_clear_pointer (&job->duplicates, g_ptr_array_unref);
      g_queue_clear_full (&job->followers, g_object_unref);

      if (job->state == AMPS_JOB_WAITING)
        {
          g_ptr_array_add (dropped, g_object_ref (job));
          drop_waiting_job (self, job);
        }
      else
        {
          job->detached = TRUE;
        }
    }

  return g_steal_pointer (&dropped);
}
