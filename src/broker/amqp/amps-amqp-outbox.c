/* SPDX-License-Identifier: MIT */
#include "amps-amqp-outbox.h"

#include "amps-amqp-topology.h"
#include "core/amps-error.h"
#include "core/amps-timer-queue.h"

/* Quorum queues under load take their time. */
#define CONFIRM_TIMEOUT AMPS_SECONDS (10)

/* A retry queue that takes a copy no sooner is broken, and there is another way. */
#define RETRY_TIMEOUT AMPS_SECONDS (60)

struct _AmpsAmqpOutbox {
  AmpsClock *clock;          /* (owned) */
  GHashTable *items;         /* (owned) id → (owned) Item */
  AmpsTimerQueue *deadlines; /* (owned) of Item */
  guint64 last_id;
  unsigned int n_overdue; /* items */
  AmpsAmqpTwins *twins;
  AmpsAmqpSettleFunc settle;
  gpointer user_data;
};

typedef struct {
  AmpsAmqpOutbox *outbox;
  guint64 id;
  GTask *task;            /* (owned) (nullable) */
  AmpsDelivery *original; /* (owned) (nullable) of a copy */
  guint64 copy;           /* number; 0 for none */
  gint64 delay;           /* µs: of the copy */
  gint64 retry_step;      /* µs: it goes to the retry queue with this delay; else 0 */
  gboolean overdue;       /* of no more interest than what the broker says to it */
  AmpsSettlementKind otherwise;
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

/* A retry queue that takes nothing, such as a quorum queue without a leader, is like
 * one that may not be declared: there is another way for the job. */
static void
refuse (GTask *task, const char *why)
{
  if (task != NULL)
    g_task_return_new_error (task, AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED,
                             "the retry queue does not take it: %s", why);
}

static void
set_overdue (AmpsAmqpOutbox *self, Item *item)
{
  refuse (item->task, "the broker did not confirm the message in time");
  g_clear_object (&item->task);
  g_clear_pointer (&item->original, amps_delivery_unref);
  item->overdue = TRUE;
  self->n_overdue++;
}

static void
on_deadline (gpointer data, gpointer user_data)
{
  AmpsAmqpOutbox *self = user_data;
  Item *item = data;
  g_autoptr (GError) problem = g_error_new_literal (
      AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "the broker did not confirm the message in time");

  item->deadline = NULL;
  amps_amqp_twins_expect (self->twins, item->copy, item->delay);
  if (item->retry_step > 0)
    set_overdue (self, item);
  else
    amps_amqp_outbox_end (self, item->id, problem);
}

/**
 * amps_amqp_outbox_new:
 * @clock: what time is measured by
 * @twins: told of copies that may be made again although they are there; outlives the outbox
 * @settle: called for the originals of copies
 * @user_data: passed to @settle
 *
 * Returns: (transfer full): an empty outbox
 */
AmpsAmqpOutbox *
amps_amqp_outbox_new (AmpsClock *clock, AmpsAmqpTwins *twins, AmpsAmqpSettleFunc settle,
                      gpointer user_data)
{
  AmpsAmqpOutbox *self = g_new0 (AmpsAmqpOutbox, 1);

  self->clock = g_object_ref (clock);
  self->items = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, item_free);
  self->deadlines = amps_timer_queue_new (clock, "confirms", on_deadline, self);
  self->twins = twins;
  self->settle = settle;
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

static Item *
add_item (AmpsAmqpOutbox *self, GTask *task, gint64 timeout)
{
  Item *item = g_new0 (Item, 1);

  item->outbox = self;
  item->id = ++self->last_id;
  item->task = task;
  if (timeout > 0)
    item->deadline = amps_timer_queue_add (
        self->deadlines, amps_clock_get_monotonic_time (self->clock) + timeout, item);
  g_hash_table_insert (self->items, &item->id, item);
  return item;
}

/**
 * amps_amqp_outbox_add:
 * @self: an outbox
 * @task: (transfer full): told how it went, in a limited time
 *
 * Returns: the id to publish it under
 */
guint64
amps_amqp_outbox_add (AmpsAmqpOutbox *self, GTask *task)
{
  return add_item (self, task, CONFIRM_TIMEOUT)->id;
}

/* Whether the retry queue with that delay still owes an answer. */
static gboolean
is_overdue (AmpsAmqpOutbox *self, gint64 retry_step)
{
  GHashTableIter iter;
  gpointer value;

  if (self->n_overdue == 0)
    return FALSE;

  g_hash_table_iter_init (&iter, self->items);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Item *item = value;

      if (item->overdue && item->retry_step == retry_step)
        return TRUE;
    }

  return FALSE;
}

/**
 * amps_amqp_outbox_add_copy:
 * @self: an outbox
 * @task: (transfer full) (nullable): told how it went
 * @original: what it is a copy of
 * @settlement: why; only read during the call
 * @otherwise: how @original is settled if the copy is not confirmed:
 *   %AMPS_SETTLE_RELEASE or %AMPS_SETTLE_RETURN; anything else leaves that to
 *   whom @task tells
 *
 * A copy has all the time in the world, as long as the connection lives and
 * there is nowhere else to put it: a second one would only be one too many. But
 * while one is overdue at a retry queue that gets no more: each could hold up the
 * channel for as long again.
 *
 * Returns: the id to publish it under; 0 if it must not be
 */
guint64
amps_amqp_outbox_add_copy (AmpsAmqpOutbox *self, GTask *task, AmpsDelivery *original,
                           const AmpsSettlement *settlement, AmpsSettlementKind otherwise)
{
  gint64 retry_step = settlement->kind == AMPS_SETTLE_RETRY
                          ? amps_amqp_topology_get_retry_step (settlement->delay)
                          : 0;
  Item *item;

  if (retry_step > 0 && is_overdue (self, retry_step))
    {
      refuse (task, "others have not been confirmed in time");
      g_clear_object (&task);
      return 0;
    }

  item = add_item (self, task, retry_step > 0 ? RETRY_TIMEOUT : 0);
  item->retry_step = retry_step;
  item->original = amps_delivery_ref (original);
  item->copy = settlement->copy;
  item->delay = settlement->delay;
  item->otherwise = otherwise;
  return item->id;
}

static gboolean
gives_back (AmpsSettlementKind kind)
{
  return kind == AMPS_SETTLE_RELEASE || kind == AMPS_SETTLE_RETURN;
}

/* Returns: whether that settles what was published */
static gboolean
settle_original (AmpsAmqpOutbox *self, Item *item, gboolean confirmed)
{
  gboolean settled = confirmed || gives_back (item->otherwise);

  if (settled)
    self->settle (item->original, confirmed ? AMPS_SETTLE_ACKNOWLEDGE : item->otherwise,
                  self->user_data);
  return settled;
}

static void
end_item (AmpsAmqpOutbox *self, Item *item, const GError *problem)
{
  gboolean succeeded = problem == NULL;

  if (item->original != NULL)
    succeeded = settle_original (self, item, succeeded);

  if (item->task != NULL && succeeded)
    g_task_return_boolean (item->task, TRUE);
  else if (item->task != NULL)
    g_task_return_error (item->task, g_error_copy (problem));

  self->n_overdue -= item->overdue ? 1 : 0;
  g_hash_table_remove (self->items, &item->id);
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

  if (problem != NULL && item->retry_step > 0)
    {
      refuse (item->task, problem->message);
      g_clear_object (&item->task);
    }
  end_item (self, item, problem);
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
    {
      Item *item = l->data;

      amps_amqp_twins_expect (self->twins, item->copy, item->delay);
      end_item (self, item, problem);
    }
}
