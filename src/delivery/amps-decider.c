/* SPDX-License-Identifier: MIT */
#include "amps-decider-private.h"

#include "amps-attempts.h"
#include "base/amps-error.h"
#include "jobs/amps-job-log.h"

G_DEFINE_FINAL_TYPE (AmpsDecider, amps_decider, G_TYPE_OBJECT)

typedef enum {
  SIGNAL_EXPIRED,
  N_SIGNALS,
} AmpsDeciderSignal;

static unsigned int signals[N_SIGNALS];

static void
amps_decider_finalize (GObject *object)
{
  AmpsDecider *self = AMPS_DECIDER (object);

  g_hash_table_unref (self->late);
  g_clear_object (&self->tracer);
  g_object_unref (self->refusals);
  g_object_unref (self->lifecycle);
  g_object_unref (self->publisher);
  g_object_unref (self->settler);
  amps_sender_set_answered (self->sender, NULL, NULL);
  g_object_unref (self->sender);
  g_object_unref (self->metrics);
  g_object_unref (self->manifest);
  g_object_unref (self->broker);
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_decider_parent_class)->finalize (object);
}

static void
amps_decider_class_init (AmpsDeciderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_decider_finalize;

  /**
   * AmpsDecider::expired:
   * @self: a decider
   * @job: a job that is tried again, or given up
   * @reason: a static word
   *
   * No outcome came in time, or none can come.
   */
  signals[SIGNAL_EXPIRED] =
      g_signal_new ("expired", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 2, AMPS_TYPE_JOB, G_TYPE_STRING);
}

static void
amps_decider_init (AmpsDecider *self)
{
  self->late = amps_decider_new_late ();
}

/* @error_type: (nullable): a static word for what went wrong */
static void
trace_end (AmpsDecider *self, AmpsJob *job, const char *outcome, const char *error_type)
{
  if (self->tracer != NULL)
    amps_tracer_end_run (self->tracer, job, outcome, error_type);
}

static void
decider_observe (AmpsDecider *self, AmpsJob *job, AmpsHistogram histogram, gint64 duration)
{
  AmpsTraceContext trace;
  gboolean traced = amps_job_find_trace_context (job, &trace);

  amps_metrics_observe (self->metrics, histogram, duration, traced ? &trace : NULL);
}

/* Each end of a run is counted here, once, as is that of a job which never ran.
 * @reason: (nullable): why, if that is a failure */
static void
count_end (AmpsDecider *self, AmpsJob *job, AmpsOutcome outcome, const char *reason)
{
  gint64 began = amps_job_get_began (job);

  amps_metrics_count_outcome (self->metrics, outcome);
  if (began != 0)
    decider_observe (self, job, AMPS_HISTOGRAM_JOB_DURATION,
                     amps_clock_get_monotonic_time (self->clock) - began);
  trace_end (self, job, amps_outcome_to_string (outcome), reason);
}

/* @outcome: what the end counts as: the last expiry is one, though the job is rejected. */
static void
decider_settle (AmpsDecider *self, AmpsJob *job, AmpsOutcome outcome,
                const AmpsSettlement *settlement)
{
  amps_log_job (DEBUG, JOB_ENDED, job, NULL, "Job %s",
                amps_outcome_to_string (amps_job_get_outcome (job)));
  count_end (self, job, outcome, settlement->reason);

  amps_settler_settle (self->settler, job, settlement);
  amps_sender_send (self->sender);
}

/* Of a job that was decided so. */
void
amps_decider_end_acknowledged (AmpsDecider *self, AmpsJob *job)
{
  AmpsSettlement settlement = { .kind = AMPS_SETTLE_ACKNOWLEDGE };

  amps_metrics_increment (self->metrics, AMPS_COUNTER_WORKLOADS_ACKNOWLEDGED);
  decider_settle (self, job, AMPS_OUTCOME_ACKNOWLEDGED, &settlement);
}

static void
decider_note_failure (AmpsDecider *self, AmpsJob *job, AmpsOutcome outcome, const char *reason,
                      const char *detail)
{
  amps_failures_add (amps_manifest_get_failures (self->manifest), job, outcome, reason, detail);
}

/* @summary: (nullable): what is logged of @detail */
static void
reject_decided (AmpsDecider *self, AmpsJob *job, AmpsOutcome outcome, const char *reason,
                const char *detail, const char *summary)
{
  AmpsSettlement settlement = {
    .kind = AMPS_SETTLE_DEAD_LETTER,
    .attempt = amps_job_get_attempt (job),
    .reason = reason,
    .detail = (char *) detail,
  };

  amps_log_job (WARNING, JOB_REJECTED, job, reason, "Rejected a job (%s): %s", reason,
                summary != NULL ? summary : "no reason given");
  decider_note_failure (self, job, AMPS_OUTCOME_REJECTED, reason, detail);
  decider_settle (self, job, outcome, &settlement);
}

/* Of a job that was decided so. @detail: (nullable): why, for people */
void
amps_decider_end_rejected (AmpsDecider *self, AmpsJob *job, const char *detail)
{
  amps_metrics_increment (self->metrics, AMPS_COUNTER_WORKLOADS_REJECTED);
  reject_decided (self, job, AMPS_OUTCOME_REJECTED, "rejected", detail, detail);
}

/* Of a job that was decided so. @delay: µs it shall wait; 0 for none */
void
amps_decider_end_rescheduled (AmpsDecider *self, AmpsJob *job, gint64 delay)
{
  AmpsSettlement settlement = {
    .kind = AMPS_SETTLE_RETRY,
    .attempt = amps_job_get_attempt (job),
    .delay = delay,
  };

  /* What comes back at once for the second time must not spin. */
  if (delay == 0 && amps_job_get_delivery (job)->redelivered)
    settlement.delay = amps_config_get_retry_min_backoff (self->config);
  if (settlement.delay == 0)
    settlement.kind = AMPS_SETTLE_REQUEUE;

  decider_settle (self, job, AMPS_OUTCOME_RESCHEDULED, &settlement);
}

/* One that was decided so. */
static void
release (AmpsDecider *self, AmpsJob *job)
{
  AmpsSettlement settlement = { .kind = AMPS_SETTLE_REQUEUE };

  /* Only a copy can tell the next one how often it has failed. */
  if (amps_job_get_attempt (job) > amps_job_get_delivery (job)->attempt)
    {
      settlement.kind = AMPS_SETTLE_RETRY;
      settlement.attempt = amps_job_get_attempt (job);
      settlement.delay = AMPS_SETTLER_SHORT_DELAY;
    }

  decider_settle (self, job, AMPS_OUTCOME_RELEASED, &settlement);
}

/**
 * amps_decider_release:
 * @self: a decider
 * @job: a job
 *
 * Gives @job back, if it has no outcome yet.
 */
void
amps_decider_release (AmpsDecider *self, AmpsJob *job)
{
  if (amps_manifest_decide (self->manifest, job, AMPS_OUTCOME_RELEASED))
    release (self, job);
}

/* Finds out whether the broker has given the job to another consumer, as far as is
 * known. Then the workload is told so, and its run is over: it may undo what it has
 * done, so the job runs anew even if it comes here again.
 *
 * Returns: whether not; else @error is %AMPS_ERROR_NOT_FOUND */
gboolean
amps_decider_check_lease (AmpsDecider *self, const char *identifier, GError **error)
{
  g_autoptr (AmpsJob) job = NULL;

  if (!amps_broker_has_leases (self->broker))
    return TRUE;

  g_set_object (&job, amps_manifest_find (self->manifest, identifier));
  if (job == NULL || amps_broker_is_leased (self->broker, amps_job_get_delivery (job)))
    return TRUE;

  /* One that was never POSTed has gone with its delivery; one that is being decided, or
   * has an outcome, keeps it. */
  if (amps_manifest_find (self->manifest, identifier) == job)
    {
      if (!amps_manifest_decide (self->manifest, job, AMPS_OUTCOME_RELEASED))
        return TRUE;
      release (self, job);
    }

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_NOT_FOUND,
               "job “%s” is not in flight here: its lease has ended, and another process may "
               "have it",
               identifier);
  return FALSE;
}

/**
 * amps_decider_release_followers:
 * @self: a decider
 * @job: a job
 *
 * Gives back those that wait for @job to end.
 */
void
amps_decider_release_followers (AmpsDecider *self, AmpsJob *job)
{
  AmpsSettlement settlement = { .kind = AMPS_SETTLE_REQUEUE };
  AmpsJob *follower;

  while ((follower = amps_job_pop_follower (job)) != NULL)
    {
      count_end (self, follower, AMPS_OUTCOME_RELEASED, NULL);
      amps_settler_settle (self->settler, follower, &settlement);
      g_object_unref (follower);
    }
}

/* @summary: (nullable): what is logged of @detail */
static void
decider_reject (AmpsDecider *self, AmpsJob *job, const char *reason, const char *detail,
                const char *summary)
{
  if (!amps_manifest_decide (self->manifest, job, AMPS_OUTCOME_REJECTED))
    return;

  amps_metrics_increment (self->metrics, AMPS_COUNTER_WORKLOADS_REJECTED);
  reject_decided (self, job, AMPS_OUTCOME_REJECTED, reason, detail, summary);
}

static const char *
get_summary (const AmpsVerdict *verdict)
{
  return verdict->summary != NULL ? verdict->summary : verdict->detail;
}

/* A job that has used all its attempts: @outcome and @reason are how the last one ended. */
static void
decider_give_up (AmpsDecider *self, AmpsJob *job, AmpsOutcome outcome, const char *reason,
                 const char *detail, const char *summary)
{
  if (amps_manifest_decide (self->manifest, job, AMPS_OUTCOME_REJECTED))
    reject_decided (self, job, outcome, reason, detail, summary);
}

/* Failures */

static void
retry_at_broker (AmpsDecider *self, AmpsJob *job, AmpsOutcome outcome, unsigned int attempt,
                 gint64 delay, const char *reason, const char *detail)
{
  AmpsSettlement settlement = {
    .kind = AMPS_SETTLE_RETRY,
    .reason = reason,
    .attempt = attempt,
    .delay = MAX (delay, AMPS_SETTLER_SHORT_DELAY),
    .detail = (char *) detail,
  };

  if (!amps_manifest_decide (self->manifest, job, outcome))
    return;

  decider_note_failure (self, job, outcome, reason, detail);
  decider_settle (self, job, outcome, &settlement);
}

static void
retry_in_slot (AmpsDecider *self, AmpsJob *job, unsigned int attempt, gint64 delay,
               const char *detail)
{
  count_end (self, job, AMPS_OUTCOME_RETRIED, "status");
  decider_note_failure (self, job, AMPS_OUTCOME_RETRIED, "status", detail);
  amps_manifest_end_run (self->manifest, job, attempt, TRUE, detail);
  amps_sender_add (self->sender, job, amps_clock_get_monotonic_time (self->clock) + delay);
}

static void
log_failure (AmpsJob *job, const AmpsVerdict *verdict, gint64 delay)
{
  unsigned int attempt = amps_job_get_attempt (job);
  double seconds = (double) delay / G_USEC_PER_SEC;

  /* The workload would do better to answer first, and somebody must be told so. */
  if (verdict->timed_out)
    amps_log_job (WARNING, JOB_FAILED, job, NULL, "Attempt %u failed, next one in %.1f s: %s",
                  attempt, seconds, get_summary (verdict));
  else
    amps_log_job (INFO, JOB_FAILED, job, NULL, "Attempt %u failed, next one in %.1f s: %s", attempt,
                  seconds, get_summary (verdict));
}

static void
retry (AmpsDecider *self, AmpsJob *job, const AmpsVerdict *verdict)
{
  unsigned int attempt = amps_job_get_attempt (job) + (verdict->blames ? 1 : 0);
  gint64 delay = amps_attempts_draw_delay (self->config, job, verdict->retry_after);

  if (verdict->blames && amps_attempts_are_used_up (self->config, job))
    {
      decider_give_up (self, job, AMPS_OUTCOME_REJECTED, "max-attempts", verdict->detail,
                       get_summary (verdict));
      return;
    }

  log_failure (job, verdict, delay);
  if (delay < AMPS_SETTLER_SHORT_DELAY && !amps_job_is_detached (job) &&
      !amps_lifecycle_is_draining (self->lifecycle))
    retry_in_slot (self, job, attempt, delay, verdict->detail);
  else
    retry_at_broker (self, job, AMPS_OUTCOME_RETRIED, attempt, delay, "status", verdict->detail);
}

/**
 * amps_decider_expire:
 * @self: a decider
 * @job: a job whose workload will not give it an outcome any more
 * @reason: a static word, for copies
 * @detail: why, for people
 *
 * Frees the place of @job, and tries it again if it may be.
 */
void
amps_decider_expire (AmpsDecider *self, AmpsJob *job, const char *reason, const char *detail)
{
  g_autoptr (AmpsJob) kept = g_object_ref (job);

  /* The message of one that is detached may run elsewhere by now. */
  if (!amps_job_is_detached (job))
    amps_log_job (WARNING, JOB_EXPIRED, job, reason, "Job expired: %s", detail);
  if (amps_attempts_are_used_up (self->config, job))
    decider_give_up (self, job, AMPS_OUTCOME_EXPIRED, reason, detail, detail);
  else
    retry_at_broker (self, job, AMPS_OUTCOME_EXPIRED, amps_job_get_attempt (job) + 1,
                     amps_attempts_draw_delay (self->config, job, -1), reason, detail);

  g_signal_emit (self, signals[SIGNAL_EXPIRED], 0, kept, reason);
}

static void
decider_on_expired (AmpsManifest *manifest G_GNUC_UNUSED, AmpsJob *job, AmpsDecider *self)
{
  amps_decider_expire (self, job, "expired", "no outcome came in time");
}

/* Whether @job may wait here to be sent. */
gboolean
amps_decider_may_wait (AmpsDecider *self, AmpsJob *job)
{
  return !amps_job_is_detached (job) && !amps_lifecycle_is_draining (self->lifecycle);
}

/* The workload has not seen the job by itself, so it simply waits on. */
static void
keep_unreached (AmpsDecider *self, AmpsJob *job, const char *detail)
{
  if (!amps_decider_may_wait (self, job))
    {
      amps_decider_release (self, job);
      return;
    }

  trace_end (self, job, "unreached", "unreached");
  amps_manifest_end_run (self->manifest, job, amps_job_get_attempt (job), FALSE, detail);
  amps_sender_add_first (self->sender, job);
}

/* Nor is it to blame for a wrong address; another one may be tried first. */
static void
keep_refused (AmpsDecider *self, AmpsJob *job, const char *detail)
{
  if (!amps_decider_may_wait (self, job))
    {
      amps_decider_release (self, job);
      return;
    }

  trace_end (self, job, "refused", "refused");
  amps_manifest_end_run (self->manifest, job, amps_job_get_attempt (job), FALSE, detail);
  amps_sender_add (self->sender, job, 0);
}

/* Answers of the workload */

static void
on_answer_acknowledged (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AmpsDecider *self = AMPS_DECIDER (source);
  g_autoptr (AmpsJob) job = AMPS_JOB (user_data);
  g_autoptr (GError) error = NULL;

  /* The API may have been faster again. */
  if (amps_decider_acknowledge_finish (self, result, &error) ||
      amps_job_get_state (job) != AMPS_JOB_POSTING)
    {
      amps_manifest_accept (self->manifest, job);
      return;
    }

  if (g_error_matches (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE))
    {
      AmpsVerdict verdict = { AMPS_VERDICT_RETRY, .retry_after = -1, .detail = error->message };

      retry (self, job, &verdict);
    }
  else
    {
      decider_reject (self, job, "rejected", error->message, error->message);
    }
}

static void
publish_answer (AmpsDecider *self, AmpsJob *job, GBytes *event)
{
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  g_ptr_array_add (events, g_bytes_ref (event));
  amps_decider_acknowledge_async (self, amps_job_get_id (job), events, NULL, NULL,
                                  on_answer_acknowledged, g_object_ref (job));
}

/**
 * amps_decider_set_accepted:
 * @self: a decider
 * @accepted: (nullable) (scope forever): called when the workload has accepted a job, which
 *   it goes on with after its answer
 * @user_data: passed to @accepted
 */
void
amps_decider_set_accepted (AmpsDecider *self, AmpsDeciderAccepted accepted, gpointer user_data)
{
  self->accepted = accepted;
  self->accepted_data = user_data;
}

/* An acknowledgement that was faster than the answer has accepted the job, too. */
static void
note_accepted (AmpsDecider *self, AmpsJob *job)
{
  AmpsOutcome outcome = amps_job_get_outcome (job);

  amps_manifest_accept (self->manifest, job);
  if (outcome == AMPS_OUTCOME_NONE || outcome == AMPS_OUTCOME_ACKNOWLEDGED)
    decider_observe (self, job, AMPS_HISTOGRAM_DELIVERY_LATENCY,
                     amps_job_get_since (job) - amps_job_get_delivery (job)->received);
  if (self->accepted != NULL)
    self->accepted (self->accepted_data);
}

static void
decider_on_answered (AmpsJob *job, const AmpsVerdict *verdict, gpointer user_data)
{
  AmpsDecider *self = user_data;
  AmpsJobState state = amps_job_get_state (job);

  amps_log_job (DEBUG, JOB_ANSWERED, job, NULL, "Job is answered: %s",
                amps_verdict_kind_to_string (verdict->kind));
  if (verdict->kind == AMPS_VERDICT_ACCEPTED)
    note_accepted (self, job);

  /* An outcome that came through the API counts, whatever the answer is. */
  if (state != AMPS_JOB_POSTING)
    {
      if (amps_job_get_outcome (job) == AMPS_OUTCOME_ACKNOWLEDGED)
        amps_refusals_accept (self->refusals);
      amps_manifest_accept (self->manifest, job);
      return;
    }

  if (verdict->refused_with != 0 &&
      amps_refusals_refuse (self->refusals, job, verdict->refused_with))
    {
      keep_refused (self, job, verdict->detail);
      return;
    }

  switch (verdict->kind)
    {
    case AMPS_VERDICT_ACCEPTED:
      break;
    case AMPS_VERDICT_DONE:
      if (verdict->event != NULL)
        publish_answer (self, job, verdict->event);
      else if (amps_manifest_decide (self->manifest, job, AMPS_OUTCOME_ACKNOWLEDGED))
        amps_decider_end_acknowledged (self, job);
      break;
    case AMPS_VERDICT_RETRY:
      retry (self, job, verdict);
      break;
    case AMPS_VERDICT_RESCHEDULED:
      if (amps_manifest_decide (self->manifest, job, AMPS_OUTCOME_RESCHEDULED))
        amps_decider_end_rescheduled (self, job, 0);
      break;
    case AMPS_VERDICT_REJECTED:
      decider_reject (self, job, verdict->reason, verdict->detail, get_summary (verdict));
      break;
    case AMPS_VERDICT_UNREACHED:
      keep_unreached (self, job, verdict->detail);
      break;
    default:
      g_return_if_reached ();
    }
}

/**
 * amps_decider_new:
 * @config: the settings
 * @clock: what time is measured by
 * @broker: whose leases end
 * @manifest: where the jobs are
 * @metrics: what counts their outcomes
 * @sender: who sends jobs, and tells what was answered
 * @settler: who tells the broker
 * @publisher: who publishes answers of the workload
 * @lifecycle: whether jobs must not wait here
 * @refusals: tells a wrong address from a bad job
 * @tracer: (nullable): who records how jobs end
 *
 * Returns: (transfer full): a decider
 */
AmpsDecider *
amps_decider_new (AmpsConfig *config, AmpsClock *clock, AmpsBroker *broker, AmpsManifest *manifest,
                  AmpsMetrics *metrics, AmpsSender *sender, AmpsSettler *settler,
                  AmpsPublisher *publisher, AmpsLifecycle *lifecycle, AmpsRefusals *refusals,
                  AmpsTracer *tracer)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_BROKER (broker), NULL);
  g_return_val_if_fail (AMPS_IS_MANIFEST (manifest), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);
  g_return_val_if_fail (AMPS_IS_SENDER (sender), NULL);
  g_return_val_if_fail (AMPS_IS_SETTLER (settler), NULL);
  g_return_val_if_fail (AMPS_IS_PUBLISHER (publisher), NULL);
  g_return_val_if_fail (AMPS_IS_LIFECYCLE (lifecycle), NULL);
  g_return_val_if_fail (AMPS_IS_REFUSALS (refusals), NULL);
  g_return_val_if_fail (tracer == NULL || AMPS_IS_TRACER (tracer), NULL);

  AmpsDecider *self = g_object_new (AMPS_TYPE_DECIDER, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->broker = g_object_ref (broker);
  self->manifest = g_object_ref (manifest);
  self->metrics = g_object_ref (metrics);
  self->sender = g_object_ref (sender);
  self->settler = g_object_ref (settler);
  self->publisher = g_object_ref (publisher);
  self->lifecycle = g_object_ref (lifecycle);
  self->refusals = g_object_ref (refusals);
  g_set_object (&self->tracer, tracer);

  amps_sender_set_answered (sender, decider_on_answered, self);
  g_signal_connect_object (manifest, "expired", G_CALLBACK (decider_on_expired), self, 0);
  return self;
}
