/* SPDX-License-Identifier: MIT */
#include "amps-broker-amqp-private.h"

#include "amps-amqp-consumer.h"
#include "amps-amqp-copying.h"
#include "amps-amqp-publisher.h"
#include "base/amps-error.h"
#include "base/amps-log.h"

/* How deliveries are settled, with a copy or without, and what else is published. */

/* @delivery: of the living epoch */
void
amps_broker_amqp_settle_delivery (AmpsBrokerAmqp *self, AmpsDelivery *delivery,
                                  AmpsSettlementKind kind)
{
  amps_amqp_window_count (self->window, -1);
  amps_amqp_io_thread_send (self->consumer.io_thread,
                            amps_amqp_consumer_new_settle (delivery->tag, kind));
}

/* Publications */

void
amps_broker_amqp_on_copied (AmpsDelivery *original, AmpsSettlementKind kind, gpointer user_data)
{
  /* That took time, in which the message may have gone back to the queue. */
  if (amps_broker_is_alive (AMPS_BROKER (user_data), original))
    amps_broker_amqp_settle_delivery (AMPS_BROKER_AMQP (user_data), original, kind);
}

void
amps_broker_amqp_on_send (AmpsAmqpCommand *command, gpointer user_data)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (user_data);

  amps_amqp_io_thread_send (self->publisher.io_thread, command);
}

/* What is sent to a connection that is being made waits for it: at the start the first job
 * may be done before both are there. But not while it is made again, which may take long,
 * and the consuming one may have died as well. */
static gboolean
is_about_to_publish (AmpsBrokerAmqp *self)
{
  return self->publisher.open || (self->consumer.open && self->publisher.io_thread != NULL &&
                                  self->publisher.problem == NULL);
}

/* Returns: (nullable): why nothing can be published */
const char *
amps_broker_amqp_get_publishing_problem (AmpsBrokerAmqp *self)
{
  if (!is_about_to_publish (self))
    return "there is no connection to the broker";
  if (amps_broker_get_blocked (AMPS_BROKER (self)))
    return "the broker takes no messages for now: it is short of memory or disk";

  return NULL;
}

void
amps_broker_amqp_publish_async (AmpsBroker *broker, const char *queue, const char *message_id,
                                AmpsTraceHeaders *trace, GBytes *body, GTask *task)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);
  g_autoptr (GTask) owned = task;
  const char *problem = amps_broker_amqp_get_publishing_problem (self);

  if (problem != NULL)
    {
      g_task_return_new_error (owned, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "%s", problem);
      return;
    }

  guint64 id = amps_amqp_publications_add (self->publications, g_steal_pointer (&owned));

  amps_amqp_io_thread_send (self->publisher.io_thread,
                            amps_amqp_publisher_new_publish (id, queue, message_id, trace, body));
}

void
amps_broker_amqp_count_messages_async (AmpsBroker *broker, GTask *task)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);

  amps_amqp_depths_begin (self->depths, task, amps_broker_amqp_get_publishing_problem (self));
}

/* Settling */

static void
send_copy (AmpsBrokerAmqp *self, GTask *task, AmpsDelivery *delivery,
           const AmpsSettlement *settlement, AmpsSettlementKind otherwise)
{
  /* What stands for the message itself is called as it is. */
  g_autofree char *name =
      settlement->kind == AMPS_SETTLE_REQUEUE
          ? amps_amqp_properties_dup_copy_name (delivery->properties)
          : amps_amqp_deduplicator_make_name (self->deduplicator, settlement->copy);
  guint64 id =
      amps_amqp_publications_add_copy (self->publications, task, delivery, settlement, otherwise);

  amps_amqp_depths_expect (self->depths, settlement);
  if (id != 0)
    amps_amqp_publications_send_copy (
        self->publications, id,
        amps_amqp_publisher_new_copy (id, self->settings, delivery, settlement, name, self->clock));
}

/* The policy of the queue decides what becomes of what is rejected. */
static AmpsSettled
settle_itself (AmpsBrokerAmqp *self, AmpsDelivery *delivery, AmpsSettlementKind kind)
{
  if (kind == AMPS_SETTLE_DEAD_LETTER)
    amps_amqp_deduplicator_forget (self->deduplicator, delivery);
  amps_broker_amqp_settle_delivery (self, delivery, kind);

  if (kind == AMPS_SETTLE_DEAD_LETTER)
    return AMPS_SETTLED_REJECTED;
  return kind == AMPS_SETTLE_ACKNOWLEDGE ? AMPS_SETTLED_ACKNOWLEDGED : AMPS_SETTLED_REQUEUED;
}

void
amps_broker_amqp_settle_async (AmpsBroker *broker, AmpsDelivery *delivery,
                               const AmpsSettlement *settlement, GTask *task)
{
  AmpsBrokerAmqp *self = AMPS_BROKER_AMQP (broker);
  g_autoptr (GTask) owned = task;
  g_autoptr (GError) error = NULL;
  const char *problem = amps_broker_amqp_get_publishing_problem (self);

  if (!amps_amqp_copying_is_needed (self->settings, delivery, settlement->kind, problem == NULL))
    {
      AmpsSettled settled = settle_itself (self, delivery, settlement->kind);

      if (owned != NULL)
        g_task_return_int (owned, settled);
    }
  else if (amps_amqp_copying_is_possible (delivery, problem, &error))
    {
      send_copy (self, g_steal_pointer (&owned), delivery, settlement, settlement->kind);
    }
  else if (owned != NULL)
    {
      g_task_return_error (owned, g_steal_pointer (&error));
    }
}

/* Messages that were taken back too often */

static void
on_replaced (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AmpsBroker *broker = AMPS_BROKER (source);
  g_autoptr (AmpsJob) job = AMPS_JOB (user_data);
  g_autoptr (GError) error = NULL;

  if (amps_broker_settle_finish (broker, result, &error) == AMPS_SETTLED_NOT &&
      amps_broker_is_alive (broker, amps_job_get_delivery (job)))
    amps_broker_deliver (broker, job);
}

/* Each of them gives way to a copy, which may be taken back as often again. It
 * comes as a redelivery, so that a job that runs, or has ended, meets it as one. */
void
amps_broker_amqp_replace_worn_out (AmpsBrokerAmqp *self)
{
  const AmpsSettlement release = { .kind = AMPS_SETTLE_REQUEUE };
  AmpsJob *job;

  while (amps_broker_amqp_get_publishing_problem (self) == NULL &&
         (job = g_queue_pop_head (&self->worn_out)) != NULL)
    {
      amps_log (
          INFO, MESSAGE_REPLACED,
          "Replacing a message by a copy: it was taken back %u times, and may be dropped soon",
          amps_job_get_delivery (job)->returns);
      send_copy (self, g_task_new (self, NULL, on_replaced, job), amps_job_get_delivery (job),
                 &release, AMPS_SETTLE_RETRY);
    }
}
