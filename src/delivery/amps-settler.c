/* SPDX-License-Identifier: MIT */
#include "amps-settler.h"

#include "base/amps-backoff.h"
#include "base/amps-error.h"
#include "base/amps-log-throttle.h"
#include "base/amps-log.h"
#include "base/amps-timer-queue.h"
#include "jobs/amps-job-log.h"

/* Between two attempts to have a copy confirmed. */
#define MIN_BACKOFF AMPS_MILLISECONDS (500)
#define MAX_BACKOFF AMPS_SECONDS (30)

/* A problem that comes after so long without one is a new one. */
#define FORGETTING_TIME AMPS_SECONDS (120)

struct _AmpsSettler {
  GObject parent_instance;

  AmpsClock *clock;         /* (owned) */
  AmpsBroker *broker;       /* (owned) */
  AmpsManifest *manifest;   /* (owned) */
  AmpsLifecycle *lifecycle; /* (owned) */
  AmpsMetrics *metrics;     /* (owned) */
  AmpsTimerQueue *waiting;  /* (owned) of Settling */
  guint64 last_copy;        /* number of the latest copy */
  unsigned int n_pending;
  unsigned int n_held;       /* of them: dead letters whose copy has failed */
  char *problem;             /* (owned) (nullable) why it has */
  AmpsLogThrottle *throttle; /* (owned) of warnings */
  gint64 failed;             /* monotonic µs: when a copy has last failed */
};

G_DEFINE_FINAL_TYPE (AmpsSettler, amps_settler, G_TYPE_OBJECT)

typedef enum {
  PROP_PROBLEM = 1,
  N_PROPS,
} AmpsSettlerProperty;

typedef enum {
  SIGNAL_FINISHED,
  N_SIGNALS,
} AmpsSettlerSignal;

static GParamSpec *props[N_PROPS];
static unsigned int signals[N_SIGNALS];

/* A job on its last way. */
typedef struct {
  AmpsSettler *settler;      /* (owned) */
  AmpsJob *job;              /* (owned) */
  AmpsSettlement settlement; /* its detail is (owned) */
  unsigned int failures;     /* of the copy */
  gboolean held;             /* is counted as such */
} Settling;

static void proceed (Settling *settling);

static Settling *
settling_new (AmpsSettler *self, AmpsJob *job)
{
  Settling *settling = g_new0 (Settling, 1);

  settling->settler = g_object_ref (self);
  settling->job = g_object_ref (job);
  self->n_pending++;
  return settling;
}

/* Dead letters that can't be written */

static void
set_problem (AmpsSettler *self, const char *problem)
{
  if (g_strcmp0 (self->problem, problem) == 0)
    return;

  g_free (self->problem);
  self->problem = g_strdup (problem);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PROBLEM]);
}

static void
set_held (Settling *settling, gboolean held)
{
  AmpsSettler *self = settling->settler;

  if (settling->held == held)
    return;

  settling->held = held;
  self->n_held += held ? 1 : -1;
  amps_metrics_set_gauge (self->metrics, AMPS_GAUGE_DEAD_LETTERS_WAITING, self->n_held);
  if (self->n_held == 0)
    set_problem (self, NULL);
}

/* There may be many jobs. */
static void
settler_warn (AmpsSettler *self, const GError *error)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);
  g_autofree char *text = NULL;

  if (now - self->failed > FORGETTING_TIME)
    amps_log_throttle_end (self->throttle);
  self->failed = now;

  text = amps_log_throttle_note (self->throttle, error->message, now);
  if (text != NULL)
    amps_log (WARNING, DEAD_LETTER_FAILED,
              "%u rejected job(s) can't be copied to the dead letters and keep their slots, "
              "trying again: %s",
              self->n_held, text);
}

/* Whatever is wrong, the job stays here: docs/promises.md#nothing-is-discarded. */
static void
settler_hold (Settling *settling, const GError *error)
{
  g_autofree char *problem = g_strdup_printf (
      "rejected jobs can't be copied to the dead letters and keep their slots: %s", error->message);

  set_held (settling, TRUE);
  set_problem (settling->settler, problem);
  settler_warn (settling->settler, error);
}

static void
settling_free (Settling *settling)
{
  settling->settler->n_pending--;
  set_held (settling, FALSE);
  g_object_unref (settling->settler);
  g_object_unref (settling->job);
  g_free (settling->settlement.detail);
  g_free (settling);
}

static void
on_waited (gpointer item, gpointer user_data G_GNUC_UNUSED)
{
  proceed (item);
}

static void
amps_settler_get_property (GObject *object, unsigned int prop_id, GValue *value, GParamSpec *pspec)
{
  AmpsSettler *self = AMPS_SETTLER (object);

  switch ((AmpsSettlerProperty) prop_id)
    {
    case PROP_PROBLEM:
      g_value_set_string (value, self->problem);
      break;
    case N_PROPS:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
amps_settler_finalize (GObject *object)
{
  AmpsSettler *self = AMPS_SETTLER (object);

  amps_log_throttle_free (self->throttle);
  g_free (self->problem);
  amps_timer_queue_free (self->waiting);
  g_object_unref (self->lifecycle);
  g_object_unref (self->metrics);
  g_object_unref (self->manifest);
  g_object_unref (self->broker);
  g_object_unref (self->clock);

  G_OBJECT_CLASS (amps_settler_parent_class)->finalize (object);
}

static void
amps_settler_class_init (AmpsSettlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = amps_settler_get_property;
  object_class->finalize = amps_settler_finalize;

  /**
   * AmpsSettler:problem:
   *
   * Why dead letters can't be written, and what to do about it; %NULL when they can.
   */
  props[PROP_PROBLEM] =
      g_param_spec_string ("problem", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * AmpsSettler::finished:
   * @self: a settler
   * @job: a job that is off the manifest now
   * @next: (nullable): another one of its id, which waited for this
   */
  signals[SIGNAL_FINISHED] =
      g_signal_new ("finished", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 2, AMPS_TYPE_JOB, AMPS_TYPE_JOB);
}

static void
amps_settler_init (AmpsSettler *self G_GNUC_UNUSED)
{
}

static void
settler_on_lifecycle_changed (AmpsSettler *self)
{
  if (amps_lifecycle_is_hurried (self->lifecycle))
    amps_timer_queue_flush (self->waiting);
}

/**
 * amps_settler_new:
 * @clock: what waits are measured by
 * @broker: who is told
 * @manifest: where the jobs are
 * @metrics: what counts dead letters
 * @lifecycle: whether nothing may wait any more
 *
 * Returns: (transfer full): a settler
 */
AmpsSettler *
amps_settler_new (AmpsClock *clock, AmpsBroker *broker, AmpsManifest *manifest,
                  AmpsMetrics *metrics, AmpsLifecycle *lifecycle)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_BROKER (broker), NULL);
  g_return_val_if_fail (AMPS_IS_MANIFEST (manifest), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);
  g_return_val_if_fail (AMPS_IS_LIFECYCLE (lifecycle), NULL);

  AmpsSettler *self = g_object_new (AMPS_TYPE_SETTLER, NULL);

  self->clock = g_object_ref (clock);
  self->broker = g_object_ref (broker);
  self->manifest = g_object_ref (manifest);
  self->lifecycle = g_object_ref (lifecycle);
  self->metrics = g_object_ref (metrics);
  self->throttle = amps_log_throttle_new ();
  self->waiting = amps_timer_queue_new (clock, "settlements", on_waited, self);
  g_signal_connect_object (lifecycle, "changed", G_CALLBACK (settler_on_lifecycle_changed), self,
                           G_CONNECT_SWAPPED);
  return self;
}

static void
settle_duplicates (Settling *settling, AmpsSettlementKind kind)
{
  AmpsSettler *self = settling->settler;
  g_autoptr (GPtrArray) duplicates = amps_job_steal_duplicates (settling->job);
  AmpsSettlement settlement = settling->settlement;

  settlement.kind = kind;
  for (unsigned int i = 0; duplicates != NULL && i < duplicates->len; i++)
    amps_broker_settle_async (self->broker, g_ptr_array_index (duplicates, i), &settlement, NULL,
                              NULL, NULL);
}

/* @again: (nullable): what to do should the message come back only because the
 * connection has died on this. */
static void
settler_finish (Settling *settling, const AmpsSettlement *again)
{
  g_autoptr (AmpsSettler) self = g_object_ref (settling->settler);
  g_autoptr (AmpsJob) job = g_object_ref (settling->job);
  g_autoptr (AmpsJob) next = NULL;

  if (amps_job_get_state (job) == AMPS_JOB_DECIDED)
    next = amps_manifest_finish (self->manifest, job, again);

  settling_free (settling);
  g_signal_emit (self, signals[SIGNAL_FINISHED], 0, job, next);
}

static void
count_dead_letter (AmpsSettler *self, const AmpsSettlement *settlement, AmpsSettled settled)
{
  if (settled == AMPS_SETTLED_MOVED)
    amps_metrics_count_dead_letter (self->metrics, settlement->reason);
  else if (settled == AMPS_SETTLED_REJECTED)
    amps_metrics_increment (self->metrics, AMPS_COUNTER_DISCARDED);
}

static void
finish_settled (Settling *settling, AmpsSettled settled)
{
  AmpsSettlementKind kind = settling->settlement.kind;
  AmpsSettlement acknowledge = { .kind = AMPS_SETTLE_ACKNOWLEDGE };

  amps_log_job (DEBUG, JOB_SETTLED, settling->job, settling->settlement.reason,
                "Job is settled as %s",
                amps_outcome_to_string (amps_job_get_outcome (settling->job)));
  if (kind == AMPS_SETTLE_DEAD_LETTER)
    count_dead_letter (settling->settler, &settling->settlement, settled);

  /* One message is enough for deliveries that are the same byte for byte. */
  if (settled == AMPS_SETTLED_ACKNOWLEDGED || settled == AMPS_SETTLED_MOVED)
    {
      settle_duplicates (settling, AMPS_SETTLE_ACKNOWLEDGE);
      settler_finish (settling, &acknowledge);
      return;
    }

  settle_duplicates (settling, kind);
  settler_finish (settling, settled == AMPS_SETTLED_REJECTED ? &settling->settlement : NULL);
}

static void
wait (Settling *settling, gint64 delay)
{
  AmpsSettler *self = settling->settler;

  amps_timer_queue_add (self->waiting, amps_clock_get_monotonic_time (self->clock) + delay,
                        settling);
}

/* Spends the delay in the slot, then gives the job back. */
static void
wait_in_slot (Settling *settling)
{
  gint64 delay =
      amps_lifecycle_is_hurried (settling->settler->lifecycle) ? 0 : settling->settlement.delay;
  const AmpsDelivery *delivery = amps_job_get_delivery (settling->job);
  gboolean blamed = settling->settlement.attempt > delivery->attempt;
  gboolean waits_on = delivery->delay > 0;

  /* The message itself would say again how long it has to wait. */
  settling->settlement.kind = blamed || waits_on ? AMPS_SETTLE_REQUEUE_FAILED : AMPS_SETTLE_REQUEUE;
  wait (settling, delay);
}

static void
on_settled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Settling *settling = user_data;
  g_autoptr (GError) error = NULL;
  AmpsSettled settled = amps_broker_settle_finish (AMPS_BROKER (source), result, &error);

  if (settled != AMPS_SETTLED_NOT)
    {
      finish_settled (settling, settled);
      return;
    }

  if (g_error_matches (error, AMPS_ERROR, AMPS_ERROR_DETACHED))
    {
      proceed (settling);
      return;
    }

  if (g_error_matches (error, AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED) &&
      settling->settlement.kind == AMPS_SETTLE_RETRY)
    {
      amps_log_job (INFO, JOB_WAITS_HERE, settling->job, NULL, "Job waits here: %s",
                    error->message);
      wait_in_slot (settling);
      return;
    }

  settling->failures++;
  if (settling->settlement.kind == AMPS_SETTLE_DEAD_LETTER)
    settler_hold (settling, error);
  else
    amps_log_job (WARNING, SETTLE_FAILED, settling->job, settling->settlement.reason,
                  "Could not settle a job as %s, trying again: %s",
                  amps_outcome_to_string (amps_job_get_outcome (settling->job)), error->message);
  wait (settling, amps_backoff_draw (MIN_BACKOFF, MAX_BACKOFF, settling->failures));
}

static void
proceed (Settling *settling)
{
  AmpsSettler *self = settling->settler;
  AmpsDelivery *delivery = amps_job_get_delivery (settling->job);

  /* What it was given up for does not matter any more. */
  if (amps_job_has_succeeded (settling->job))
    {
      settling->settlement.kind = AMPS_SETTLE_ACKNOWLEDGE;
      settling->settlement.reason = NULL;
    }

  if (!amps_broker_is_alive (self->broker, delivery))
    {
      if (!amps_job_adopt_duplicate (settling->job))
        {
          settler_finish (settling, &settling->settlement);
          return;
        }
      delivery = amps_job_get_delivery (settling->job);
    }

  if (settling->settlement.kind != AMPS_SETTLE_ACKNOWLEDGE)
    {
      amps_broker_settle_async (self->broker, delivery, &settling->settlement, NULL, on_settled,
                                settling);
      return;
    }

  /* Of most jobs: there is nothing to wait for. */
  amps_broker_settle_async (self->broker, delivery, &settling->settlement, NULL, NULL, NULL);
  finish_settled (settling, AMPS_SETTLED_ACKNOWLEDGED);
}

/**
 * amps_settler_settle:
 * @self: a settler
 * @job: a decided job, or one that is not in the manifest
 * @settlement: what is to become of its delivery
 *
 * Settles the delivery of @job, now or, when its connection has died, when it
 * is delivered again.
 */
void
amps_settler_settle (AmpsSettler *self, AmpsJob *job, const AmpsSettlement *settlement)
{
  Settling *settling = settling_new (self, job);

  settling->settlement = *settlement;
  settling->settlement.detail = g_strdup (settlement->detail);
  if (settling->settlement.copy == 0)
    settling->settlement.copy = ++self->last_copy;

  if (settlement->kind == AMPS_SETTLE_RETRY && settlement->delay < AMPS_SETTLER_SHORT_DELAY &&
      !amps_job_is_detached (job))
    wait_in_slot (settling);
  else
    proceed (settling);
}

/**
 * amps_settler_get_n_pending:
 * @self: a settler
 *
 * Returns: how many settlements the broker has still to be told of
 */
unsigned int
amps_settler_get_n_pending (AmpsSettler *self)
{
  return self->n_pending;
}

/**
 * amps_settler_get_problem:
 * @self: a settler
 *
 * Returns: (nullable): why dead letters can't be written, and what to do about it
 */
const char *
amps_settler_get_problem (AmpsSettler *self)
{
  return self->problem;
}
