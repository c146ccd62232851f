/* SPDX-License-Identifier: MIT */
#include "amps-amqp-consumer.h"

#include "amps-amqp-acknowledger.h"
#include "amps-amqp-properties.h"
#include "amps-amqp-topology.h"

#include <string.h>

/* AMQP 0-9-1, 4.2.5.3: short strings; some room is left for the unique part. */
#define MAX_TAG_PREFIX 200

/* RabbitMQ's default, for which older versions take no argument on consume. */
#define DEFAULT_CONSUMER_TIMEOUT (30 * 60 * G_USEC_PER_SEC)

typedef enum {
  COMMAND_CONSUME,
  COMMAND_SETTLE,
} CommandKind;

typedef struct {
  AmpsAmqpCommand command;
  CommandKind kind;
  gboolean consuming;
  unsigned int prefetch;
  guint64 tag;
  AmpsSettlementKind settlement;
} Command;

typedef struct {
  AmpsAmqpSession *session;
  AmpsAmqpAcknowledger *acknowledger; /* (owned) */
  char *consumer_tag;                 /* (owned) (nullable) while consuming */
  unsigned int n_tags;                /* consumer tags used on this connection */
} Consumer;

static Command *
command_new (CommandKind kind)
{
  Command *command = g_new0 (Command, 1);

  command->command.free = g_free;
  command->kind = kind;
  return command;
}

/**
 * amps_amqp_consumer_new_consume:
 * @consuming: whether messages are wanted
 * @prefetch: how many may be unsettled
 *
 * Returns: (transfer full): a command
 */
AmpsAmqpCommand *
amps_amqp_consumer_new_consume (gboolean consuming, unsigned int prefetch)
{
  Command *command = command_new (COMMAND_CONSUME);

  command->consuming = consuming;
  command->prefetch = prefetch;
  return &command->command;
}

/**
 * amps_amqp_consumer_new_settle:
 * @tag: a delivery's
 * @kind: anything but a retry; a dead letter is what is rejected for good
 *
 * Returns: (transfer full): a command
 */
AmpsAmqpCommand *
amps_amqp_consumer_new_settle (guint64 tag, AmpsSettlementKind kind)
{
  Command *command = command_new (COMMAND_SETTLE);

  command->tag = tag;
  command->settlement = kind;
  return &command->command;
}

static void
consumer_free (gpointer role)
{
  Consumer *self = role;

  amps_amqp_acknowledger_free (self->acknowledger);
  g_free (self->consumer_tag);
  g_free (self);
}

/* Consuming */

static gboolean
outlives_consumer_timeout (Consumer *self)
{
  gint64 job_timeout = amps_amqp_session_get_settings (self->session)->job_timeout;

  return job_timeout == 0 || job_timeout >= DEFAULT_CONSUMER_TIMEOUT;
}

static void
warn_of_consumer_timeout (Consumer *self)
{
  if (outlives_consumer_timeout (self) && !amps_amqp_session_is_version (self->session, 4, 3))
    g_warning ("JOB_TIMEOUT is longer than the 30 minutes after which this RabbitMQ takes a "
               "message back by default: raise its consumer_timeout, or jobs are redelivered");
}

static amqp_table_t
get_consume_arguments (Consumer *self, amqp_table_entry_t *entry)
{
  gint64 job_timeout = amps_amqp_session_get_settings (self->session)->job_timeout;

  if (job_timeout == 0 || !outlives_consumer_timeout (self) ||
      !amps_amqp_session_is_version (self->session, 4, 3))
    return amqp_empty_table;

  /* The workload's time and as much again for waiting here before. */
  entry->key = amqp_cstring_bytes ("x-consumer-timeout");
  entry->value.kind = AMQP_FIELD_KIND_I64;
  entry->value.value.i64 = 2 * job_timeout / 1000;
  return (amqp_table_t){ 1, entry };
}

static gpointer
consumer_start (AmpsAmqpSession *session)
{
  Consumer *self = g_new0 (Consumer, 1);

  self->session = session;
  self->acknowledger = amps_amqp_acknowledger_new ();
  warn_of_consumer_timeout (self);
  return self;
}

static void
start_consuming (Consumer *self, unsigned int prefetch)
{
  const AmpsAmqpSettings *settings = amps_amqp_session_get_settings (self->session);
  amqp_connection_state_t connection = amps_amqp_session_get_connection (self->session);
  g_autofree char *problem = NULL;
  g_autofree char *tag = NULL;
  amqp_table_entry_t argument;
  AmpsAmqpEvent *event;

  /* A channel that has delivered must not be closed and opened again: it would
   * number other deliveries as it did those. */
  if (self->n_tags == 0 && !amps_amqp_topology_ensure_subject (self->session, &problem))
    {
      if (problem == NULL)
        return;
      event = amps_amqp_event_new (self->session, AMPS_AMQP_EVENT_NO_QUEUE);
      event->detail = g_steal_pointer (&problem);
      amps_amqp_session_tell (self->session, event);
      return;
    }

  amqp_basic_qos (connection, AMPS_AMQP_CHANNEL, 0, (guint16) prefetch, 0);
  if (!amps_amqp_session_check_reply (self->session, "set the prefetch", NULL, NULL))
    return;

  tag = g_strdup_printf ("%.*s-%08x-%u", MAX_TAG_PREFIX, settings->worker_id, g_random_int (),
                         ++self->n_tags);
  amqp_basic_consume (connection, AMPS_AMQP_CHANNEL, amqp_cstring_bytes (settings->subject),
                      amqp_cstring_bytes (tag), 0, 0, 0, get_consume_arguments (self, &argument));
  if (!amps_amqp_session_check_reply (self->session, "consume the queue", NULL, NULL))
    return;

  /* Deliveries that overtook the reply are still in the library's queue. */
  self->consumer_tag = g_steal_pointer (&tag);
  amps_amqp_session_tell (self->session,
                          amps_amqp_event_new (self->session, AMPS_AMQP_EVENT_CONSUMING));
}

static void
stop_consuming (Consumer *self)
{
  amqp_connection_state_t connection = amps_amqp_session_get_connection (self->session);

  amqp_basic_cancel (connection, AMPS_AMQP_CHANNEL, amqp_cstring_bytes (self->consumer_tag));
  amps_amqp_session_check_reply (self->session, "stop consuming", NULL, NULL);
  g_clear_pointer (&self->consumer_tag, g_free);
}

/* A prefetch holds for consumers that are made after it (facts: basic.qos). */
static void
consume (Consumer *self, const Command *command)
{
  if (self->consumer_tag != NULL)
    stop_consuming (self);
  if (command->consuming)
    start_consuming (self, command->prefetch);
}

/* Settling */

static gboolean
send_acknowledgement (guint64 tag, gboolean multiple, gpointer user_data)
{
  Consumer *self = user_data;
  amqp_connection_state_t connection = amps_amqp_session_get_connection (self->session);
  int status = amqp_basic_ack (connection, AMPS_AMQP_CHANNEL, tag, multiple);

  return amps_amqp_session_check (self->session, status, "acknowledge");
}

static void
settle (Consumer *self, guint64 tag, AmpsSettlementKind kind)
{
  amqp_connection_state_t connection = amps_amqp_session_get_connection (self->session);
  gboolean acknowledge = kind == AMPS_SETTLE_ACKNOWLEDGE;
  int status = AMQP_STATUS_OK;

  if (!amps_amqp_acknowledger_settle (self->acknowledger, tag, acknowledge))
    {
      g_critical ("Delivery %" G_GUINT64_FORMAT " was to be settled twice", tag);
      return;
    }

  switch (kind)
    {
    case AMPS_SETTLE_ACKNOWLEDGE:
      return;
    case AMPS_SETTLE_RELEASE:
      status = amqp_basic_nack (connection, AMPS_AMQP_CHANNEL, tag, FALSE, TRUE);
      break;
    case AMPS_SETTLE_RETURN:
      status = amqp_basic_reject (connection, AMPS_AMQP_CHANNEL, tag, TRUE);
      break;
    case AMPS_SETTLE_DEAD_LETTER:
      status = amqp_basic_reject (connection, AMPS_AMQP_CHANNEL, tag, FALSE);
      break;
    case AMPS_SETTLE_RETRY:
    default:
      g_return_if_reached ();
    }

  amps_amqp_session_check (self->session, status, "settle a delivery");
}

static void
consumer_flush (gpointer role)
{
  Consumer *self = role;

  amps_amqp_acknowledger_flush (self->acknowledger, send_acknowledgement, self);
}

static void
consumer_command (gpointer role, AmpsAmqpCommand *command)
{
  g_autofree Command *own = (Command *) command;

  if (own->kind == COMMAND_CONSUME)
    consume (role, own);
  else
    settle (role, own->tag, own->settlement);
}

/* Frames */

static void
consumer_message (gpointer role, AmpsAmqpMessage *message)
{
  Consumer *self = role;
  const AmpsAmqpSettings *settings = amps_amqp_session_get_settings (self->session);
  AmpsAmqpEvent *event = amps_amqp_event_new (self->session, AMPS_AMQP_EVENT_DELIVERY);

  amps_amqp_acknowledger_add_delivery (self->acknowledger, message->tag);
  event->delivery =
      amps_amqp_properties_read (message, settings->max_body_size, &event->event, &event->error);
  amps_amqp_session_tell (self->session, event);
  amps_amqp_message_free (message);
}

static gboolean
consumer_method (gpointer role, const amqp_method_t *method)
{
  Consumer *self = role;

  /* Whatever was delivered is no longer ours, so it is like a lost connection. */
  if (method->id == AMQP_BASIC_CANCEL_METHOD)
    {
      amps_amqp_session_fail (self->session,
                              "the broker cancelled the consumer: the queue was deleted or moved");
      return TRUE;
    }

  return FALSE;
}

const AmpsAmqpRole amps_amqp_consumer_role = {
  .name = "consume",
  .start = consumer_start,
  .command = consumer_command,
  .message = consumer_message,
  .method = consumer_method,
  .flush = consumer_flush,
  .free = consumer_free,
};
