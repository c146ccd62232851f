/* SPDX-License-Identifier: MIT */
#include "amps-broker-amqp.h"

#include "amps-amqp-consumer.h"
#include "amps-amqp-outbox.h"
#include "amps-amqp-publisher.h"
#include "amps-amqp-settings.h"
#include "amps-amqp-topology.h"
#include "amps-amqp-uri.h"
#include "core/amps-backoff.h"
#include "core/amps-error.h"

#define MIN_RECONNECT_DELAY AMPS_MILLISECONDS (500)
#define MAX_RECONNECT_DELAY AMPS_SECONDS (30)
#define MAX_QUEUE_POLL_DELAY AMPS_SECONDS (10)

/* A connection that lived so long was a good one. */
#define GOOD_CONNECTION AMPS_SECONDS (10)

/* Quorum queues of RabbitMQ 4.0 to 4.2 drop a message after 20 returns. */
#define MAX_RETURNS 15

/* For a session to end when asked to, and again when its connection is broken. */
#define STOP_TIMEOUT AMPS_SECONDS (3)

#define WATCHDOG_INTERVAL AMPS_SECONDS (5)

typedef struct {
  const AmpsAmqpRole *role;
  AmpsAmqpSession *session; /* (owned) (nullable) while connected, or trying */
  GSource *timer;           /* (owned) due for the next try */
  gboolean open;
  unsigned int uri_index; /* of the broker that is tried */
  gint64 begun;           /* monotonic µs: when the session began */
  gint64 max_busy_time;   /* µs that one library call may take */
  unsigned int failures;
} Link;

struct _AmpsBrokerAmqp {
  AmpsBroker parent_instance;

  AmpsConfig *config;         /* (owned) */
  AmpsClock *clock;           /* (owned) */
  AmpsAmqpSettings *settings; /* (owned) */
  AmpsMailbox *events;        /* (owned) */
  Link consumer;
  Link publisher;
  unsigned int prefetch;
  unsigned int queue_polls;
  gboolean has_epoch; /* the consuming session has begun one */

  AmpsAmqpOutbox *outbox; /* (owned) */

  GSource *watchdog; /* (owned) */
  GTask *stop_task;  /* (owned) (nullable) */
  gboolean broken_on_stop;
};

G_DEFINE_FINAL_TYPE (AmpsBrokerAmqp, amps_broker_amqp, AMPS_TYPE_BROKER)

static void connect_link (AmpsBrokerAmqp *self, Link *link);

static void
send_settlement (AmpsBrokerAmqp *self, AmpsDelivery *delivery, AmpsSettlementKind kind)
{
  if (amps_broker_is_alive (AMPS_BROKER (self), delivery))
    amps_amqp_session_send (self->consumer.session,
                            amps_amqp_consumer_new_settle (delivery->tag, kind));
}

/* Publications */

static void
on_copied (AmpsDelivery *original, gboolean copied, gpointer user_data)
{
  send_settlement (AMPS_BROKER_AMQP (user_data), original,
                   copied ? AMPS_SETTLE_ACKNOWLEDGE : AMPS_SETTLE_RELEASE);
}

static const char *
get_publishing_problem (AmpsBrokerAmqp *self)
{
  if (!self->publisher.open)
    return "there is no connection to the broker";
  if (amps_broker_get_blocked (AMPS_BROKER (self)))
    return "the broker takes no messages for now: it is short of memory or disk";

  return NULL;
}

static void
publish_async (AmpsBroker *broker, const char *queue, const char *message_id, GBytes *body,
               GTask *task)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);
  g_autoptr (GTask) owned = task;
  const char *problem = get_publishing_problem (self);

  if (problem != NULL)
    {
      g_task_return_new_error (owned, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "%s", problem);
      return;
    }

  guint64 id = amps_amqp_outbox_add (self->outbox, g_steal_pointer (&owned), NULL);

  amps_amqp_session_send (self->publisher.session,
                          amps_amqp_publisher_new_publish (id, queue, message_id, body));
}

/* Settling */

static AmpsAmqpCommand *
make_copy (AmpsBrokerAmqp *self, guint64 id, AmpsDelivery *delivery,
           const AmpsSettlement *settlement)
{
  AmpsAmqpCopy *copy = g_new0 (AmpsAmqpCopy, 1);
  const char *subject = self->settings->subject;
  g_autofree char *retry_queue = NULL;
  AmpsAmqpCommand *command;
  gint64 step;

  copy->reason = g_strdup (settlement->reason);
  copy->detail = g_strdup (settlement->detail);
  copy->attempt = settlement->attempt != 0 ? settlement->attempt : delivery->attempt;
  copy->queue = g_strdup (subject);
  copy->worker = g_strdup (self->settings->worker_id);
  copy->first_received = delivery->first_received;
  copy->time = amps_clock_get_real_time (self->clock);

  if (settlement->kind == AMPS_SETTLE_DEAD_LETTER)
    return amps_amqp_publisher_new_copy (id, self->settings->dead_letter_queue, delivery, copy);
  if (settlement->kind == AMPS_SETTLE_RELEASE)
    return amps_amqp_publisher_new_copy (id, subject, delivery, copy);

  copy->not_before = copy->time + settlement->delay;
  retry_queue = amps_amqp_topology_get_retry_queue (subject, settlement->delay, &step);
  command = amps_amqp_publisher_new_copy (id, retry_queue, delivery, copy);
  amps_amqp_publisher_set_retry_step (command, step);
  return command;
}

static gboolean
needs_copy (AmpsBrokerAmqp *self, AmpsDelivery *delivery, AmpsSettlementKind kind)
{
  switch (kind)
    {
    case AMPS_SETTLE_RETRY:
      return TRUE;
    case AMPS_SETTLE_DEAD_LETTER:
      return self->settings->dead_letter_queue != NULL && !delivery->incomplete;
    case AMPS_SETTLE_RELEASE:
      return delivery->returns >= MAX_RETURNS && get_publishing_problem (self) == NULL;
    case AMPS_SETTLE_ACKNOWLEDGE:
    case AMPS_SETTLE_RETURN:
    default:
      return FALSE;
    }
}

static void
settle_async (AmpsBroker *broker, AmpsDelivery *delivery, const AmpsSettlement *settlement,
              GTask *task)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);
  g_autoptr (GTask) owned = task;
  const char *problem = get_publishing_problem (self);

  if (!needs_copy (self, delivery, settlement->kind))
    {
      send_settlement (self, delivery, settlement->kind);
      if (owned != NULL)
        g_task_return_boolean (owned, TRUE);
    }
  else if (problem == NULL)
    {
      guint64 id = amps_amqp_outbox_add (self->outbox, g_steal_pointer (&owned), delivery);

      amps_amqp_session_send (self->publisher.session, make_copy (self, id, delivery, settlement));
    }
  else if (owned != NULL)
    {
      g_task_return_new_error (owned, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "%s", problem);
    }
}

/* Consuming */

static void
show_state (AmpsBrokerAmqp *self, const char *detail)
{
  AmpsBroker *broker = AMPS_BROKER (self);

  if (!self->consumer.open)
    amps_broker_change_state (broker, AMPS_BROKER_DISCONNECTED, detail);
  else if (detail != NULL)
    amps_broker_change_state (broker, AMPS_BROKER_WAITING_FOR_QUEUE, detail);
  else if (!self->has_epoch || !amps_broker_get_consuming (broker))
    amps_broker_change_state (broker, AMPS_BROKER_CONNECTED, NULL);
  else if (!self->publisher.open)
    amps_broker_change_state (broker, AMPS_BROKER_CONNECTED, "no connection to publish");
  else
    amps_broker_change_state (broker, AMPS_BROKER_CONSUMING, NULL);
}

static void
send_consume (AmpsBrokerAmqp *self)
{
  gboolean consuming = amps_broker_get_consuming (AMPS_BROKER (self));

  if (!self->consumer.open)
    return;

  amps_timer_set_due (self->consumer.timer, -1);
  amps_amqp_session_send (self->consumer.session,
                          amps_amqp_consumer_new_consume (consuming, self->prefetch));
}

static void
set_consuming (AmpsBroker *broker, gboolean consuming G_GNUC_UNUSED)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);

  send_consume (self);
  if (self->consumer.open)
    show_state (self, NULL);
}

static void
set_prefetch (AmpsBroker *broker, unsigned int prefetch)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);

  self->prefetch = prefetch;
  if (amps_broker_get_consuming (broker))
    send_consume (self);
}

/* Events */

/* What one connection found out about the broker is good for the other one. */
static void
follow (AmpsBrokerAmqp *self, const Link *link)
{
  Link *other = link == &self->consumer ? &self->publisher : &self->consumer;

  if (other->session != NULL)
    return;

  other->uri_index = link->uri_index;
  amps_timer_set_due (other->timer, amps_clock_get_monotonic_time (self->clock));
}

static void
handle_opened (AmpsBrokerAmqp *self, Link *link)
{
  link->open = TRUE;
  follow (self, link);
  if (link == &self->consumer || self->has_epoch)
    show_state (self, NULL);
  if (link == &self->publisher)
    return;

  self->queue_polls = 0;
  if (amps_broker_get_consuming (AMPS_BROKER (self)))
    send_consume (self);
}

static void
handle_consuming (AmpsBrokerAmqp *self)
{
  if (!self->has_epoch)
    {
      self->has_epoch = TRUE;
      amps_broker_begin_epoch (AMPS_BROKER (self));
    }
  show_state (self, NULL);
}

static void
handle_no_queue (AmpsBrokerAmqp *self, const char *detail)
{
  gint64 delay = amps_backoff_draw (MIN_RECONNECT_DELAY, MAX_QUEUE_POLL_DELAY, ++self->queue_polls);

  show_state (self, detail);
  amps_timer_set_due (self->consumer.timer, amps_clock_get_monotonic_time (self->clock) + delay);
}

static void
handle_delivery (AmpsBrokerAmqp *self, AmpsAmqpEvent *event)
{
  g_autoptr (AmpsJob) job = NULL;

  event->delivery->epoch = amps_broker_get_epoch (AMPS_BROKER (self));
  job = event->event != NULL
            ? amps_job_new (event->delivery, g_steal_pointer (&event->event))
            : amps_job_new_malformed (event->delivery, g_steal_pointer (&event->error));
  amps_broker_deliver (AMPS_BROKER (self), job);
}

static void
finish_stop (AmpsBrokerAmqp *self)
{
  if (self->stop_task == NULL || self->consumer.session != NULL || self->publisher.session != NULL)
    return;

  amps_timer_set_due (self->watchdog, -1);
  if (self->broken_on_stop)
    g_task_return_new_error (self->stop_task, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE,
                             "the broker did not answer");
  else
    g_task_return_boolean (self->stop_task, TRUE);
  g_clear_object (&self->stop_task);
}

static void
schedule_reconnect (AmpsBrokerAmqp *self, Link *link)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);
  unsigned int n_uris = g_strv_length ((char **) amps_config_get_broker_uris (self->config));

  link->failures = now - link->begun > GOOD_CONNECTION ? 1 : link->failures + 1;
  amps_timer_set_due (link->timer,
                      now + amps_backoff_draw (MIN_RECONNECT_DELAY, MAX_RECONNECT_DELAY,
                                               1 + (link->failures - 1) / n_uris));
}

static void
handle_closed (AmpsBrokerAmqp *self, Link *link, const char *detail)
{
  amps_amqp_session_free (g_steal_pointer (&link->session));
  link->open = FALSE;
  amps_timer_set_due (link->timer, -1);
  link->uri_index++;

  if (link == &self->consumer)
    {
      self->has_epoch = FALSE;
      amps_broker_end_epoch (AMPS_BROKER (self));
      show_state (self, self->stop_task != NULL ? NULL : detail);
    }
  else
    {
      if (self->stop_task == NULL)
        g_info ("No connection to publish: %s", detail);
      amps_broker_change_blocked (AMPS_BROKER (self), FALSE);
      amps_amqp_outbox_fail_all (self->outbox);
      if (self->has_epoch && self->stop_task == NULL)
        show_state (self, NULL);
    }

  if (self->stop_task != NULL)
    finish_stop (self);
  else
    schedule_reconnect (self, link);
}

static void
on_event (AmpsMail *mail, gpointer user_data)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (user_data);
  AmpsAmqpEvent *event = (AmpsAmqpEvent *) mail;
  Link *link = event->session == self->consumer.session ? &self->consumer : &self->publisher;

  switch (event->kind)
    {
    case AMPS_AMQP_EVENT_OPENED:
      handle_opened (self, link);
      break;
    case AMPS_AMQP_EVENT_CONSUMING:
      handle_consuming (self);
      break;
    case AMPS_AMQP_EVENT_NO_QUEUE:
      handle_no_queue (self, event->detail);
      break;
    case AMPS_AMQP_EVENT_DELIVERY:
      handle_delivery (self, event);
      break;
    case AMPS_AMQP_EVENT_CONFIRMED:
      amps_amqp_outbox_end (self->outbox, event->id, event->error);
      break;
    case AMPS_AMQP_EVENT_BLOCKED:
      if (link == &self->publisher)
        amps_broker_change_blocked (AMPS_BROKER (self), event->blocked);
      break;
    case AMPS_AMQP_EVENT_CLOSED:
      handle_closed (self, link, event->detail);
      break;
    default:
      g_warn_if_reached ();
    }

  amps_amqp_event_free (event);
}

/* Connections */

static void
connect_link (AmpsBrokerAmqp *self, Link *link)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsAmqpUri) parsed = NULL;
  const char *const *uris;
  const char *uri;

  /* Credentials may have been renewed while the connection was away. */
  if (!amps_config_reload_secrets (self->config, &error))
    g_warning ("Kept the old secrets: %s", error->message);

  uris = amps_config_get_broker_uris (self->config);
  uri = uris[link->uri_index % g_strv_length ((char **) uris)];
  parsed = amps_amqp_uri_parse (uri, NULL);
  link->begun = amps_clock_get_monotonic_time (self->clock);
  link->max_busy_time = 2 * AMPS_SECONDS (parsed != NULL ? MAX (parsed->heartbeat, 10) : 60);
  link->session = amps_amqp_session_new (link->role, uri, self->settings, self->events);
}

static gboolean
on_consumer_timer (gpointer user_data)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (user_data);

  if (self->consumer.open)
    send_consume (self);
  else
    connect_link (self, &self->consumer);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_publisher_timer (gpointer user_data)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (user_data);

  connect_link (self, &self->publisher);
  return G_SOURCE_CONTINUE;
}

static void
watch_link (Link *link, gboolean stopping)
{
  if (link->session == NULL)
    return;

  if (stopping || amps_amqp_session_get_busy_time (link->session) > link->max_busy_time)
    {
      g_info ("Breaking the connection to %s: it hangs", link->role->name);
      amps_amqp_session_break (link->session);
    }
}

static gboolean
on_watchdog (gpointer user_data)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (user_data);
  gboolean stopping = self->stop_task != NULL;

  /* Not even breaking it helped: it hangs in the lookup of a name. Its thread
   * is left alone, with all that it may touch; the process is ending. */
  if (self->broken_on_stop)
    {
      self->consumer.session = NULL;
      self->publisher.session = NULL;
      self->events = NULL;
      finish_stop (self);
      return G_SOURCE_CONTINUE;
    }

  watch_link (&self->consumer, stopping);
  watch_link (&self->publisher, stopping);
  self->broken_on_stop = stopping;
  amps_timer_set_due (self->watchdog, amps_clock_get_monotonic_time (self->clock) +
                                          (stopping ? STOP_TIMEOUT : WATCHDOG_INTERVAL));
  return G_SOURCE_CONTINUE;
}

static void
start (AmpsBroker *broker)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);

  if (self->settings->dead_letter_queue == NULL)
    g_info ("DEAD_LETTER_QUEUE is not set: what is rejected goes where the queue's own "
            "dead-letter policy sends it, and is discarded if there is none");

  connect_link (self, &self->consumer);
  connect_link (self, &self->publisher);
  amps_timer_set_due (self->watchdog,
                      amps_clock_get_monotonic_time (self->clock) + WATCHDOG_INTERVAL);
}

static void
stop_async (AmpsBroker *broker, GTask *task)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);
  Link *links[] = { &self->consumer, &self->publisher };

  self->stop_task = task;
  for (unsigned int i = 0; i < G_N_ELEMENTS (links); i++)
    {
      amps_timer_set_due (links[i]->timer, -1);
      if (links[i]->session != NULL)
        amps_amqp_session_stop (links[i]->session);
    }

  amps_timer_set_due (self->watchdog, amps_clock_get_monotonic_time (self->clock) + STOP_TIMEOUT);
  finish_stop (self);
}

/* Life */

static void
discard_event (gpointer data)
{
  amps_amqp_event_free (data);
}

static GSource *
new_timer (AmpsBrokerAmqp *self, const char *name, GSourceFunc callback)
{
  GSource *timer = amps_clock_create_timer (self->clock, name);

  g_source_set_callback (timer, callback, self, NULL);
  g_source_attach (timer, NULL);
  return timer;
}

static void
free_timer (GSource *timer)
{
  g_source_destroy (timer);
  g_source_unref (timer);
}

static void
amps_broker_amqp_finalize (GObject *object)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (object);

  g_warn_if_fail (self->consumer.session == NULL && self->publisher.session == NULL);
  amps_amqp_outbox_free (self->outbox);
  free_timer (self->consumer.timer);
  free_timer (self->publisher.timer);
  free_timer (self->watchdog);
  if (self->events != NULL)
    {
      amps_mailbox_free (self->events);
      amps_amqp_settings_free (self->settings);
    }
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_broker_amqp_parent_class)->finalize (object);
}

static void
amps_broker_amqp_class_init (AmpsBrokerAmqpClass *klass)
{
  AmpsBrokerClass *broker_class = AMPS_BROKER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = amps_broker_amqp_finalize;
  broker_class->start = start;
  broker_class->set_consuming = set_consuming;
  broker_class->set_prefetch = set_prefetch;
  broker_class->settle_async = settle_async;
  broker_class->publish_async = publish_async;
  broker_class->stop_async = stop_async;
}

static void
amps_broker_amqp_init (AmpsBrokerAmqp *self)
{
  self->consumer.role = &amps_amqp_consumer_role;
  self->publisher.role = &amps_amqp_publisher_role;
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
  AmpsBrokerAmqp *self = g_object_new (AMPS_TYPE_BROKER_AMQP, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->settings = amps_amqp_settings_new (config);
  self->prefetch = amps_config_get_max_concurrency (config);
  self->events = amps_mailbox_new ("AMQP events", NULL, on_event, discard_event, self);
  self->outbox = amps_amqp_outbox_new (clock, on_copied, self);
  self->consumer.timer = new_timer (self, "consuming connection", on_consumer_timer);
  self->publisher.timer = new_timer (self, "publishing connection", on_publisher_timer);
  self->watchdog = new_timer (self, "AMQP watchdog", on_watchdog);
  return AMPS_BROKER (self);
}
