/* SPDX-License-Identifier: MIT */
#include "amps-amqp-depths.h"

#include "amps-amqp-publisher.h"
#include "amps-amqp-topology.h"
#include "base/amps-error.h"
#include "metrics/amps-queue-depths.h"

/* RabbitMQ logs an error for each look at a queue that does not exist. What AMPS
 * itself makes is looked at again at once. */
#define MISSING_INTERVAL AMPS_SECONDS (3600)

typedef struct {
  char *name;        /* (owned) */
  char *label;       /* (owned) what it is counted under */
  gint64 not_before; /* monotonic µs: does not exist, and is looked at again then; else 0 */
} Queue;

struct _AmpsAmqpDepths {
  AmpsClock *clock; /* (owned) */
  AmpsAmqpDepthsFunc send;
  gpointer user_data;
  const AmpsAmqpSettings *settings; /* outlives this */
  GArray *queues;                   /* (owned) of Queue */

  GTask *task;             /* (owned) (nullable) while it counts */
  AmpsQueueDepths *depths; /* (owned) (nullable) what is known so far */
  unsigned int next;       /* queue to be asked about, or that is */
};

static void
queue_clear (gpointer data)
{
  Queue *queue = data;

  g_free (queue->name);
  g_free (queue->label);
}

static void
add_queue (AmpsAmqpDepths *self, const char *name, const char *label)
{
  Queue queue = { .name = g_strdup (name), .label = g_strdup (label) };

  g_array_append_val (self->queues, queue);
}

/**
 * amps_amqp_depths_new:
 * @settings: say which queues there may be; outlive the depths
 * @clock: what waits are measured by
 * @send: (scope forever): how to ask the broker
 * @user_data: passed to @send
 *
 * Returns: (transfer full): what does not count yet
 */
AmpsAmqpDepths *
amps_amqp_depths_new (const AmpsAmqpSettings *settings, AmpsClock *clock, AmpsAmqpDepthsFunc send,
                      gpointer user_data)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);

  AmpsAmqpDepths *self = g_new0 (AmpsAmqpDepths, 1);
  g_auto (GStrv) retry_queues = amps_amqp_topology_list_retry_queues (settings->subject);
  g_autofree char *retries = g_strconcat (settings->subject, ".retry", NULL);

  self->clock = g_object_ref (clock);
  self->send = send;
  self->user_data = user_data;
  self->settings = settings;
  self->queues = g_array_new (FALSE, FALSE, sizeof (Queue));
  g_array_set_clear_func (self->queues, queue_clear);

  add_queue (self, settings->subject, settings->subject);
  if (settings->dead_letter_queue != NULL)
    add_queue (self, settings->dead_letter_queue, settings->dead_letter_queue);
  for (unsigned int i = 0; retry_queues[i] != NULL; i++)
    add_queue (self, retry_queues[i], retries);
  return self;
}

/**
 * amps_amqp_depths_free:
 * @self: (transfer full): depths
 */
void
amps_amqp_depths_free (AmpsAmqpDepths *self)
{
  amps_amqp_depths_fail (self);
  g_array_unref (self->queues);
  g_object_unref (self->clock);
  g_free (self);
}

static Queue *
get_queue (AmpsAmqpDepths *self, unsigned int number)
{
  return &g_array_index (self->queues, Queue, number);
}

/* Asks about the next queue that may exist; those that do not have no messages. */
static void
go_on (AmpsAmqpDepths *self)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);
  g_autoptr (GTask) task = NULL;

  for (; self->next < self->queues->len; self->next++)
    {
      Queue *queue = get_queue (self, self->next);

      if (queue->not_before <= now)
        {
          self->send (amps_amqp_publisher_new_count (queue->name), self->user_data);
          return;
        }
      amps_queue_depths_add (self->depths, queue->label, 0);
    }

  task = g_steal_pointer (&self->task);
  g_task_return_pointer (task, g_steal_pointer (&self->depths),
                         (GDestroyNotify) amps_queue_depths_free);
}

/**
 * amps_amqp_depths_begin:
 * @self: depths
 * @task: (transfer full): returns an AmpsQueueDepths
 * @problem: (nullable): why the broker can't be asked
 *
 * Counts, unless that is under way already.
 */
void
amps_amqp_depths_begin (AmpsAmqpDepths *self, GTask *task, const char *problem)
{
  g_autoptr (GTask) owned = task;

  if (problem != NULL || self->task != NULL)
    {
      g_task_return_new_error (owned, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "%s",
                               problem != NULL ? problem : "the queues are being counted");
      return;
    }

  self->task = g_steal_pointer (&owned);
  self->depths = amps_queue_depths_new ();
  self->next = 0;
  go_on (self);
}

/**
 * amps_amqp_depths_take:
 * @self: depths
 * @n_messages: the answer to what was sent last; -1 when there is no such queue
 */
void
amps_amqp_depths_take (AmpsAmqpDepths *self, gint64 n_messages)
{
  Queue *queue = get_queue (self, self->next);

  g_return_if_fail (self->task != NULL);

  queue->not_before =
      n_messages < 0 ? amps_clock_get_monotonic_time (self->clock) + MISSING_INTERVAL : 0;
  amps_queue_depths_add (self->depths, queue->label, (guint64) MAX (n_messages, 0));
  self->next++;
  go_on (self);
}

/**
 * amps_amqp_depths_fail:
 * @self: depths
 *
 * Says that no answer will come, as the connection has ended. On the next one each
 * queue is looked at again.
 */
void
amps_amqp_depths_fail (AmpsAmqpDepths *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  for (unsigned int i = 0; i < self->queues->len; i++)
    get_queue (self, i)->not_before = 0;
  g_clear_pointer (&self->depths, amps_queue_depths_free);
  if (task != NULL)
    g_task_return_new_error (task, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE,
                             "the connection to the broker was lost");
}

/**
 * amps_amqp_depths_expect:
 * @self: depths
 * @settlement: what a copy is made for
 *
 * Looks again at the queue that the copy goes to, if it did not exist.
 */
void
amps_amqp_depths_expect (AmpsAmqpDepths *self, const AmpsSettlement *settlement)
{
  g_autofree char *name = NULL;
  gint64 step;

  if (settlement->kind == AMPS_SETTLE_RETRY)
    name = amps_amqp_topology_get_retry_queue (self->settings->subject, settlement->delay, &step);
  else if (settlement->kind == AMPS_SETTLE_DEAD_LETTER)
    name = g_strdup (self->settings->dead_letter_queue);

  for (unsigned int i = 0; name != NULL && i < self->queues->len; i++)
    {
      if (g_str_equal (get_queue (self, i)->name, name))
        get_queue (self, i)->not_before = 0;
    }
}
