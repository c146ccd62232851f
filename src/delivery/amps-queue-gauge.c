/* SPDX-License-Identifier: MIT */
#include "amps-queue-gauge.h"

/* As often as Prometheus asks by default, about. */
#define INTERVAL AMPS_SECONDS (15)

/* After a connection was made: jobs come first. */
#define FIRST_DELAY AMPS_SECONDS (1)

/* After the broker could not be asked, which costs it nothing. */
#define FAILED_INTERVAL AMPS_SECONDS (1)

struct _AmpsQueueGauge {
  GObject parent_instance;

  AmpsClock *clock;          /* (owned) */
  AmpsBroker *broker;        /* (owned) */
  AmpsMetrics *metrics;      /* (owned) */
  GSource *timer;            /* (owned) due for the next count; not set while disconnected */
  GCancellable *cancellable; /* (owned) */
  gboolean counting;
};

G_DEFINE_FINAL_TYPE (AmpsQueueGauge, amps_queue_gauge, G_TYPE_OBJECT)

static void
amps_queue_gauge_dispose (GObject *object)
{
  AmpsQueueGauge *self = AMPS_QUEUE_GAUGE (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_pointer (&self->timer, amps_timer_free);

  G_OBJECT_CLASS (amps_queue_gauge_parent_class)->dispose (object);
}

static void
amps_queue_gauge_finalize (GObject *object)
{
  AmpsQueueGauge *self = AMPS_QUEUE_GAUGE (object);

  g_object_unref (self->cancellable);
  g_object_unref (self->metrics);
  g_object_unref (self->broker);
  g_object_unref (self->clock);

  G_OBJECT_CLASS (amps_queue_gauge_parent_class)->finalize (object);
}

static void
amps_queue_gauge_class_init (AmpsQueueGaugeClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = amps_queue_gauge_dispose;
  object_class->finalize = amps_queue_gauge_finalize;
}

static void
amps_queue_gauge_init (AmpsQueueGauge *self)
{
  self->cancellable = g_cancellable_new ();
}

static gboolean
queue_gauge_is_connected (AmpsQueueGauge *self)
{
  return amps_broker_get_state (self->broker) != AMPS_BROKER_DISCONNECTED;
}

static void
queue_gauge_set_due (AmpsQueueGauge *self, gint64 delay)
{
  amps_timer_set_due (self->timer, amps_clock_get_monotonic_time (self->clock) + delay);
}

static void
on_counted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (AmpsQueueGauge) self = AMPS_QUEUE_GAUGE (user_data);
  g_autoptr (AmpsQueueDepths) depths =
      amps_broker_count_messages_finish (AMPS_BROKER (source), result, NULL);

  self->counting = FALSE;
  if (self->timer == NULL || !queue_gauge_is_connected (self))
    return;

  queue_gauge_set_due (self, depths != NULL ? INTERVAL : FAILED_INTERVAL);
  amps_metrics_take_queue_depths (self->metrics, g_steal_pointer (&depths));
}

static gboolean
queue_gauge_on_timer (gpointer user_data)
{
  AmpsQueueGauge *self = AMPS_QUEUE_GAUGE (user_data);

  if (!self->counting)
    {
      self->counting = TRUE;
      amps_broker_count_messages_async (self->broker, self->cancellable, on_counted,
                                        g_object_ref (self));
    }
  return G_SOURCE_CONTINUE;
}

static void
on_broker_state (AmpsBroker *broker G_GNUC_UNUSED, GParamSpec *pspec G_GNUC_UNUSED,
                 AmpsQueueGauge *self)
{
  gboolean waits = amps_timer_get_due (self->timer) >= 0;

  if (!queue_gauge_is_connected (self))
    {
      /* What was true then need not be so now. */
      amps_metrics_take_queue_depths (self->metrics, NULL);
      amps_timer_set_due (self->timer, -1);
    }
  else if (!waits && !self->counting)
    {
      queue_gauge_set_due (self, FIRST_DELAY);
    }
}

/**
 * amps_queue_gauge_new:
 * @clock: what the time between two counts is measured by
 * @broker: is asked
 * @metrics: shows the answers
 *
 * Returns: (transfer full): a gauge that counts from now on
 */
AmpsQueueGauge *
amps_queue_gauge_new (AmpsClock *clock, AmpsBroker *broker, AmpsMetrics *metrics)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_BROKER (broker), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);

  AmpsQueueGauge *self = g_object_new (AMPS_TYPE_QUEUE_GAUGE, NULL);

  self->clock = g_object_ref (clock);
  self->broker = g_object_ref (broker);
  self->metrics = g_object_ref (metrics);
  self->timer = amps_clock_attach_timer (clock, "queue depths", queue_gauge_on_timer, self);
  g_signal_connect_object (broker, "notify::state", G_CALLBACK (on_broker_state), self, 0);
  on_broker_state (broker, NULL, self);
  return self;
}
