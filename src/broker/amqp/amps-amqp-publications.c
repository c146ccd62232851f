/* SPDX-License-Identifier: MIT */
#include "amps-amqp-publications.h"

#include "amps-amqp-topology.h"
#include "base/amps-error.h"
#include "base/amps-timer-queue.h"

/* Quorum queues under load take their time. */
#define CONFIRM_TIMEOUT AMPS_SECONDS (10)

/* A queue that takes a copy no sooner is broken: jobs to be retried have another way,
 * and of dead letters somebody has to know. */
#define COPY_TIMEOUT AMPS_SECONDS (60)

/* So many copies are sent to other queues and not answered: what RabbitMQ reads of a
 * connection for a channel that is busy fills up with 400, and then it reads no more. */
#define MAX_COPIES_SENT 200

/* A channel that waits for a queue says so every 65 s; but to copies for a queue that
 * is deleted then nothing is said, ever. */
#define MAX_SILENCE AMPS_SECONDS (150)

/* The lane of dead letters; that of a retry is the delay of its queue. */
#define DEAD_LETTERS G_MAXINT64

struct _AmpsAmqpPublications {
  AmpsClock *clock;          /* (owned) */
  GHashTable *items;         /* (owned) id → (owned) Item */
  AmpsTimerQueue *deadlines; /* (owned) of Item */
  guint64 last_id;
  unsigned int n_sent;    /* of those with a lane, and not answered */
  unsigned int n_overdue; /* of them */
  GQueue held;            /* (owned) of Item, to be sent when there are fewer */
  GHashTable *late;       /* (owned) numbers of dead letters that were confirmed when overdue */
  AmpsAmqpDeduplicator *deduplicator;
  AmpsAmqpSettleOriginalFunc settle;
  AmpsAmqpSendFunc send;
  gpointer user_data;
};

typedef struct {
  AmpsAmqpPublications *publications;
  guint64 id;
  GTask *task;              /* (owned) (nullable) */
  AmpsDelivery *original;   /* (owned) (nullable) of a copy */
  AmpsAmqpCommand *command; /* (owned) (nullable) while it is held */
  guint64 copy;             /* number; 0 for none */
  gint64 delay;             /* µs: of the copy */
  gint64 lane;              /* what it shares with copies to the same queue; 0 for the subject */
  gboolean sent;
  gboolean overdue; /* of no more interest than what the broker says to it */
  gint64 heard;     /* monotonic µs: when its queue was last heard of, or it was overdue */
  AmpsSettlementKind otherwise;
  AmpsTimerEntry *deadline; /* (nullable) */
} Item;

/* It is neither sent nor missed any more. */
static void
withdraw (Item *item)
{
  AmpsAmqpCommand *command = g_steal_pointer (&item->command);

  if (item->deadline != NULL)
    amps_timer_queue_remove (item->publications->deadlines, g_steal_pointer (&item->deadline));
  if (command != NULL)
    {
      g_queue_remove (&item->publications->held, item);
      command->free (command);
    }
}

static void
item_free (gpointer data)
{
  Item *item = data;

  withdraw (item);
  g_clear_object (&item->task);
  g_clear_pointer (&item->original, amps_delivery_unref);
  g_free (item);
}

/* A retry queue that takes nothing, such as a quorum queue without a leader, is like
 * one that may not be declared: there is another way for the job. */
static GError *
amqp_publications_make_refusal (gint64 lane, const char *why)
{
  if (lane == DEAD_LETTERS)
    return g_error_new (AMPS_ERROR, AMPS_ERROR_UNAVAILABLE,
                        "the dead-letter queue does not take them: %s", why);

  return g_error_new (AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED, "the retry queue does not take it: %s",
                      why);
}

static void
amqp_publications_refuse (GTask *task, gint64 lane, const char *why)
{
  if (task != NULL)
    g_task_return_error (task, amqp_publications_make_refusal (lane, why));
}

/* It may still come, however late. */
static void
wait_on (AmpsAmqpPublications *self, Item *item)
{
  item->heard = amps_clock_get_monotonic_time (self->clock);
  amps_amqp_deduplicator_expect (self->deduplicator, item->copy, item->delay);
}

/* What the broker says to it is still of interest. */
static void
set_overdue (AmpsAmqpPublications *self, Item *item)
{
  g_clear_pointer (&item->original, amps_delivery_unref);
  item->overdue = TRUE;
  self->n_overdue++;
  wait_on (self, item);
}

static void
miss_copy (AmpsAmqpPublications *self, Item *item, const GError *problem)
{
  g_autoptr (GTask) task = g_steal_pointer (&item->task);
  gint64 lane = item->lane;

  if (item->sent)
    set_overdue (self, item);
  else
    g_hash_table_remove (self->items, &item->id);
  amqp_publications_refuse (task, lane, problem->message);
}

static void
amqp_publications_on_deadline (gpointer data, gpointer user_data)
{
  AmpsAmqpPublications *self = user_data;
  Item *item = data;
  g_autoptr (GError) problem = g_error_new_literal (
      AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "the broker did not confirm the message in time");

  item->deadline = NULL;
  if (item->lane > 0)
    miss_copy (self, item, problem);
  else
    amps_amqp_publications_end (self, item->id, problem);
}

/**
 * amps_amqp_publications_new:
 * @clock: what time is measured by
 * @deduplicator: told of copies that may be made again although they are there; outlives the
 * publications
 * @settle: (scope forever): called for the originals of copies
 * @send: (scope forever): called for copies, as long as there is a connection
 * @user_data: passed to both
 *
 * Returns: (transfer full): publications, none yet
 */
AmpsAmqpPublications *
amps_amqp_publications_new (AmpsClock *clock, AmpsAmqpDeduplicator *deduplicator,
                            AmpsAmqpSettleOriginalFunc settle, AmpsAmqpSendFunc send,
                            gpointer user_data)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);

  AmpsAmqpPublications *self = g_new0 (AmpsAmqpPublications, 1);

  self->clock = g_object_ref (clock);
  self->items = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, item_free);
  self->deadlines = amps_timer_queue_new (clock, "confirms", amqp_publications_on_deadline, self);
  self->late = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->deduplicator = deduplicator;
  self->settle = settle;
  self->send = send;
  self->user_data = user_data;
  return self;
}

/**
 * amps_amqp_publications_free:
 * @self: (transfer full): publications
 */
void
amps_amqp_publications_free (AmpsAmqpPublications *self)
{
  g_hash_table_unref (self->items);
  g_hash_table_unref (self->late);
  amps_timer_queue_free (self->deadlines);
  g_object_unref (self->clock);
  g_free (self);
}

static Item *
add_item (AmpsAmqpPublications *self, GTask *task, gint64 timeout)
{
  Item *item = g_new0 (Item, 1);

  item->publications = self;
  item->id = ++self->last_id;
  item->task = task;
  if (timeout > 0)
    item->deadline = amps_timer_queue_add (
        self->deadlines, amps_clock_get_monotonic_time (self->clock) + timeout, item);
  g_hash_table_insert (self->items, &item->id, item);
  return item;
}

/**
 * amps_amqp_publications_add:
 * @self: publications
 * @task: (transfer full): told how it went, in a limited time
 *
 * Returns: the id to publish it under
 */
guint64
amps_amqp_publications_add (AmpsAmqpPublications *self, GTask *task)
{
  return add_item (self, task, CONFIRM_TIMEOUT)->id;
}

/* Whether the queue of that lane, or any if it is 0, still owes an answer, and has given
 * none since @heard. */
static gboolean
amqp_publications_is_overdue (AmpsAmqpPublications *self, gint64 lane, gint64 heard)
{
  GHashTableIter iter;
  gpointer value;

  if (self->n_overdue == 0)
    return FALSE;

  g_hash_table_iter_init (&iter, self->items);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Item *item = value;

      if (item->overdue && (lane == 0 || item->lane == lane) && item->heard <= heard)
        return TRUE;
    }

  return FALSE;
}

static gint64
get_lane (const AmpsSettlement *settlement)
{
  if (settlement->kind == AMPS_SETTLE_DEAD_LETTER)
    return DEAD_LETTERS;

  return settlement->kind == AMPS_SETTLE_RETRY
             ? amps_amqp_topology_get_retry_step (settlement->delay)
             : 0;
}

/**
 * amps_amqp_publications_add_copy:
 * @self: publications
 * @task: (transfer full) (nullable): told how it went: returns an AmpsSettled
 * @original: what it is a copy of
 * @settlement: why; only read during the call
 * @otherwise: how @original is settled if the copy is not confirmed:
 *   %AMPS_SETTLE_REQUEUE or %AMPS_SETTLE_REQUEUE_FAILED; anything else leaves that to
 *   whom @task tells
 *
 * A copy for the subject has all the time in the world, as long as the connection
 * lives and there is nowhere else to put it: a second one would only be one too many.
 * But while one is overdue at another queue that gets no more: each could hold up the
 * channel for as long again. A dead letter that was confirmed too late for the one who
 * waited for it is not made again.
 *
 * Returns: the id to publish it under; 0 if it must not be
 */
guint64
amps_amqp_publications_add_copy (AmpsAmqpPublications *self, GTask *task, AmpsDelivery *original,
                                 const AmpsSettlement *settlement, AmpsSettlementKind otherwise)
{
  gint64 lane = get_lane (settlement);
  Item *item;

  if (lane == DEAD_LETTERS && g_hash_table_remove (self->late, &settlement->copy))
    {
      self->settle (original, AMPS_SETTLE_ACKNOWLEDGE, self->user_data);
      if (task != NULL)
        g_task_return_int (task, AMPS_SETTLED_MOVED);
      g_clear_object (&task);
      return 0;
    }

  if (lane > 0 && amqp_publications_is_overdue (self, lane, G_MAXINT64))
    {
      amqp_publications_refuse (task, lane, "others have not been confirmed in time");
      g_clear_object (&task);
      return 0;
    }

  item = add_item (self, task, lane > 0 ? COPY_TIMEOUT : 0);
  item->lane = lane;
  item->original = amps_delivery_ref (original);
  item->copy = settlement->copy;
  item->delay = settlement->delay;
  item->otherwise = otherwise;
  return item->id;
}

static void
send_held (AmpsAmqpPublications *self)
{
  Item *item;

  while (self->n_sent < MAX_COPIES_SENT && (item = g_queue_pop_head (&self->held)) != NULL)
    {
      self->n_sent++;
      item->sent = TRUE;
      self->send (g_steal_pointer (&item->command), self->user_data);
    }
}

/**
 * amps_amqp_publications_send_copy:
 * @self: publications
 * @id: of a copy that was added
 * @command: (transfer full): publishes it
 *
 * Sends a copy, now or, unless it is for the subject, when few enough are under way.
 */
void
amps_amqp_publications_send_copy (AmpsAmqpPublications *self, guint64 id, AmpsAmqpCommand *command)
{
  Item *item = g_hash_table_lookup (self->items, &id);

  if (item->lane == 0)
    {
      item->sent = TRUE;
      self->send (command, self->user_data);
      return;
    }

  item->command = command;
  g_queue_push_tail (&self->held, item);
  send_held (self);
}

/**
 * amps_amqp_publications_is_ignored:
 * @self: publications
 *
 * Returns: whether a queue for copies owes answers, and has given none for so long that
 *   only another connection helps
 */
gboolean
amps_amqp_publications_is_ignored (AmpsAmqpPublications *self)
{
  return amqp_publications_is_overdue (self, 0,
                                       amps_clock_get_monotonic_time (self->clock) - MAX_SILENCE);
}

static gboolean
gives_back (AmpsSettlementKind kind)
{
  return kind == AMPS_SETTLE_REQUEUE || kind == AMPS_SETTLE_REQUEUE_FAILED;
}

/* Returns: whether that settles what was published */
static gboolean
settle_original (AmpsAmqpPublications *self, Item *item, gboolean confirmed)
{
  gboolean settled = confirmed || gives_back (item->otherwise);

  if (settled)
    self->settle (item->original, confirmed ? AMPS_SETTLE_ACKNOWLEDGE : item->otherwise,
                  self->user_data);
  return settled;
}

/* What stays in the subject has not gone anywhere. */
static void
tell_success (const Item *item)
{
  if (item->original == NULL)
    g_task_return_boolean (item->task, TRUE);
  else
    g_task_return_int (item->task, item->lane > 0 ? AMPS_SETTLED_MOVED : AMPS_SETTLED_REQUEUED);
}

/* Whoever is told may come back with more at once, so all is in order before.
 * @item: (transfer full): is off the publications */
static void
tell_end (AmpsAmqpPublications *self, Item *item, const GError *problem)
{
  gboolean succeeded = problem == NULL;

  if (item->original != NULL)
    succeeded = settle_original (self, item, succeeded);

  if (item->task != NULL && succeeded)
    tell_success (item);
  else if (item->task != NULL)
    g_task_return_error (item->task, g_error_copy (problem));
  item_free (item);
}

static void
end_item (AmpsAmqpPublications *self, Item *item, const GError *problem)
{
  if (item->lane == DEAD_LETTERS && item->copy != 0 && item->overdue && problem == NULL)
    g_hash_table_add (self->late, g_memdup2 (&item->copy, sizeof item->copy));
  self->n_sent -= item->lane > 0 && item->sent ? 1 : 0;
  self->n_overdue -= item->overdue ? 1 : 0;
  g_hash_table_steal (self->items, &item->id);
  withdraw (item);
  tell_end (self, item, problem);
}

/* The queue of that lane has given an answer: others may follow. */
static void
hear (AmpsAmqpPublications *self, gint64 lane)
{
  GHashTableIter iter;
  gpointer value;

  if (self->n_overdue == 0)
    return;

  g_hash_table_iter_init (&iter, self->items);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Item *item = value;

      if (item->overdue && item->lane == lane)
        wait_on (self, item);
    }
}

/**
 * amps_amqp_publications_end:
 * @self: publications
 * @id: of something that was added, or has ended long ago
 * @problem: (nullable): why it is not confirmed
 *
 * A copy that is confirmed has settled its job, even if the original can't be
 * acknowledged any more: that is left to the memory of finished jobs.
 */
void
amps_amqp_publications_end (AmpsAmqpPublications *self, guint64 id, const GError *problem)
{
  Item *item = g_hash_table_lookup (self->items, &id);
  g_autoptr (GError) refused = NULL;

  if (item == NULL)
    return;

  if (item->lane > 0)
    hear (self, item->lane);
  if (item->lane > 0 && item->lane != DEAD_LETTERS && problem != NULL)
    refused = amqp_publications_make_refusal (item->lane, problem->message);
  end_item (self, item, refused != NULL ? refused : problem);
  send_held (self);
}

/**
 * amps_amqp_publications_fail_all:
 * @self: publications
 *
 * Ends everything, because the connection broke.
 */
void
amps_amqp_publications_fail_all (AmpsAmqpPublications *self)
{
  g_autoptr (GError) problem = g_error_new_literal (
      AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "the connection broke before the message was confirmed");
  g_autoptr (GList) items = g_hash_table_get_values (self->items);

  g_hash_table_remove_all (self->late);
  g_hash_table_steal_all (self->items);
  self->n_sent = 0;
  self->n_overdue = 0;

  for (GList *l = items; l != NULL; l = l->next)
    {
      Item *item = l->data;

      withdraw (item);
      if (item->sent)
        amps_amqp_deduplicator_expect (self->deduplicator, item->copy, item->delay);
    }

  for (GList *l = items; l != NULL; l = l->next)
    tell_end (self, l->data, problem);
}
