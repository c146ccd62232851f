/* SPDX-License-Identifier: MIT */
#include "amps-amqp-outbox.h"

#include "core/amps-error.h"
#include "core/amps-timer-queue.h"

/* Quorum queues under load take their time. */
#define CONFIRM_TIMEOUT AMPS_SECONDS (10)

struct _AmpsAmqpOutbox {
  AmpsClock *clock;          /* (owned) */
  GHashTable *items;         /* (owned) id → (owned) Item */
  AmpsTimerQueue *deadlines; /* (owned) of Item */
  guint64 last_id;
  AmpsAmqpCopiedFunc copied;
  gpointer user_data;
};

typedef struct {
  AmpsAmqpOutbox *outbox;
  guint64 id;
  GTask *task;              /* (owned) (nullable) */
  AmpsDelivery *original;   /* (owned) (nullable) of a copy */
  AmpsTimerEntry *deadline; /* (nullable) */
} Item;

static void
item_free (gpointer data)
{
  Item *item = data;

  if (item->deadline != NULL)
    amps_timer_queue_remove (item->outbox->deadlines, item->deadline);
  g_clear_object (&item->task);
  g_clear_pointer (&item->original, amps_delivery_unref);
  g_free (item);
}

static void
on_deadline (gpointer data, gpointer user_data)
{
  Item *item = data;
  g_autoptr (GError) problem = g_error_new (AMPS_ERROR, AMPS_ERROR_UNAVAILABLE,
                                            "the broker did not confirm the message within %d s",
                                            (int) (CONFIRM_TIMEOUT / G_USEC_PER_SEC));

  item->deadline = NULL;
  amps_amqp_outbox_end (user_data, item->id, problem);
}

/**
 * amps_amqp_outbox_new:
 * @clock: what time is measured by
 * @copied: called about copies
 * @user_data: passed to @copied
 *
 * Returns: (transfer full): an empty outbox
 */
AmpsAmqpOutbox *
amps_amqp_outbox_new (AmpsClock *clock, AmpsAmqpCopiedFunc copied, gpointer user_data)
{
  AmpsAmqpOutbox *self = g_new0 (AmpsAmqpOutbox, 1);

  self->clock = g_object_ref (clock);
  self->items = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, item_free);
  self->deadlines = amps_timer_queue_new (clock, "confirms", on_deadline, self);
  self->copied = copied;
  self->user_data = user_data;
  return self;
}

/**
 * amps_amqp_outbox_free:
 * @self: (transfer full): an outbox
 */
void
amps_amqp_outbox_free (AmpsAmqpOutbox *self)
{
  g_hash_table_unref (self->items);
  amps_timer_queue_free (self->deadlines);
  g_object_unref (self->clock);
  g_free (self);
}

/**
 * amps_amqp_outbox_add:
 * @self: an outbox
 * @task: (transfer full) (nullable): told how it went
 * @original: (nullable): what it is a copy of
 *
 * Returns: the id to publish it under
 */
guint64
amps_amqp_outbox_add (AmpsAmqpOutbox *self, GTask *task, AmpsDelivery *original)
{
  Item *item = g_new0 (Item, 1);

  item->outbox = self;
  item->id = ++self->last_id;
  item->task = task;
  item->original = original != NULL ? amps_delivery_ref (original) : NULL;
  item->deadline = amps_timer_queue_add (
      self->deadlines, amps_clock_get_monotonic_time (self->clock) + CONFIRM_TIMEOUT, item);
  g_hash_table_insert (self->items, &item->id, item);
  return item->id;
}

/**
 * amps_amqp_outbox_end:
 * @self: an outbox
 * @id: of something that was added, or has ended long ago
 * @problem: (nullable): why it is not confirmed
 *
 * A copy that is confirmed has settled its job, even if the original can't be
 * acknowledged any more: that is left to the memory of finished jobs.
 */
void
amps_amqp_outbox_end (AmpsAmqpOutbox *self, guint64 id, const GError *problem)
{
  Item *item = g_hash_table_lookup (self->items, &id);

  if (item == NULL)
    return;

  if (item->original != NULL && (problem == NULL || item->task == NULL))
    self->copied (item->original, problem == NULL, self->user_data);

  if (item->task != NULL && problem != NULL)
    g_task_return_error (item->task, g_error_copy (problem));
  else if (item->task != NULL)
    g_task_return_boolean (item->task, TRUE);

  g_hash_table_remove (self->items, &id);
}

/**
 * amps_amqp_outbox_fail_all:
 * @self: an outbox
 *
 * Ends everything, because the connection broke.
 */
void
amps_amqp_outbox_fail_all (AmpsAmqpOutbox *self)
{
  g_autoptr (GError) problem = g_error_new_literal (
      AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "the connection broke before the message was confirmed");
  g_autoptr (GList) items = g_hash_table_get_values (self->items);

  for (GList *l = items; l != NULL; l = l->next)
    amps_amqp_outbox_end (self, ((Item *) l->data)->id, problem);
}
