/* SPDX-License-Identifier: MIT */
#include "amps-sender.h"

#include "amps-batch-answer.h"
#include "base/amps-error.h"
#include "base/amps-timer-queue.h"
#include "jobs/amps-job-log.h"

struct _AmpsSender {
  GObject parent_instance;

  AmpsConfig *config;        /* (owned) */
  AmpsClock *clock;          /* (owned) */
  AmpsWorkload *workload;    /* (owned) */
  AmpsManifest *manifest;    /* (owned) */
  AmpsMetrics *metrics;      /* (owned) */
  AmpsLifecycle *lifecycle;  /* (owned) */
  AmpsRefusals *refusals;    /* (owned) */
  AmpsTracer *tracer;        /* (owned) (nullable) */
  GCancellable *cancellable; /* (owned) */

  GQueue waiting;       /* (owned) of AmpsJob, next one first */
  AmpsTimerQueue *held; /* (owned) of (owned) AmpsJob that may not run yet */
  GHashTable *alone;    /* (owned) of AmpsJob that must not be in a batch */
  GSource *batch_timer; /* (owned) due when a small batch has waited long enough */
  unsigned int max_concurrency;
  unsigned int batch_size;

  AmpsSenderAnswered answered; /* (nullable) */
  gpointer answered_data;
};

G_DEFINE_FINAL_TYPE (AmpsSender, amps_sender, G_TYPE_OBJECT)

typedef struct {
  AmpsSender *sender;   /* (owned) */
  GPtrArray *jobs;      /* (owned) of AmpsJob */
  AmpsPostTrace *trace; /* (owned) (nullable) */
  gboolean trial;       /* whether the workload accepts any */
} Request;

static void
sender_request_free (Request *request)
{
  g_clear_pointer (&request->trace, amps_post_trace_free);
  g_object_unref (request->sender);
  g_ptr_array_unref (request->jobs);
  g_free (request);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, sender_request_free)

static void
amps_sender_dispose (GObject *object)
{
  AmpsSender *self = AMPS_SENDER (object);

  g_cancellable_cancel (self->cancellable);
  amps_sender_clear (self);

  G_OBJECT_CLASS (amps_sender_parent_class)->dispose (object);
}

static void
amps_sender_finalize (GObject *object)
{
  AmpsSender *self = AMPS_SENDER (object);

  amps_timer_free (self->batch_timer);
  g_queue_clear_full (&self->waiting, g_object_unref);
  amps_timer_queue_free (self->held);
  g_hash_table_unref (self->alone);
  g_object_unref (self->cancellable);
  g_clear_object (&self->tracer);
  g_object_unref (self->refusals);
  g_object_unref (self->lifecycle);
  g_object_unref (self->metrics);
  g_object_unref (self->manifest);
  g_object_unref (self->workload);
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_sender_parent_class)->finalize (object);
}

static void
amps_sender_class_init (AmpsSenderClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = amps_sender_dispose;
  object_class->finalize = amps_sender_finalize;
}

static void
amps_sender_init (AmpsSender *self)
{
  self->cancellable = g_cancellable_new ();
  self->alone = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);
}

static void
on_held_due (gpointer item, gpointer user_data)
{
  AmpsSender *self = AMPS_SENDER (user_data);

  g_queue_push_tail (&self->waiting, item);
  amps_sender_send (self);
}

static gboolean
on_batch_timer (gpointer user_data)
{
  amps_sender_send (AMPS_SENDER (user_data));
  return G_SOURCE_CONTINUE;
}

/**
 * amps_sender_new:
 * @config: the settings
 * @clock: what waits are measured by
 * @workload: where jobs are sent
 * @manifest: where the jobs are
 * @metrics: what counts them
 * @lifecycle: whether nothing is to be sent
 * @refusals: whether the workload refuses all
 * @tracer: (nullable): who records what is sent
 *
 * Returns: (transfer full): a sender with nothing to send
 */
AmpsSender *
amps_sender_new (AmpsConfig *config, AmpsClock *clock, AmpsWorkload *workload,
                 AmpsManifest *manifest, AmpsMetrics *metrics, AmpsLifecycle *lifecycle,
                 AmpsRefusals *refusals, AmpsTracer *tracer)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_WORKLOAD (workload), NULL);
  g_return_val_if_fail (AMPS_IS_MANIFEST (manifest), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);
  g_return_val_if_fail (AMPS_IS_LIFECYCLE (lifecycle), NULL);
  g_return_val_if_fail (AMPS_IS_REFUSALS (refusals), NULL);
  g_return_val_if_fail (tracer == NULL || AMPS_IS_TRACER (tracer), NULL);

  AmpsSender *self = g_object_new (AMPS_TYPE_SENDER, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->workload = g_object_ref (workload);
  self->manifest = g_object_ref (manifest);
  self->metrics = g_object_ref (metrics);
  self->lifecycle = g_object_ref (lifecycle);
  self->refusals = g_object_ref (refusals);
  g_set_object (&self->tracer, tracer);
  self->max_concurrency = amps_config_get_max_concurrency (config);
  self->batch_size = amps_config_get_workload_batch_size (config);
  self->held = amps_timer_queue_new (clock, "jobs that may not run yet", on_held_due, self);
  self->batch_timer = amps_clock_attach_timer (clock, "batch", on_batch_timer, self);
  g_signal_connect_object (workload, "notify::available", G_CALLBACK (amps_sender_send), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (lifecycle, "changed", G_CALLBACK (amps_sender_send), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (refusals, "changed", G_CALLBACK (amps_sender_send), self,
                           G_CONNECT_SWAPPED);
  return self;
}

/**
 * amps_sender_set_answered:
 * @self: a sender
 * @answered: (nullable) (scope forever): called with each job that was sent, and what its
 *   answer means
 * @user_data: passed to @answered
 */
void
amps_sender_set_answered (AmpsSender *self, AmpsSenderAnswered answered, gpointer user_data)
{
  self->answered = answered;
  self->answered_data = user_data;
}

static void
sender_tell (AmpsSender *self, AmpsJob *job, const AmpsVerdict *verdict)
{
  if (self->answered != NULL)
    self->answered (job, verdict, self->answered_data);
}

static void
tell_each (AmpsSender *self, GPtrArray *jobs, const AmpsVerdict *verdict)
{
  for (unsigned int i = 0; i < jobs->len; i++)
    sender_tell (self, g_ptr_array_index (jobs, i), verdict);
}

/* One bad event must not take the others of its batch with it. */
static void
send_each_alone (AmpsSender *self, GPtrArray *jobs)
{
  AmpsVerdict undecided = { .kind = AMPS_VERDICT_UNREACHED, .retry_after = -1 };

  for (unsigned int i = jobs->len; i > 0; i--)
    {
      AmpsJob *job = g_ptr_array_index (jobs, i - 1);

      g_hash_table_add (self->alone, g_object_ref (job));
      sender_tell (self, job, &undecided);
      if (amps_job_get_state (job) != AMPS_JOB_WAITING)
        g_hash_table_remove (self->alone, job);
    }
}

/* The answer is the outcome of each job in the batch. */
static void
tell_outcomes (AmpsSender *self, GPtrArray *jobs, const AmpsAnswer *answer)
{
  g_autoptr (GError) error = answer->problem != NULL ? g_error_copy (answer->problem) : NULL;
  g_autoptr (GHashTable) failures = NULL;
  AmpsVerdict done = { .kind = AMPS_VERDICT_DONE, .retry_after = -1 };

  if (error == NULL)
    failures = amps_batch_answer_parse (answer->body, jobs, &error);
  if (failures == NULL)
    {
      AmpsVerdict retry = { AMPS_VERDICT_RETRY, TRUE, answer->retry_after, NULL, error->message };

      tell_each (self, jobs, &retry);
      return;
    }

  for (unsigned int i = 0; i < jobs->len; i++)
    {
      AmpsJob *job = g_ptr_array_index (jobs, i);
      const AmpsBatchFailure *failure = g_hash_table_lookup (failures, job);
      AmpsVerdict failed = { .reason = "rejected", .retry_after = -1 };

      if (failure == NULL)
        {
          sender_tell (self, job, &done);
          continue;
        }

      failed.kind = failure->reschedule ? AMPS_VERDICT_RESCHEDULED : AMPS_VERDICT_REJECTED;
      failed.detail = failure->reason;
      failed.summary = "the workload's answer to the batch says so";
      sender_tell (self, job, &failed);
    }
}

static void
sender_on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  AmpsSender *self = request->sender;
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsAnswer) answer =
      amps_workload_send_finish (AMPS_WORKLOAD (source), result, &error);
  g_autofree char *detail = NULL;
  g_autofree char *summary = NULL;

  /* Cancelled: the process is ending. */
  if (answer == NULL)
    return;

  if (self->tracer != NULL)
    amps_tracer_end_post (self->tracer, g_steal_pointer (&request->trace), answer->status,
                          amps_answer_kind_to_string (answer->kind));

  AmpsVerdict verdict =
      amps_verdict_from_answer (answer, amps_config_get_workload_mode (self->config));

  if (answer->status / 100 == 2 || verdict.kind == AMPS_VERDICT_ACCEPTED)
    amps_refusals_accept (self->refusals);

  if (verdict.detail == NULL && verdict.kind != AMPS_VERDICT_ACCEPTED &&
      verdict.kind != AMPS_VERDICT_DONE)
    {
      verdict.detail = detail = amps_verdict_describe_answer (answer);
      verdict.summary = summary = amps_verdict_summarize_answer (answer);
    }

  if (self->batch_size > 1 && (verdict.kind == AMPS_VERDICT_DONE || answer->problem != NULL))
    tell_outcomes (self, request->jobs, answer);
  else if (request->jobs->len > 1 && verdict.kind == AMPS_VERDICT_REJECTED)
    send_each_alone (self, request->jobs);
  else
    tell_each (self, request->jobs, &verdict);

  if (request->trial)
    amps_refusals_end_trial (self->refusals,
                             answer->status / 100 == 4 && verdict.refused_with == 0);
  amps_sender_send (self);
}

/* Drops what was decided while it waited. A job that is just being decided keeps
 * its place. */
static GList *
sender_find_next (AmpsSender *self)
{
  GList *next;

  for (GList *l = self->waiting.head; l != NULL; l = next)
    {
      AmpsJob *job = l->data;

      next = l->next;
      if (amps_job_get_state (job) == AMPS_JOB_WAITING)
        return l;
      if (amps_job_get_state (job) == AMPS_JOB_DECIDING)
        continue;

      g_queue_delete_link (&self->waiting, l);
      g_hash_table_remove (self->alone, job);
      g_object_unref (job);
    }

  return NULL;
}

/* A batch is not larger than the largest job may be: the workload has to hold
 * either in memory. */
static GPtrArray *
pop_batch (AmpsSender *self, unsigned int size)
{
  GPtrArray *jobs = g_ptr_array_new_full (size, g_object_unref);
  gsize max_length = amps_config_get_max_body_size (self->config);
  gsize length = 1;
  gboolean alone = FALSE;
  GList *next;

  while (jobs->len < size && !alone && (next = sender_find_next (self)) != NULL)
    {
      AmpsJob *job = next->data;

      length += g_bytes_get_size (amps_job_get_body (job)) + 1;
      if (jobs->len > 0 && (length > max_length || g_hash_table_contains (self->alone, job)))
        break;

      alone = g_hash_table_remove (self->alone, job);
      g_ptr_array_add (jobs, job);
      g_queue_delete_link (&self->waiting, next);
    }

  return jobs;
}

static void
post (AmpsSender *self, GPtrArray *jobs, gboolean trial)
{
  gint64 deadline = amps_manifest_get_new_deadline (self->manifest, 0);
  Request *request = g_new (Request, 1);

  for (unsigned int i = 0; i < jobs->len; i++)
    {
      AmpsJob *job = g_ptr_array_index (jobs, i);

      amps_manifest_begin_run (self->manifest, job, deadline);
      amps_log_job (DEBUG, JOB_POSTED, job, NULL, "Job is POSTed as %s, attempt %u",
                    amps_job_get_run_id (job), amps_job_get_attempt (job));
    }

  request->sender = g_object_ref (self);
  request->jobs = jobs;
  request->trial = trial;
  request->trace = self->tracer != NULL ? amps_tracer_begin_post (self->tracer, jobs) : NULL;
  amps_workload_send_async (self->workload, jobs, self->cancellable, sender_on_answer, request);
}

static unsigned int
get_n_places (AmpsSender *self)
{
  unsigned int in_workload = amps_manifest_get_n_in_workload (self->manifest);

  return self->max_concurrency - MIN (in_workload, self->max_concurrency);
}

/* How many jobs to send at once now: 0 while a batch had better wait for more. */
static unsigned int
get_batch_size (AmpsSender *self)
{
  unsigned int places = get_n_places (self);
  unsigned int full = MIN (self->batch_size, self->max_concurrency);
  GList *first = sender_find_next (self);
  gint64 due;

  if (first == NULL || places == 0)
    return 0;
  if (full == 1 || g_hash_table_contains (self->alone, first->data))
    return 1;
  if (self->waiting.length >= full && places >= full)
    return full;

  due = amps_job_get_since (first->data) + amps_config_get_workload_batch_wait (self->config);
  if (due <= amps_clock_get_monotonic_time (self->clock))
    return MIN (places, full);

  amps_timer_set_due (self->batch_timer, due);
  return 0;
}

static gboolean
may_send (AmpsSender *self)
{
  return !amps_lifecycle_is_draining (self->lifecycle) &&
         amps_workload_get_available (self->workload);
}

/* One job alone, while the workload refuses all. */
static void
try_one (AmpsSender *self)
{
  g_autoptr (GPtrArray) jobs = NULL;

  if (sender_find_next (self) == NULL)
    {
      amps_refusals_want_jobs (self->refusals);
      return;
    }
  if (get_n_places (self) == 0 || !amps_refusals_begin_trial (self->refusals))
    return;

  jobs = pop_batch (self, 1);
  post (self, g_steal_pointer (&jobs), TRUE);
}

/**
 * amps_sender_send:
 * @self: a sender
 *
 * Sends what may be sent. To be called whenever a place may have become free.
 */
void
amps_sender_send (AmpsSender *self)
{
  unsigned int size;

  while (may_send (self) && !amps_refusals_is_closed (self->refusals) &&
         (size = get_batch_size (self)) > 0)
    {
      g_autoptr (GPtrArray) jobs = pop_batch (self, size);

      if (jobs->len > 0)
        post (self, g_steal_pointer (&jobs), FALSE);
    }

  if (may_send (self) && amps_refusals_is_closed (self->refusals))
    try_one (self);
}

/**
 * amps_sender_add:
 * @self: a sender
 * @job: a waiting job
 * @not_before: monotonic µs; 0 for as soon as there is a place
 *
 * Adds @job to those to be sent.
 */
void
amps_sender_add (AmpsSender *self, AmpsJob *job, gint64 not_before)
{
  g_object_ref (job);

  if (not_before > amps_clock_get_monotonic_time (self->clock))
    {
      amps_timer_queue_add (self->held, not_before, job);
      return;
    }

  g_queue_push_tail (&self->waiting, job);
  amps_sender_send (self);
}

/**
 * amps_sender_add_first:
 * @self: a sender
 * @job: a waiting job
 *
 * Adds @job before all others, but leaves it to amps_sender_send() to send it.
 */
void
amps_sender_add_first (AmpsSender *self, AmpsJob *job)
{
  g_queue_push_head (&self->waiting, g_object_ref (job));
}

/**
 * amps_sender_clear:
 * @self: a sender
 *
 * Drops all that has not been sent, because it is lost or to be given back, but
 * for what is just being decided.
 */
void
amps_sender_clear (AmpsSender *self)
{
  g_autoptr (GPtrArray) held = amps_timer_queue_take_all (self->held);
  GQueue waiting = self->waiting;
  AmpsJob *job;

  g_queue_init (&self->waiting);
  for (unsigned int i = 0; i < held->len; i++)
    g_queue_push_tail (&waiting, g_ptr_array_index (held, i));

  while ((job = g_queue_pop_head (&waiting)) != NULL)
    {
      if (amps_job_get_state (job) == AMPS_JOB_DECIDING)
        {
          g_queue_push_tail (&self->waiting, job);
          continue;
        }

      g_hash_table_remove (self->alone, job);
      g_object_unref (job);
    }
}

/**
 * amps_sender_set_max_concurrency:
 * @self: a sender
 * @max_concurrency: how many jobs may be in the workload, over 0
 */
void
amps_sender_set_max_concurrency (AmpsSender *self, unsigned int max_concurrency)
{
  self->max_concurrency = max_concurrency;
  amps_sender_send (self);
}
