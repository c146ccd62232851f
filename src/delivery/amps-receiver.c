/* SPDX-License-Identifier: MIT */
#include "amps-receiver.h"

#include "amps-conformance.h"
#include "base/amps-error.h"
#include "base/amps-log.h"
#include "jobs/amps-job-log.h"

struct _AmpsReceiver {
  GObject parent_instance;

  AmpsConfig *config;       /* (owned) */
  AmpsClock *clock;         /* (owned) */
  AmpsManifest *manifest;   /* (owned) */
  AmpsMetrics *metrics;     /* (owned) */
  AmpsSender *sender;       /* (owned) */
  AmpsSettler *settler;     /* (owned) */
  GHashTable *passing;      /* (owned) of AmpsJob: in the manifest only to be settled */
  AmpsLifecycle *lifecycle; /* (owned) */
  guint64 n_delivered;      /* since the start */
};

G_DEFINE_FINAL_TYPE (AmpsReceiver, amps_receiver, G_TYPE_OBJECT)

static void
amps_receiver_finalize (GObject *object)
{
  AmpsReceiver *self = AMPS_RECEIVER (object);

  g_hash_table_unref (self->passing);
  g_object_unref (self->lifecycle);
  g_object_unref (self->settler);
  g_object_unref (self->sender);
  g_object_unref (self->metrics);
  g_object_unref (self->manifest);
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_receiver_parent_class)->finalize (object);
}

static void
amps_receiver_class_init (AmpsReceiverClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_receiver_finalize;
}

static void
amps_receiver_init (AmpsReceiver *self)
{
  self->passing = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);
}

static void
receiver_count_jobs (AmpsReceiver *self)
{
  unsigned int n_jobs = amps_manifest_get_n_jobs (self->manifest);

  amps_metrics_set_gauge (self->metrics, AMPS_GAUGE_JOBS_IN_FLIGHT, n_jobs);
  amps_metrics_set_gauge (self->metrics, AMPS_GAUGE_MESSAGES_COUNT, n_jobs);
}

/* By what its producer calls it, else by its place. */
static char *
describe_message (AmpsReceiver *self, const AmpsDelivery *delivery)
{
  g_autofree char *escaped = NULL;

  if (delivery->message_id == NULL || *delivery->message_id == '\0')
    return g_strdup_printf ("number %" G_GUINT64_FORMAT " since the start, without a message-id,",
                            self->n_delivered);

  escaped = g_strescape (delivery->message_id, NULL);
  return g_strdup_printf ("with the message-id “%s”", escaped);
}

static char *
describe_destination (AmpsReceiver *self, const AmpsDelivery *delivery)
{
  const char *queue = amps_config_get_dead_letter_queue (self->config);

  /* What has not been kept can't be copied. */
  return queue != NULL && !delivery->incomplete
             ? g_strdup_printf ("goes to the dead-letter queue “%s”", queue)
             : g_strdup ("is left to the dead-letter policy of its queue");
}

static void
count_deleted (AmpsReceiver *self, AmpsJob *job)
{
  amps_metrics_increment (self->metrics, AMPS_COUNTER_MESSAGES_DELETED);
  amps_metrics_observe (
      self->metrics, AMPS_HISTOGRAM_MESSAGE_LIFETIME,
      amps_clock_get_monotonic_time (self->clock) - amps_job_get_delivery (job)->received, NULL);
}

/* For a job that does not run here, and so is counted neither on its way in nor out. */
static void
settle_passing (AmpsReceiver *self, AmpsJob *job, const AmpsSettlement *settlement)
{
  g_hash_table_add (self->passing, g_object_ref (job));
  amps_settler_settle (self->settler, job, settlement);
}

static void
dead_letter_malformed (AmpsReceiver *self, AmpsJob *job)
{
  AmpsSettlement settlement = {
    .kind = AMPS_SETTLE_DEAD_LETTER,
    .attempt = amps_job_get_attempt (job),
    .reason = "malformed",
    .detail = amps_job_get_problem (job)->message,
  };
  g_autofree char *message = describe_message (self, amps_job_get_delivery (job));
  g_autofree char *destination = describe_destination (self, amps_job_get_delivery (job));

  amps_log_job (WARNING, JOB_MALFORMED, job, settlement.reason,
                "The message %s is not a CloudEvent and %s: %s", message, destination,
                settlement.detail);
  amps_metrics_count_outcome (self->metrics, AMPS_OUTCOME_MALFORMED);
  amps_failures_add (amps_manifest_get_failures (self->manifest), job, AMPS_OUTCOME_MALFORMED,
                     settlement.reason, settlement.detail);
  amps_settler_settle (self->settler, job, &settlement);
}

/* The broker's ladder of delays is coarse: a copy that comes back early waits
 * here, or goes back for the rest of its time. */
static void
take_up (AmpsReceiver *self, AmpsJob *job)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);
  gint64 delay = amps_delivery_get_remaining_delay (amps_job_get_delivery (job), now);

  if (delay >= AMPS_SETTLER_SHORT_DELAY)
    {
      AmpsSettlement hop = { .kind = AMPS_SETTLE_RETRY,
                             .delay = delay,
                             .attempt = amps_job_get_attempt (job) };

      if (amps_manifest_decide (self->manifest, job, AMPS_OUTCOME_RETRIED))
        settle_passing (self, job, &hop);
      return;
    }

  amps_metrics_increment (self->metrics, AMPS_COUNTER_MESSAGES_INSERTED);
  amps_sender_add (self->sender, job, delay > 0 ? now + delay : 0);
}

static void
on_delivered (AmpsBroker *broker, AmpsJob *job, AmpsReceiver *self)
{
  AmpsSettlement recalled;

  self->n_delivered++;
  if (amps_job_get_problem (job) != NULL)
    {
      dead_letter_malformed (self, job);
      return;
    }

  if (amps_lifecycle_is_draining (self->lifecycle))
    {
      amps_broker_settle (broker, amps_job_get_delivery (job), AMPS_SETTLE_REQUEUE);
      return;
    }

  amps_conformance_note (self->metrics, amps_job_get_faults (job));
  if (amps_manifest_recall (self->manifest, job, &recalled))
    {
      amps_log_job (INFO, JOB_RECALLED, job, NULL,
                    "Job was redelivered after it had ended, and is settled again");
      settle_passing (self, job, &recalled);
      g_free (recalled.detail);
      return;
    }

  switch (amps_manifest_add (self->manifest, job))
    {
    case AMPS_ADDITION_NEW:
      amps_log_job (DEBUG, JOB_RECEIVED, job, NULL, "Job is received, attempt %u",
                    amps_job_get_attempt (job));
      receiver_count_jobs (self);
      take_up (self, job);
      break;
    case AMPS_ADDITION_ATTACHED:
      amps_log_job (INFO, JOB_ATTACHED, job, NULL,
                    "Job was redelivered while it runs, and is attached");
      break;
    case AMPS_ADDITION_DUPLICATE:
      amps_log_job (INFO, JOB_DUPLICATE, job, NULL, "Duplicate of a job in flight");
      break;
    case AMPS_ADDITION_FOLLOWS:
      amps_log_job (INFO, JOB_FOLLOWS, job, NULL,
                    "Job waits until another job with its id has ended");
      break;
    default:
      g_return_if_reached ();
    }
}

/* A retry may come while its original is still being settled, and with that its late
 * acknowledgement. Returns: whether @job has ended */
static gboolean
end_late_success (AmpsReceiver *self, AmpsJob *job)
{
  AmpsSettlement acknowledge = { .kind = AMPS_SETTLE_ACKNOWLEDGE };

  if (!amps_manifest_is_late_success (self->manifest, job) ||
      !amps_manifest_decide (self->manifest, job, AMPS_OUTCOME_ACKNOWLEDGED))
    return FALSE;

  settle_passing (self, job, &acknowledge);
  return TRUE;
}

static void
receiver_on_finished (AmpsSettler *settler G_GNUC_UNUSED, AmpsJob *job, AmpsJob *next,
                      AmpsReceiver *self)
{
  /* Nothing else that is settled was in the manifest. */
  if (!g_hash_table_remove (self->passing, job) && amps_job_get_state (job) == AMPS_JOB_DECIDED)
    count_deleted (self, job);

  if (next != NULL && !end_late_success (self, next))
    take_up (self, next);

  receiver_count_jobs (self);
}

static void
on_began (AmpsBroker *broker G_GNUC_UNUSED, AmpsReceiver *self)
{
  amps_manifest_begin_epoch (self->manifest);
}

static void
on_lost (AmpsBroker *broker G_GNUC_UNUSED, unsigned int epoch, AmpsReceiver *self)
{
  g_autoptr (GPtrArray) dropped = NULL;

  amps_sender_clear (self->sender);
  dropped = amps_manifest_end_epoch (self->manifest, epoch);
  for (unsigned int i = 0; i < dropped->len; i++)
    count_deleted (self, g_ptr_array_index (dropped, i));
  if (!amps_lifecycle_is_draining (self->lifecycle) || dropped->len > 0)
    amps_log (INFO, JOBS_DETACHED,
              "Connection lost: %u jobs go on detached, %u will be delivered again",
              amps_manifest_get_n_jobs (self->manifest), dropped->len);
  receiver_count_jobs (self);
}

/**
 * amps_receiver_new:
 * @config: the settings
 * @clock: what time is measured by
 * @broker: where jobs come from
 * @manifest: where they are put
 * @metrics: what counts them
 * @sender: who sends them on
 * @settler: who tells the broker of those that are not sent
 * @lifecycle: whether nothing is to be sent
 *
 * Returns: (transfer full): a receiver
 */
AmpsReceiver *
amps_receiver_new (AmpsConfig *config, AmpsClock *clock, AmpsBroker *broker, AmpsManifest *manifest,
                   AmpsMetrics *metrics, AmpsSender *sender, AmpsSettler *settler,
                   AmpsLifecycle *lifecycle)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_BROKER (broker), NULL);
  g_return_val_if_fail (AMPS_IS_MANIFEST (manifest), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);
  g_return_val_if_fail (AMPS_IS_SENDER (sender), NULL);
  g_return_val_if_fail (AMPS_IS_SETTLER (settler), NULL);
  g_return_val_if_fail (AMPS_IS_LIFECYCLE (lifecycle), NULL);

  AmpsReceiver *self = g_object_new (AMPS_TYPE_RECEIVER, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->manifest = g_object_ref (manifest);
  self->metrics = g_object_ref (metrics);
  self->sender = g_object_ref (sender);
  self->settler = g_object_ref (settler);
  self->lifecycle = g_object_ref (lifecycle);

  g_signal_connect_object (settler, "finished", G_CALLBACK (receiver_on_finished), self, 0);
  g_signal_connect_object (broker, "began", G_CALLBACK (on_began), self, 0);
  g_signal_connect_object (broker, "delivered", G_CALLBACK (on_delivered), self, 0);
  g_signal_connect_object (broker, "lost", G_CALLBACK (on_lost), self, 0);
  return self;
}
