/* SPDX-License-Identifier: MIT */
#include "amps-consumer-gate.h"

struct _AmpsConsumerGate {
  GObject parent_instance;

  AmpsBroker *broker;       /* (owned) */
  AmpsWorkload *workload;   /* (owned) */
  AmpsMetrics *metrics;     /* (owned) */
  AmpsLifecycle *lifecycle; /* (owned) */
  AmpsRefusals *refusals;   /* (owned) */
  gboolean connected;       /* to the broker */
  gboolean was_connected;
  char *problem; /* (owned) (nullable) of what is settled */
};

G_DEFINE_FINAL_TYPE (AmpsConsumerGate, amps_consumer_gate, G_TYPE_OBJECT)

static void
amps_consumer_gate_finalize (GObject *object)
{
  AmpsConsumerGate *self = AMPS_CONSUMER_GATE (object);

  g_object_unref (self->refusals);
  g_object_unref (self->lifecycle);
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
}

static void
amps_consumer_gate_init (AmpsConsumerGate *self G_GNUC_UNUSED)
{
}

/**
 * amps_pause_reason_to_string:
 * @reason: a reason
 *
 * Returns: (transfer none): its name in metrics
 */
const char *
amps_pause_reason_to_string (AmpsPauseReason reason)
{
  static const char *const names[] = {
    [AMPS_PAUSE_REQUESTED] = "requested", [AMPS_PAUSE_DRAINING] = "draining",
    [AMPS_PAUSE_WORKLOAD] = "workload",   [AMPS_PAUSE_REFUSED] = "refused",
    [AMPS_PAUSE_MEMORY] = "memory",
  };
  G_STATIC_ASSERT (G_N_ELEMENTS (names) == AMPS_N_PAUSE_REASONS);

  return names[reason];
}

/**
 * amps_consumer_gate_is_paused:
 * @self: a gate
 * @reason: one of those why no messages may be taken
 *
 * Returns: whether there is that one now
 */
gboolean
amps_consumer_gate_is_paused (AmpsConsumerGate *self, AmpsPauseReason reason)
{
  switch (reason)
    {
    case AMPS_PAUSE_REQUESTED:
      return amps_lifecycle_is_paused (self->lifecycle);
    case AMPS_PAUSE_DRAINING:
      return amps_lifecycle_is_draining (self->lifecycle);
    case AMPS_PAUSE_WORKLOAD:
      return !amps_workload_get_available (self->workload);
    case AMPS_PAUSE_REFUSED:
      return amps_refusals_is_closed (self->refusals);
    case AMPS_PAUSE_MEMORY:
      return amps_broker_get_full (self->broker);
    default:
      g_return_val_if_reached (FALSE);
    }
}

/* To have all the jobs that there is room for is what a ready AMPS does. */
static gboolean
is_open (AmpsConsumerGate *self)
{
  for (AmpsPauseReason i = 0; i < AMPS_N_PAUSE_REASONS; i++)
    {
      if (i != AMPS_PAUSE_MEMORY && amps_consumer_gate_is_paused (self, i))
        return FALSE;
    }

  return TRUE;
}

/* A workload that refuses all jobs is to get one now and then. What there is room for is
 * known to the broker. */
static gboolean
takes_messages (AmpsConsumerGate *self)
{
  for (AmpsPauseReason i = 0; i < AMPS_N_PAUSE_REASONS; i++)
    {
      if (i != AMPS_PAUSE_REFUSED && i != AMPS_PAUSE_MEMORY &&
          amps_consumer_gate_is_paused (self, i))
        return FALSE;
    }

  return !amps_refusals_is_paused (self->refusals);
}

static void
note_ready (AmpsConsumerGate *self)
{
  if (amps_consumer_gate_is_ready (self))
    amps_lifecycle_note_ready (self->lifecycle);
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
  note_ready (self);
}

/* A reason has come or gone. */
static void
on_reason_changed (AmpsConsumerGate *self)
{
  for (AmpsPauseReason i = 0; i < AMPS_N_PAUSE_REASONS; i++)
    amps_metrics_set_paused (self->metrics, amps_pause_reason_to_string (i),
                             amps_consumer_gate_is_paused (self, i));
  amps_broker_set_consuming (self->broker, takes_messages (self));
  note_ready (self);
}

/**
 * amps_consumer_gate_new:
 * @broker: where messages come from
 * @workload: no messages are taken while it is away
 * @metrics: shows the state of both
 * @lifecycle: whether AMPS is paused or drains; told when it is ready
 * @refusals: nor while the workload refuses all jobs
 *
 * Returns: (transfer full): an open gate, if @workload is available
 */
AmpsConsumerGate *
amps_consumer_gate_new (AmpsBroker *broker, AmpsWorkload *workload, AmpsMetrics *metrics,
                        AmpsLifecycle *lifecycle, AmpsRefusals *refusals)
{
  g_return_val_if_fail (AMPS_IS_BROKER (broker), NULL);
  g_return_val_if_fail (AMPS_IS_WORKLOAD (workload), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);
  g_return_val_if_fail (AMPS_IS_LIFECYCLE (lifecycle), NULL);
  g_return_val_if_fail (AMPS_IS_REFUSALS (refusals), NULL);

  AmpsConsumerGate *self = g_object_new (AMPS_TYPE_CONSUMER_GATE, NULL);

  self->broker = g_object_ref (broker);
  self->workload = g_object_ref (workload);
  self->metrics = g_object_ref (metrics);
  self->lifecycle = g_object_ref (lifecycle);
  self->refusals = g_object_ref (refusals);
  g_signal_connect_object (broker, "notify", G_CALLBACK (on_broker_changed), self, 0);
  g_signal_connect_object (broker, "notify::full", G_CALLBACK (on_reason_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (workload, "notify::available", G_CALLBACK (on_reason_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (lifecycle, "changed", G_CALLBACK (on_reason_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (refusals, "changed", G_CALLBACK (on_reason_changed), self,
                           G_CONNECT_SWAPPED);
  on_reason_changed (self);
  return self;
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
      return "the jobs in flight take up MAX_IN_FLIGHT_BYTES";
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
      const char *reason;

      if (!amps_consumer_gate_is_paused (self, i))
        continue;
      reason = describe_pause (self, i);
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
  note_ready (self);
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
