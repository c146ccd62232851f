/* SPDX-License-Identifier: MIT */
#include "amps-consumer-gate.h"

struct _AmpsConsumerGate {
  GObject parent_instance;

  AmpsBroker *broker;     /* (owned) */
  AmpsWorkload *workload; /* (owned) */
  AmpsMetrics *metrics;   /* (owned) */
  AmpsDrain *drain;       /* (owned) */
  AmpsRefusals *refusals; /* (owned) */
  gboolean paused[AMPS_N_PAUSE_REASONS];
  gboolean connected; /* to the broker */
  gboolean was_connected;
  gboolean was_ready;
  AmpsDispatcherState state; /* as it was told last */
  char *problem;             /* (owned) (nullable) of what is settled */
};

G_DEFINE_FINAL_TYPE (AmpsConsumerGate, amps_consumer_gate, G_TYPE_OBJECT)

typedef enum {
  SIGNAL_STATE_CHANGED,
  N_SIGNALS,
} AmpsConsumerGateSignal;

static unsigned int signals[N_SIGNALS];

static void
amps_consumer_gate_finalize (GObject *object)
{
  AmpsConsumerGate *self = AMPS_CONSUMER_GATE (object);

  g_object_unref (self->refusals);
  g_object_unref (self->drain);
  g_free (self->problem);
  g_object_unref (self->metrics);
  g_object_unref (self->workload);
  g_object_unref (self->broker);

  G_OBJECT_CLASS (amps_consumer_gate_parent_class)->finalize (object);
}

static void
amps_consumer_gate_class_init (AmpsConsumerGateClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_consumer_gate_finalize;

  /**
   * AmpsConsumerGate::state-changed:
   * @self: a gate
   *
   * See [method@Amps.Intake.get_state].
   */
  signals[SIGNAL_STATE_CHANGED] =
      g_signal_new ("state-changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 0);
}

static void
amps_consumer_gate_init (AmpsConsumerGate *self G_GNUC_UNUSED)
{
}

/* To have all the jobs that there is room for is what a ready AMPS does. */
static gboolean
is_open (AmpsConsumerGate *self)
{
  for (unsigned int i = 0; i < AMPS_N_PAUSE_REASONS; i++)
    {
      if (i != AMPS_PAUSE_MEMORY && self->paused[i])
        return FALSE;
    }

  return TRUE;
}

/* A workload that refuses all jobs is to get one now and then. What there is room for is
 * known to the broker. */
static gboolean
takes_messages (AmpsConsumerGate *self)
{
  for (unsigned int i = 0; i < AMPS_N_PAUSE_REASONS; i++)
    {
      if (i != AMPS_PAUSE_REFUSED && i != AMPS_PAUSE_MEMORY && self->paused[i])
        return FALSE;
    }

  return !amps_refusals_is_paused (self->refusals);
}

static void
note_change (AmpsConsumerGate *self)
{
  AmpsDispatcherState state;

  self->was_ready = self->was_ready || amps_consumer_gate_is_ready (self);
  state = amps_consumer_gate_get_state (self);
  if (state == self->state)
    return;

  self->state = state;
  g_signal_emit (self, signals[SIGNAL_STATE_CHANGED], 0);
}

static void
on_broker_changed (AmpsBroker *broker, GParamSpec *pspec G_GNUC_UNUSED, AmpsConsumerGate *self)
{
  gboolean connected = amps_broker_get_state (broker) != AMPS_BROKER_DISCONNECTED;

  if (connected && !self->connected && self->was_connected)
    amps_metrics_increment (self->metrics, AMPS_COUNTER_BROKER_RECONNECTS);
  self->connected = connected;
  self->was_connected = self->was_connected || connected;

  amps_metrics_set_gauge (self->metrics, AMPS_GAUGE_BROKER_CONNECTED, connected);
  amps_metrics_set_gauge (self->metrics, AMPS_GAUGE_BROKER_BLOCKED,
                          amps_broker_get_blocked (broker));
  note_change (self);
}

static void
on_broker_full (AmpsBroker *broker, GParamSpec *pspec G_GNUC_UNUSED, AmpsConsumerGate *self)
{
  amps_consumer_gate_set_paused (self, AMPS_PAUSE_MEMORY, amps_broker_get_full (broker));
}

static void
consumer_gate_on_workload_available (AmpsWorkload *workload, GParamSpec *pspec G_GNUC_UNUSED,
                                     AmpsConsumerGate *self)
{
  amps_consumer_gate_set_paused (self, AMPS_PAUSE_WORKLOAD,
                                 !amps_workload_get_available (workload));
}

static void
consumer_gate_on_drain_changed (AmpsDrain *drain, AmpsConsumerGate *self)
{
  amps_consumer_gate_set_paused (self, AMPS_PAUSE_DRAINING, amps_drain_is_on (drain));
}

static void
on_refusals_changed (AmpsRefusals *refusals, AmpsConsumerGate *self)
{
  amps_consumer_gate_set_paused (self, AMPS_PAUSE_REFUSED, amps_refusals_is_closed (refusals));
}

/**
 * amps_consumer_gate_new:
 * @broker: where messages come from
 * @workload: no messages are taken while it is away
 * @metrics: shows the state of both
 * @drain: no messages are taken while it is on
 * @refusals: nor while the workload refuses all jobs
 *
 * Returns: (transfer full): an open gate, if @workload is available
 */
AmpsConsumerGate *
amps_consumer_gate_new (AmpsBroker *broker, AmpsWorkload *workload, AmpsMetrics *metrics,
                        AmpsDrain *drain, AmpsRefusals *refusals)
{
  AmpsConsumerGate *self = g_object_new (AMPS_TYPE_CONSUMER_GATE, NULL);

  self->broker = g_object_ref (broker);
  self->workload = g_object_ref (workload);
  self->metrics = g_object_ref (metrics);
  self->drain = g_object_ref (drain);
  self->refusals = g_object_ref (refusals);
  g_signal_connect_object (broker, "notify", G_CALLBACK (on_broker_changed), self, 0);
  g_signal_connect_object (broker, "notify::full", G_CALLBACK (on_broker_full), self, 0);
  g_signal_connect_object (workload, "notify::available",
                           G_CALLBACK (consumer_gate_on_workload_available), self, 0);
  g_signal_connect_object (drain, "changed", G_CALLBACK (consumer_gate_on_drain_changed), self, 0);
  g_signal_connect_object (refusals, "changed", G_CALLBACK (on_refusals_changed), self, 0);
  consumer_gate_on_workload_available (workload, NULL, self);
  return self;
}

/**
 * amps_consumer_gate_set_paused:
 * @self: a gate
 * @reason: why
 * @paused: whether there is that reason to take no messages
 */
void
amps_consumer_gate_set_paused (AmpsConsumerGate *self, AmpsPauseReason reason, gboolean paused)
{
  self->paused[reason] = paused;
  amps_metrics_set_paused (self->metrics, reason, paused);
  amps_broker_set_consuming (self->broker, takes_messages (self));
  note_change (self);
}

/* Returns: (nullable): what is to be said of @reason */
static const char *
describe_pause (AmpsConsumerGate *self, AmpsPauseReason reason)
{
  switch (reason)
    {
    case AMPS_PAUSE_REQUESTED:
      return "paused";
    case AMPS_PAUSE_DRAINING:
      return "draining";
    case AMPS_PAUSE_WORKLOAD:
      return amps_probe_get_reason (amps_workload_get_probe (self->workload));
    case AMPS_PAUSE_REFUSED:
      return amps_refusals_get_reason (self->refusals);
    case AMPS_PAUSE_MEMORY:
      return "the jobs in flight have MAX_IN_FLIGHT_BYTES";
    default:
      g_return_val_if_reached (NULL);
    }
}

static const char *
describe_broker (AmpsConsumerGate *self)
{
  AmpsBrokerState state = amps_broker_get_state (self->broker);
  const char *detail = amps_broker_get_state_detail (self->broker);

  /* That nobody asked for messages has its reason above. */
  if (state == AMPS_BROKER_CONSUMING ||
      (state == AMPS_BROKER_CONNECTED && !amps_broker_get_consuming (self->broker)))
    return detail;

  return detail != NULL ? detail : amps_broker_state_to_string (state);
}

/**
 * amps_consumer_gate_dup_obstacles:
 * @self: a gate
 *
 * Returns: (transfer full): every reason why no messages come, or can't be settled, for
 *   people; none if they do and can
 */
char **
amps_consumer_gate_dup_obstacles (AmpsConsumerGate *self)
{
  g_autoptr (GStrvBuilder) reasons = g_strv_builder_new ();
  const char *broker = describe_broker (self);

  for (AmpsPauseReason i = 0; i < AMPS_N_PAUSE_REASONS; i++)
    {
      const char *reason = self->paused[i] ? describe_pause (self, i) : NULL;

      if (self->paused[i])
        g_strv_builder_add (reasons, reason != NULL ? reason : "no reason is known");
    }
  if (broker != NULL)
    g_strv_builder_add (reasons, broker);
  if (self->problem != NULL)
    g_strv_builder_add (reasons, self->problem);

  return g_strv_builder_end (reasons);
}

/**
 * amps_consumer_gate_set_problem:
 * @self: a gate
 * @problem: (nullable): why what was taken can't be settled, and what to do about it
 *
 * Messages are taken as long as there are slots, but somebody has to look.
 */
void
amps_consumer_gate_set_problem (AmpsConsumerGate *self, const char *problem)
{
  g_free (self->problem);
  self->problem = g_strdup (problem);
  note_change (self);
}

/**
 * amps_consumer_gate_is_ready:
 * @self: a gate
 *
 * Returns: whether messages come, and can be settled
 */
gboolean
amps_consumer_gate_is_ready (AmpsConsumerGate *self)
{
  return is_open (self) && amps_broker_get_state (self->broker) == AMPS_BROKER_CONSUMING &&
         self->problem == NULL;
}

/**
 * amps_consumer_gate_get_state:
 * @self: a gate
 *
 * Returns: what becomes of messages
 */
AmpsDispatcherState
amps_consumer_gate_get_state (AmpsConsumerGate *self)
{
  if (amps_drain_is_on (self->drain))
    return AMPS_DISPATCHER_DRAINING;
  if (self->paused[AMPS_PAUSE_REQUESTED])
    return AMPS_DISPATCHER_PAUSED;

  return self->was_ready ? AMPS_DISPATCHER_RUNNING : AMPS_DISPATCHER_STARTING;
}
