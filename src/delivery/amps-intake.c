/* SPDX-License-Identifier: MIT */
#include "amps-intake.h"

struct _AmpsIntake {
  GObject parent_instance;

  AmpsBroker *broker;     /* (owned) */
  AmpsWorkload *workload; /* (owned) */
  AmpsMetrics *metrics;   /* (owned) */
  gboolean paused[AMPS_N_PAUSE_REASONS];
  gboolean connected; /* to the broker */
  gboolean was_connected;
  gboolean was_ready;
};

G_DEFINE_FINAL_TYPE (AmpsIntake, amps_intake, G_TYPE_OBJECT)

static void
amps_intake_finalize (GObject *object)
{
  AmpsIntake *self = AMPS_INTAKE (object);

  g_object_unref (self->metrics);
  g_object_unref (self->workload);
  g_object_unref (self->broker);

  G_OBJECT_CLASS (amps_intake_parent_class)->finalize (object);
}

static void
amps_intake_class_init (AmpsIntakeClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_intake_finalize;
}

static void
amps_intake_init (AmpsIntake *self G_GNUC_UNUSED)
{
}

static gboolean
is_open (AmpsIntake *self)
{
  for (unsigned int i = 0; i < AMPS_N_PAUSE_REASONS; i++)
    {
      if (self->paused[i])
        return FALSE;
    }

  return TRUE;
}

static void
note_readiness (AmpsIntake *self)
{
  self->was_ready = self->was_ready || amps_intake_is_ready (self, NULL);
}

static void
on_broker_changed (AmpsBroker *broker, GParamSpec *pspec G_GNUC_UNUSED, AmpsIntake *self)
{
  gboolean connected = amps_broker_get_state (broker) != AMPS_BROKER_DISCONNECTED;

  if (connected && !self->connected && self->was_connected)
    amps_metrics_increment (self->metrics, AMPS_COUNTER_BROKER_RECONNECTS);
  self->connected = connected;
  self->was_connected = self->was_connected || connected;

  amps_metrics_set_gauge (self->metrics, AMPS_GAUGE_BROKER_CONNECTED, connected);
  amps_metrics_set_gauge (self->metrics, AMPS_GAUGE_BROKER_BLOCKED,
                          amps_broker_get_blocked (broker));
  note_readiness (self);
}

static void
on_workload_available (AmpsWorkload *workload, GParamSpec *pspec G_GNUC_UNUSED, AmpsIntake *self)
{
  amps_intake_set_paused (self, AMPS_PAUSE_WORKLOAD, !amps_workload_get_available (workload));
}

/**
 * amps_intake_new:
 * @broker: where messages come from
 * @workload: no messages are taken while it is away
 * @metrics: shows the state of both
 *
 * Returns: (transfer full): an open intake, if @workload is available
 */
AmpsIntake *
amps_intake_new (AmpsBroker *broker, AmpsWorkload *workload, AmpsMetrics *metrics)
{
  AmpsIntake *self = g_object_new (AMPS_TYPE_INTAKE, NULL);

  self->broker = g_object_ref (broker);
  self->workload = g_object_ref (workload);
  self->metrics = g_object_ref (metrics);
  g_signal_connect_object (broker, "notify", G_CALLBACK (on_broker_changed), self, 0);
  g_signal_connect_object (workload, "notify::available", G_CALLBACK (on_workload_available), self,
                           0);
  on_workload_available (workload, NULL, self);
  return self;
}

/**
 * amps_intake_set_paused:
 * @self: an intake
 * @reason: why
 * @paused: whether there is that reason to take no messages
 */
void
amps_intake_set_paused (AmpsIntake *self, AmpsPauseReason reason, gboolean paused)
{
  self->paused[reason] = paused;
  amps_metrics_set_paused (self->metrics, reason, paused);
  amps_broker_set_consuming (self->broker, is_open (self));
  note_readiness (self);
}

/**
 * amps_intake_is_paused:
 * @self: an intake
 * @reason: why
 *
 * Returns: whether there is that reason to take no messages
 */
gboolean
amps_intake_is_paused (AmpsIntake *self, AmpsPauseReason reason)
{
  return self->paused[reason];
}

/**
 * amps_intake_is_ready:
 * @self: an intake
 * @why_not: (out) (optional) (transfer full): the reason, when it is not
 *
 * Returns: whether messages come
 */
gboolean
amps_intake_is_ready (AmpsIntake *self, char **why_not)
{
  AmpsBrokerState state = amps_broker_get_state (self->broker);
  const char *reason;

  if (self->paused[AMPS_PAUSE_DRAINING])
    reason = "draining";
  else if (self->paused[AMPS_PAUSE_REQUESTED])
    reason = "paused";
  else if (self->paused[AMPS_PAUSE_WORKLOAD])
    reason = amps_workload_get_unavailable_reason (self->workload);
  else if (state != AMPS_BROKER_CONSUMING)
    reason = amps_broker_get_state_detail (self->broker);
  else
    return TRUE;

  if (why_not != NULL)
    *why_not = g_strdup (reason != NULL ? reason : amps_broker_state_to_string (state));
  return FALSE;
}

/**
 * amps_intake_was_ready:
 * @self: an intake
 *
 * Returns: whether messages have ever come
 */
gboolean
amps_intake_was_ready (AmpsIntake *self)
{
  return self->was_ready;
}
