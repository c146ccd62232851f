/* SPDX-License-Identifier: MIT */
#include "amps-broker-amqp-private.h"

#include "amps-amqp-consumer.h"
#include "amps-amqp-copying.h"
#include "amps-amqp-publisher.h"
#include "base/amps-backoff.h"
#include "base/amps-error.h"
#include "base/amps-log.h"
#include "jobs/amps-job-log.h"

#define MIN_QUEUE_POLL_DELAY AMPS_MILLISECONDS (500)
#define MAX_QUEUE_POLL_DELAY AMPS_SECONDS (10)

/* For a connection to end when asked to, and again when its connection is broken. */
#define STOP_TIMEOUT AMPS_SECONDS (3)

#define WATCHDOG_INTERVAL AMPS_SECONDS (1)

G_DEFINE_FINAL_TYPE (AmpsBrokerAmqp, amps_broker_amqp, AMPS_TYPE_BROKER)

/* Consuming */

static void
broker_amqp_show_state (AmpsBrokerAmqp *self, const char *detail)
{
  AmpsBroker *broker = AMPS_BROKER (self);

  if (!self->consumer.open)
    amps_broker_change_state (broker, AMPS_BROKER_DISCONNECTED, detail);
  else if (detail != NULL)
    amps_broker_change_state (broker, AMPS_BROKER_WAITING_FOR_QUEUE, detail);
  else if (self->has_epoch && self->publisher.open && amps_broker_get_consuming (broker))
    amps_broker_change_state (broker, AMPS_BROKER_CONSUMING, NULL);
  else
    amps_broker_change_state (broker, AMPS_BROKER_CONNECTED, self->publisher.problem);
}

static void
broker_amqp_send_consume (AmpsBrokerAmqp *self)
{
  gboolean consuming =
      amps_broker_get_consuming (AMPS_BROKER (self)) && !amps_amqp_window_is_closed (self->window);

  if (!self->consumer.open)
    return;

  amps_timer_set_due (self->consumer.timer, -1);
  amps_amqp_io_thread_send (
      self->consumer.io_thread,
      amps_amqp_consumer_new_consume (consuming, amps_amqp_window_get_size (self->window)));
}

static void
broker_amqp_set_consuming (AmpsBroker *broker, gboolean consuming G_GNUC_UNUSED)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);

  broker_amqp_send_consume (self);
  if (self->consumer.open)
    broker_amqp_show_state (self, NULL);
}

static void
broker_amqp_set_prefetch (AmpsBroker *broker, unsigned int prefetch)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);

  amps_amqp_window_set_maximum (self->window, prefetch);
  if (amps_broker_get_consuming (broker))
    broker_amqp_send_consume (self);
}

/* Messages that there is no room for */

static void
show_full (AmpsBrokerAmqp *self)
{
  amps_broker_change_full (AMPS_BROKER (self), amps_amqp_window_is_full (self->window));
}

static gboolean
broker_amqp_on_room (gpointer user_data)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (user_data);

  show_full (self);
  broker_amqp_send_consume (self);
  return G_SOURCE_REMOVE;
}

static void
adjust_window (AmpsBrokerAmqp *self)
{
  if (!self->consumer.open)
    return;

  if (amps_amqp_window_close_if_stuck (self->window, amps_clock_get_monotonic_time (self->clock)))
    {
      amps_log (DEBUG, MESSAGES_GIVEN_BACK,
                "Messages have waited too long for room: giving back those on their way");
      amps_amqp_io_thread_send (self->consumer.io_thread, amps_amqp_consumer_new_give_back ());
      broker_amqp_send_consume (self);
    }
  else if (amps_amqp_window_grow (self->window))
    {
      broker_amqp_send_consume (self);
    }
}

static void
broker_amqp_handle_cancelled (AmpsBrokerAmqp *self)
{
  if (amps_amqp_window_is_closed (self->window))
    amps_amqp_window_shrink (self->window);
  broker_amqp_send_consume (self);
}

/* Events */

/* What one connection found out about the broker is good for the other one. */
static void
follow (AmpsBrokerAmqp *self, const AmpsAmqpReconnector *reconnector)
{
  AmpsAmqpReconnector *other = reconnector == &self->consumer ? &self->publisher : &self->consumer;

  if (other->io_thread != NULL || self->stopping)
    return;

  other->uri_index = reconnector->uri_index;
  amps_timer_set_due (other->timer, amps_clock_get_monotonic_time (self->clock));
}

static void
broker_amqp_handle_opened (AmpsBrokerAmqp *self, AmpsAmqpReconnector *reconnector)
{
  amps_amqp_reconnector_open (reconnector);
  /* It is tried again now, if it is not there. */
  g_clear_pointer (&self->publisher.problem, g_free);
  follow (self, reconnector);
  if (reconnector == &self->consumer || self->has_epoch)
    broker_amqp_show_state (self, NULL);
  if (reconnector == &self->publisher)
    {
      amps_broker_amqp_replace_worn_out (self);
      return;
    }

  /* Even if nothing is to be consumed yet: others may look for the queue. */
  self->queue_polls = 0;
  broker_amqp_send_consume (self);
}

static void
handle_consuming (AmpsBrokerAmqp *self)
{
  if (!self->has_epoch)
    {
      self->has_epoch = TRUE;
      amps_broker_begin_epoch (AMPS_BROKER (self));
    }
  broker_amqp_show_state (self, NULL);
}

static void
broker_amqp_handle_no_queue (AmpsBrokerAmqp *self, const char *detail)
{
  gint64 delay =
      amps_backoff_draw (MIN_QUEUE_POLL_DELAY, MAX_QUEUE_POLL_DELAY, ++self->queue_polls);

  broker_amqp_show_state (self, detail);
  amps_timer_set_due (self->consumer.timer, amps_clock_get_monotonic_time (self->clock) + delay);
}

static void
broker_amqp_handle_delivery (AmpsBrokerAmqp *self, AmpsAmqpEvent *event)
{
  g_autoptr (AmpsJob) job = NULL;

  event->delivery->epoch = amps_broker_get_epoch (AMPS_BROKER (self));
  amps_amqp_window_count (self->window, 1);
  job = event->event != NULL
            ? amps_job_new (event->delivery, g_steal_pointer (&event->event))
            : amps_job_new_malformed (event->delivery, g_steal_pointer (&event->error));

  if (amps_amqp_deduplicator_meet (self->deduplicator, event->delivery))
    {
      amps_log_job (INFO, COPY_DROPPED, job, NULL, "Dropped the second one of two equal copies");
      amps_broker_amqp_settle_delivery (self, event->delivery, AMPS_SETTLE_ACKNOWLEDGE);
      return;
    }

  if (event->delivery->returns < AMPS_AMQP_MAX_REQUEUES || amps_job_get_problem (job) != NULL)
    {
      amps_broker_deliver (AMPS_BROKER (self), job);
      return;
    }

  g_queue_push_tail (&self->worn_out, g_steal_pointer (&job));
  amps_broker_amqp_replace_worn_out (self);
}

static void
finish_stop (AmpsBrokerAmqp *self)
{
  g_autoptr (GTask) task = NULL;

  if (self->stop_task == NULL || self->consumer.io_thread != NULL ||
      self->publisher.io_thread != NULL)
    return;

  task = g_steal_pointer (&self->stop_task);
  amps_timer_set_due (self->watchdog, -1);
  if (self->broken_on_stop)
    g_task_return_new_error (task, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "the broker did not answer");
  else
    g_task_return_boolean (task, TRUE);
}

/* Whether a connection did what it is for, as long as it was there. */
static gboolean
broker_amqp_is_good (AmpsBrokerAmqp *self, const AmpsAmqpReconnector *reconnector)
{
  return reconnector->open &&
         (reconnector == &self->publisher || self->has_epoch || self->queue_polls > 0 ||
          !amps_broker_get_consuming (AMPS_BROKER (self)));
}

static void
broker_amqp_handle_closed (AmpsBrokerAmqp *self, AmpsAmqpReconnector *reconnector,
                           const char *detail)
{
  gboolean good = broker_amqp_is_good (self, reconnector);

  amps_amqp_reconnector_close (reconnector, detail);
  if (reconnector == &self->consumer)
    {
      self->has_epoch = FALSE;
      amps_amqp_window_reset (self->window);
      show_full (self);
      g_queue_clear_full (&self->worn_out, g_object_unref);
      amps_broker_end_epoch (AMPS_BROKER (self));
      broker_amqp_show_state (self, self->stopping ? NULL : detail);
    }
  else
    {
      amps_log (DEBUG, PUBLISHER_CLOSED, "No connection to publish: %s",
                detail != NULL ? detail : "it is closed");
      amps_broker_change_blocked (AMPS_BROKER (self), FALSE);
      amps_amqp_publications_fail_all (self->publications);
      amps_amqp_depths_fail (self->depths);
      if (self->has_epoch && !self->stopping)
        broker_amqp_show_state (self, NULL);
    }

  if (self->stopping)
    finish_stop (self);
  else
    amps_amqp_reconnector_schedule (reconnector, good);
}

static void
broker_amqp_on_event (AmpsMail *mail, gpointer user_data)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (user_data);
  AmpsAmqpEvent *event = (AmpsAmqpEvent *) mail;
  AmpsAmqpReconnector *reconnector =
      event->role == self->consumer.role ? &self->consumer : &self->publisher;

  if (self->abandoned)
    {
      amps_amqp_event_free (event);
      return;
    }

  switch (event->kind)
    {
    case AMPS_AMQP_EVENT_OPENED:
      broker_amqp_handle_opened (self, reconnector);
      break;
    case AMPS_AMQP_EVENT_CONSUMING:
      handle_consuming (self);
      break;
    case AMPS_AMQP_EVENT_NO_QUEUE:
      broker_amqp_handle_no_queue (self, event->detail);
      break;
    case AMPS_AMQP_EVENT_QUEUE:
      broker_amqp_show_state (self, NULL);
      break;
    case AMPS_AMQP_EVENT_DELIVERY:
      broker_amqp_handle_delivery (self, event);
      break;
    case AMPS_AMQP_EVENT_CONFIRMED:
      amps_amqp_publications_end (self->publications, event->id, event->error);
      break;
    case AMPS_AMQP_EVENT_COUNTED:
      amps_amqp_depths_take (self->depths, event->n_messages);
      break;
    case AMPS_AMQP_EVENT_CANCELLED:
      broker_amqp_handle_cancelled (self);
      break;
    case AMPS_AMQP_EVENT_SURPLUS:
      amps_amqp_io_thread_send (reconnector->io_thread,
                                amps_amqp_consumer_new_settle (event->id, AMPS_SETTLE_REQUEUE));
      break;
    case AMPS_AMQP_EVENT_FULL:
      amps_amqp_window_set_full (self->window, event->blocked,
                                 amps_clock_get_monotonic_time (self->clock));
      show_full (self);
      break;
    case AMPS_AMQP_EVENT_BLOCKED:
      if (reconnector == &self->publisher)
        amps_broker_change_blocked (AMPS_BROKER (self), event->blocked);
      amps_broker_amqp_replace_worn_out (self);
      break;
    case AMPS_AMQP_EVENT_LENT:
      amps_amqp_io_thread_take (reconnector->io_thread);
      break;
    case AMPS_AMQP_EVENT_CLOSED:
      broker_amqp_handle_closed (self, reconnector, event->detail);
      break;
    default:
      g_warn_if_reached ();
    }

  amps_amqp_event_free (event);
}

/* Connections */

static gboolean
on_consumer_timer (gpointer user_data)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (user_data);

  if (self->consumer.open)
    broker_amqp_send_consume (self);
  else
    amps_amqp_reconnector_connect (&self->consumer);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_publisher_timer (gpointer user_data)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (user_data);

  amps_amqp_reconnector_connect (&self->publisher);
  return G_SOURCE_CONTINUE;
}

/* Not even breaking it helped: it hangs in the lookup of a name. Its thread is left alone, with
 * all that it may touch; the process is ending. */
static void
broker_amqp_abandon (AmpsBrokerAmqp *self)
{
  self->abandoned = TRUE;
  g_object_ref (self);
  self->consumer.io_thread = NULL;
  self->publisher.io_thread = NULL;
  finish_stop (self);
}

static gboolean
broker_amqp_on_watchdog (gpointer user_data)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (user_data);
  gboolean stopping = self->stop_task != NULL;
  gboolean ignored = amps_broker_amqp_get_publishing_problem (self) == NULL &&
                     amps_amqp_publications_is_ignored (self->publications);

  if (self->broken_on_stop)
    {
      broker_amqp_abandon (self);
      return G_SOURCE_CONTINUE;
    }

  amps_amqp_reconnector_watch (&self->consumer, stopping);
  amps_amqp_reconnector_watch (&self->publisher, stopping || ignored);
  self->broken_on_stop = stopping;
  adjust_window (self);
  amps_timer_set_due (self->watchdog, amps_clock_get_monotonic_time (self->clock) +
                                          (stopping ? STOP_TIMEOUT : WATCHDOG_INTERVAL));
  return G_SOURCE_CONTINUE;
}

static void
broker_amqp_start (AmpsBroker *broker)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);

  if (self->settings->dead_letter_queue == NULL)
    amps_log (WARNING, REJECTED_MAY_BE_LOST,
              "DEAD_LETTER_MODE=broker: rejected jobs go where the dead-letter policy of the queue "
              "“%s” sends them; a queue without such a policy discards them",
              self->settings->subject);

  amps_amqp_reconnector_connect (&self->consumer);
  amps_amqp_reconnector_connect (&self->publisher);
  amps_timer_set_due (self->watchdog,
                      amps_clock_get_monotonic_time (self->clock) + WATCHDOG_INTERVAL);
}

static void
broker_amqp_stop_async (AmpsBroker *broker, GTask *task)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);

  self->stop_task = task;
  self->stopping = TRUE;
  amps_amqp_reconnector_stop (&self->consumer);
  amps_amqp_reconnector_stop (&self->publisher);
  amps_timer_set_due (self->watchdog, amps_clock_get_monotonic_time (self->clock) + STOP_TIMEOUT);
  finish_stop (self);
}

static gboolean
broker_amqp_is_stuck (AmpsBroker *broker)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);

  return amps_amqp_reconnector_is_stuck (&self->consumer) ||
         amps_amqp_reconnector_is_stuck (&self->publisher);
}

/* Life */

static void
broker_amqp_init_reconnectors (AmpsBrokerAmqp *self)
{
  const AmpsAmqpShared shared = { self->config, self->clock, self->settings, self->events };

  amps_amqp_reconnector_init (&self->consumer, &amps_amqp_consumer_role, &shared, on_consumer_timer,
                              self);
  amps_amqp_reconnector_init (&self->publisher, &amps_amqp_publisher_role, &shared,
                              on_publisher_timer, self);
}

static void
amps_broker_amqp_finalize (GObject *object)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (object);

  g_warn_if_fail (self->consumer.io_thread == NULL && self->publisher.io_thread == NULL);
  g_queue_clear_full (&self->worn_out, g_object_unref);
  amps_amqp_publications_free (self->publications);
  amps_amqp_depths_free (self->depths);
  amps_amqp_deduplicator_free (self->deduplicator);
  amps_amqp_window_free (self->window);
  amps_amqp_reconnector_clear (&self->consumer);
  amps_amqp_reconnector_clear (&self->publisher);
  amps_timer_free (self->watchdog);
  amps_mailbox_free (self->events);
  amps_amqp_settings_free (self->settings);
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_broker_amqp_parent_class)->finalize (object);
}

static void
amps_broker_amqp_class_init (AmpsBrokerAmqpClass *klass)
{
  AmpsBrokerClass *broker_class = AMPS_BROKER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = amps_broker_amqp_finalize;
  broker_class->start = broker_amqp_start;
  broker_class->set_consuming = broker_amqp_set_consuming;
  broker_class->set_prefetch = broker_amqp_set_prefetch;
  broker_class->settle_async = amps_broker_amqp_settle_async;
  broker_class->publish_async = amps_broker_amqp_publish_async;
  broker_class->count_messages_async = amps_broker_amqp_count_messages_async;
  broker_class->stop_async = broker_amqp_stop_async;
  broker_class->is_stuck = broker_amqp_is_stuck;
}

static void
amps_broker_amqp_init (AmpsBrokerAmqp *self G_GNUC_UNUSED)
{
}

/**
 * amps_broker_amqp_new:
 * @config: the settings
 * @clock: what time is measured by
 *
 * Returns: (transfer full): a broker that has not started; to be stopped before
 *   it is dropped
 */
AmpsBroker *
amps_broker_amqp_new (AmpsConfig *config, AmpsClock *clock)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);

  AmpsBrokerAmqp *self = g_object_new (AMPS_TYPE_BROKER_AMQP, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->settings = amps_amqp_settings_new (config);
  self->window = amps_amqp_window_new (
      self->settings->budget, amps_config_get_max_concurrency (config), broker_amqp_on_room, self);
  self->events =
      amps_mailbox_new ("AMQP events", NULL, broker_amqp_on_event, amps_amqp_event_free, self);
  self->deduplicator = amps_amqp_deduplicator_new (clock);
  self->publications = amps_amqp_publications_new (
      clock, self->deduplicator, amps_broker_amqp_on_copied, amps_broker_amqp_on_send, self);
  self->depths = amps_amqp_depths_new (self->settings, clock, amps_broker_amqp_on_send, self);
  broker_amqp_init_reconnectors (self);
  self->watchdog = amps_clock_attach_timer (clock, "AMQP watchdog", broker_amqp_on_watchdog, self);
  return AMPS_BROKER (self);
}
