/* SPDX-License-Identifier: MIT */
#include "amps-amqp-consumer.h"

#include "amps-amqp-acknowledger.h"
#include "amps-amqp-properties.h"
#include "amps-amqp-topology.h"
#include "base/amps-log.h"
#include "event/amps-gzip.h"

#include <string.h>

/* AMQP 0-9-1, 4.2.5.3: short strings; some room is left for the unique part. */
#define MAX_TAG_PREFIX 200

/* RabbitMQ's default, for which older versions take no argument on consume. */
#define DEFAULT_CONSUMER_TIMEOUT (30 * 60 * G_USEC_PER_SEC)

#define TIMEOUT_ARGUMENT "x-consumer-timeout"

/* More bytes than this are read in a thread: they would keep the main loop. */
#define MAX_SIZE_AT_ONCE (256 * 1024)

typedef enum {
  COMMAND_CONSUME,
  COMMAND_GIVE_BACK,
  COMMAND_RETURN_ALL,
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
  AmpsAmqpConnection *connection;
  AmpsAmqpAcknowledger *acknowledger; /* (owned) */
  GThreadPool *readers;               /* (owned) of large messages */
  char *consumer_tag;                 /* (owned) (nullable) while consuming */
  gboolean cancelling;                /* the consumer, which may still deliver */
  unsigned int n_tags;                /* consumer tags used on this connection */
  unsigned int n_prefetches;          /* that were sent, and are not answered yet */
  gboolean found;                     /* the subject was there, at least once */
  gboolean knows_no_timeout;          /* it is of a type that has none */
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
 * @consuming: whether messages are wanted; if not, the subject is only looked for, or
 *   declared, so that others find it
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
 * amps_amqp_consumer_new_give_back:
 *
 * What is on its way and finds no room is given back, until consuming has stopped.
 *
 * Returns: (transfer full): a command
 */
AmpsAmqpCommand *
amps_amqp_consumer_new_give_back (void)
{
  return &command_new (COMMAND_GIVE_BACK)->command;
}

/**
 * amps_amqp_consumer_new_return_all:
 *
 * Gives back all that was delivered and is not settled; nothing may be settled after this.
 * To be sent when consuming has stopped. A classic queue of RabbitMQ 3.10 works on 10,000
 * that are given back one by one for half a minute, and does nothing else.
 *
 * Returns: (transfer full): a command
 */
AmpsAmqpCommand *
amps_amqp_consumer_new_return_all (void)
{
  return &command_new (COMMAND_RETURN_ALL)->command;
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

  /* What is being read is still told. */
  g_thread_pool_free (self->readers, TRUE, TRUE);
  amps_amqp_acknowledger_free (self->acknowledger);
  g_free (self->consumer_tag);
  g_free (self);
}

/* Consuming */

static gboolean
outlives_consumer_timeout (Consumer *self)
{
  gint64 job_timeout = amps_amqp_connection_get_settings (self->connection)->job_timeout;

  return job_timeout == 0 || job_timeout >= DEFAULT_CONSUMER_TIMEOUT;
}

static void
warn_of_consumer_timeout (Consumer *self)
{
  if (outlives_consumer_timeout (self) && !amps_amqp_connection_is_version (self->connection, 4, 3))
    amps_log (WARNING, CONSUMER_TIMEOUT_SHORT,
              "JOB_TIMEOUT is longer than the 30 minutes after which this RabbitMQ takes a "
              "message back by default: raise its consumer_timeout, or jobs are redelivered");
}

/* Room for two. */
static amqp_table_t
get_consume_arguments (Consumer *self, amqp_table_entry_t *entries)
{
  gint64 job_timeout = amps_amqp_connection_get_settings (self->connection)->job_timeout;

  /* The priority that every consumer has. Only streams don't know it, and refuse it:
   * that is how they are told apart. */
  entries[0].key = amqp_cstring_bytes ("x-priority");
  entries[0].value.kind = AMQP_FIELD_KIND_I32;
  entries[0].value.value.i32 = 0;
  if (job_timeout == 0 || self->knows_no_timeout || !outlives_consumer_timeout (self) ||
      !amps_amqp_connection_is_version (self->connection, 4, 3))
    return (amqp_table_t){ 1, entries };

  /* The workload's time and as much again for waiting here before. */
  entries[1].key = amqp_cstring_bytes (TIMEOUT_ARGUMENT);
  entries[1].value.kind = AMQP_FIELD_KIND_I64;
  entries[1].value.value.i64 = 2 * job_timeout / 1000;
  return (amqp_table_t){ 2, entries };
}

/* Messages */

/* What is packed may become large. */
static gboolean
is_read_at_once (const AmpsAmqpMessage *message)
{
  if (amps_amqp_properties_is_encoded (message->properties))
    return !amps_gzip_may_exceed (message->body_size, MAX_SIZE_AT_ONCE);

  return message->body_size <= MAX_SIZE_AT_ONCE;
}

static AmpsAmqpEvent *
read_message (AmpsAmqpConnection *connection, AmpsAmqpMessage *message)
{
  const AmpsAmqpSettings *settings = amps_amqp_connection_get_settings (connection);
  AmpsAmqpEvent *event = amps_amqp_event_new (AMPS_AMQP_EVENT_DELIVERY);

  event->delivery = amps_amqp_properties_read (
      message, settings->max_body_size, settings->event_validation, &event->event, &event->error);
  return event;
}

static void
read_in_thread (gpointer data, gpointer connection)
{
  g_autoptr (AmpsAmqpMessage) message = data;

  amps_amqp_connection_post (connection, read_message (connection, message));
}

static gpointer
consumer_start (AmpsAmqpConnection *connection)
{
  Consumer *self = g_new0 (Consumer, 1);

  self->connection = connection;
  /* Not GTask, whose threads hold locks of the main context, and of all signals, while
   * they wake it up. */
  self->readers =
      g_thread_pool_new_full (read_in_thread, connection, (GDestroyNotify) amps_amqp_message_free,
                              (int) g_get_num_processors (), FALSE, NULL);
  self->acknowledger = amps_amqp_acknowledger_new ();
  warn_of_consumer_timeout (self);
  return self;
}

static void
tell_no_queue (Consumer *self, char *detail)
{
  AmpsAmqpEvent *event = amps_amqp_event_new (AMPS_AMQP_EVENT_NO_QUEUE);

  event->detail = detail;
  amps_amqp_connection_tell (self->connection, event);
}

/* Returns: whether the subject is there; if not, that is told */
static gboolean
look_for_subject (Consumer *self)
{
  char *problem;

  if (amps_amqp_topology_ensure_subject (self->connection, &problem))
    {
      self->found = TRUE;
      return TRUE;
    }

  if (problem != NULL)
    tell_no_queue (self, problem);
  return FALSE;
}

/* A channel that has delivered must not be closed and opened again: it would number
 * other deliveries as it did those. */
static gboolean
is_fresh (Consumer *self)
{
  return self->n_tags == 0;
}

static void start_consuming (Consumer *self, unsigned int prefetch);

/* What a fresh channel was refused may be granted when it is tried again. */
static void
handle_refusal (Consumer *self, unsigned int prefetch, int code, const char *why)
{
  const char *subject = amps_amqp_connection_get_settings (self->connection)->subject;
  gboolean missing = code == AMQP_NOT_FOUND;
  gboolean was_found = self->found;

  /* It is looked for only now: as a rule it is there, and that takes time. */
  self->found = was_found && !missing;
  if (!self->found && !look_for_subject (self))
    return;
  if (missing && !was_found)
    {
      start_consuming (self, prefetch);
      return;
    }

  /* Classic queues take no such argument, nor do they need it. */
  if (!self->knows_no_timeout && strstr (why, "'" TIMEOUT_ARGUMENT "'") != NULL)
    {
      self->knows_no_timeout = TRUE;
      start_consuming (self, prefetch);
      return;
    }

  tell_no_queue (self, amps_amqp_topology_describe_refusal (subject, why));
}

/* Returns: whether it consumes; a refusal ends the connection unless its channel is fresh */
static gboolean
check_consuming (Consumer *self, unsigned int prefetch)
{
  g_autofree char *why = NULL;
  int code = 0;

  if (amps_amqp_connection_check_reply (self->connection, "consume the queue",
                                        is_fresh (self) ? &code : NULL, &why))
    return TRUE;
  if (code != 0 && amps_amqp_connection_reopen_channel (self->connection, AMPS_AMQP_CHANNEL))
    handle_refusal (self, prefetch, code, why);

  return FALSE;
}

/* Its answer is not waited for: nothing but the consumer that follows depends on it. */
static gboolean
send_prefetch (Consumer *self, unsigned int prefetch)
{
  amqp_basic_qos_t qos = { .prefetch_count = (guint16) prefetch };

  self->n_prefetches++;
  return amps_amqp_connection_check (
      self->connection,
      amqp_send_method (amps_amqp_connection_get_state (self->connection), AMPS_AMQP_CHANNEL,
                        AMQP_BASIC_QOS_METHOD, &qos),
      "set the prefetch");
}

static void
start_consuming (Consumer *self, unsigned int prefetch)
{
  const AmpsAmqpSettings *settings = amps_amqp_connection_get_settings (self->connection);
  amqp_connection_state_t state = amps_amqp_connection_get_state (self->connection);
  g_autofree char *tag = NULL;
  amqp_table_entry_t arguments[2];

  if (!send_prefetch (self, prefetch))
    return;

  tag = g_strdup_printf ("%.*s-%08x-%u", MAX_TAG_PREFIX, settings->worker_id, g_random_int (),
                         self->n_tags + 1);
  amqp_basic_consume (state, AMPS_AMQP_CHANNEL, amqp_cstring_bytes (settings->subject),
                      amqp_cstring_bytes (tag), 0, 0, 0, get_consume_arguments (self, arguments));
  if (!check_consuming (self, prefetch))
    return;

  self->n_tags++;
  self->found = TRUE;
  /* What overtook the reply is still in the library's queue. */
  self->consumer_tag = g_steal_pointer (&tag);
  amps_amqp_connection_tell (self->connection, amps_amqp_event_new (AMPS_AMQP_EVENT_CONSUMING));
}

/* Not by the library, which would keep all that comes before the answer. */
static void
stop_consuming (Consumer *self)
{
  amqp_connection_state_t state = amps_amqp_connection_get_state (self->connection);
  amqp_basic_cancel_t cancel = { .consumer_tag = amqp_cstring_bytes (self->consumer_tag) };
  int status;

  if (self->cancelling)
    return;

  self->cancelling = TRUE;
  status = amqp_send_method (state, AMPS_AMQP_CHANNEL, AMQP_BASIC_CANCEL_METHOD, &cancel);
  amps_amqp_connection_check (self->connection, status, "stop consuming");
}

static void
amqp_consumer_handle_cancelled (Consumer *self)
{
  self->cancelling = FALSE;
  g_clear_pointer (&self->consumer_tag, g_free);
  amps_amqp_connection_set_patient (self->connection, TRUE);
  amps_amqp_connection_tell (self->connection, amps_amqp_event_new (AMPS_AMQP_EVENT_CANCELLED));
}

/* A prefetch holds for consumers that are made after it. So one that
 * is there has to end first, and then this is wanted again. */
static void
amqp_consumer_consume (Consumer *self, const Command *command)
{
  if (self->consumer_tag != NULL)
    stop_consuming (self);
  else if (command->consuming)
    start_consuming (self, command->prefetch);
  else if (is_fresh (self) && !self->found && look_for_subject (self))
    amps_amqp_connection_tell (self->connection, amps_amqp_event_new (AMPS_AMQP_EVENT_QUEUE));
}

/* Settling */

static void
amqp_consumer_settle (Consumer *self, guint64 tag, AmpsSettlementKind kind)
{
  if (!amps_amqp_acknowledger_settle (self->acknowledger, tag, kind))
    amps_log (CRITICAL, DEFECT, "Delivery %" G_GUINT64_FORMAT " was to be settled twice", tag);
}

static gboolean
amqp_consumer_send_answer (guint64 tag, AmpsSettlementKind kind, gboolean multiple,
                           gpointer user_data)
{
  Consumer *self = user_data;
  amqp_connection_state_t state = amps_amqp_connection_get_state (self->connection);
  int status = AMQP_STATUS_OK;

  if (!amps_amqp_connection_can_send (self->connection))
    return FALSE;

  switch (kind)
    {
    case AMPS_SETTLE_ACKNOWLEDGE:
      status = amqp_basic_ack (state, AMPS_AMQP_CHANNEL, tag, multiple);
      break;
    case AMPS_SETTLE_REQUEUE:
      status = amqp_basic_nack (state, AMPS_AMQP_CHANNEL, tag, FALSE, TRUE);
      break;
    case AMPS_SETTLE_REQUEUE_FAILED:
      status = amqp_basic_reject (state, AMPS_AMQP_CHANNEL, tag, TRUE);
      break;
    case AMPS_SETTLE_DEAD_LETTER:
      status = amqp_basic_reject (state, AMPS_AMQP_CHANNEL, tag, FALSE);
      break;
    case AMPS_SETTLE_RETRY:
    default:
      g_return_val_if_reached (FALSE);
    }

  return amps_amqp_connection_check (self->connection, status, "settle a delivery");
}

static gboolean
consumer_flush (gpointer role)
{
  Consumer *self = role;

  return amps_amqp_acknowledger_flush (self->acknowledger, amqp_consumer_send_answer, self);
}

/* Tag 0 means all that is not settled (AMQP 0-9-1, basic.nack). */
static void
amqp_consumer_return_all (Consumer *self)
{
  amqp_connection_state_t state = amps_amqp_connection_get_state (self->connection);

  consumer_flush (self);
  amps_amqp_connection_check (self->connection,
                              amqp_basic_nack (state, AMPS_AMQP_CHANNEL, 0, TRUE, TRUE),
                              "give back what is left");
}

static gboolean
consumer_waits (const AmpsAmqpCommand *command)
{
  CommandKind kind = ((const Command *) command)->kind;

  return kind == COMMAND_CONSUME || kind == COMMAND_RETURN_ALL;
}

static void
consumer_command (gpointer role, AmpsAmqpCommand *command)
{
  Consumer *self = role;
  g_autofree Command *own = (Command *) command;

  switch (own->kind)
    {
    case COMMAND_CONSUME:
      amqp_consumer_consume (self, own);
      break;
    case COMMAND_GIVE_BACK:
      amps_amqp_connection_set_patient (self->connection, self->consumer_tag == NULL);
      break;
    case COMMAND_RETURN_ALL:
      amqp_consumer_return_all (self);
      break;
    case COMMAND_SETTLE:
    default:
      amqp_consumer_settle (self, own->tag, own->settlement);
    }
}

static void
tell_surplus (Consumer *self, guint64 tag)
{
  AmpsAmqpEvent *event = amps_amqp_event_new (AMPS_AMQP_EVENT_SURPLUS);

  event->id = tag;
  amps_amqp_connection_tell (self->connection, event);
}

static void
consumer_message (gpointer role, amqp_channel_t channel G_GNUC_UNUSED, AmpsAmqpMessage *message)
{
  Consumer *self = role;
  g_autoptr (AmpsAmqpMessage) owned = message;

  if (message->returned || is_fresh (self))
    amps_amqp_connection_fail_protocol (self->connection, "a message came that nobody consumes");
  else if (!amps_amqp_acknowledger_add_delivery (self->acknowledger, message->tag))
    amps_amqp_connection_fail_protocol (
        self->connection, "delivery %" G_GUINT64_FORMAT " came out of turn", message->tag);
  else if (message->surplus)
    tell_surplus (self, message->tag);
  else if (is_read_at_once (message))
    amps_amqp_connection_tell (self->connection, read_message (self->connection, message));
  else
    g_thread_pool_push (self->readers, g_steal_pointer (&owned), NULL);
}

static gboolean
consumer_method (gpointer role, amqp_channel_t channel G_GNUC_UNUSED, const amqp_method_t *method)
{
  Consumer *self = role;

  /* Whatever was delivered is no longer ours, so it is like a lost connection. */
  if (method->id == AMQP_BASIC_CANCEL_METHOD)
    {
      amps_amqp_connection_fail (
          self->connection, "the broker cancelled the consumer: the queue was deleted or moved");
      return TRUE;
    }
  if (method->id == AMQP_BASIC_CANCEL_OK_METHOD && self->cancelling)
    {
      amqp_consumer_handle_cancelled (self);
      return TRUE;
    }
  if (method->id == AMQP_BASIC_QOS_OK_METHOD && self->n_prefetches > 0)
    {
      self->n_prefetches--;
      return TRUE;
    }

  return FALSE;
}

const AmpsAmqpRole amps_amqp_consumer_role = {
  .name = "consume",
  .takes_jobs = TRUE,
  .start = consumer_start,
  .waits = consumer_waits,
  .command = consumer_command,
  .message = consumer_message,
  .method = consumer_method,
  .flush = consumer_flush,
  .free = consumer_free,
};
