/* SPDX-License-Identifier: MIT */
#include "amps-timer-queue.h"

typedef struct {
  gint64 due; /* monotonic µs */
  gpointer item;
} Entry;

struct _AmpsTimerQueue {
  AmpsClock *clock;   /* (owned) */
  GSequence *entries; /* (owned) of Entry, earliest first */
  GSource *timer;     /* (owned) due with the first entry */
  AmpsTimerQueueFunc func;
  gpointer user_data;
};

static Entry *
get_first (AmpsTimerQueue *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->entries);

  return g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
}

static void
watch_first (AmpsTimerQueue *self)
{
  const Entry *first = get_first (self);
  gint64 due = first != NULL ? first->due : -1;

  if (amps_timer_get_due (self->timer) != due)
    amps_timer_set_due (self->timer, due);
}

static void
run_until (AmpsTimerQueue *self, gint64 now)
{
  const Entry *first;

  while ((first = get_first (self)) != NULL && first->due <= now)
    {
      gpointer item = first->item;

      g_sequence_remove (g_sequence_get_begin_iter (self->entries));
      self->func (item, self->user_data);
    }

  watch_first (self);
}

static gboolean
timer_queue_on_timer (gpointer user_data)
{
  AmpsTimerQueue *self = user_data;

  run_until (self, amps_clock_get_monotonic_time (self->clock));
  return G_SOURCE_CONTINUE;
}

/**
 * amps_timer_queue_new:
 * @clock: what it goes by
 * @name: a static name, for debuggers
 * @func: (scope forever): called for what is due, in the thread-default context of the caller
 * @user_data: passed to @func
 *
 * Returns: (transfer full): an empty queue
 */
AmpsTimerQueue *
amps_timer_queue_new (AmpsClock *clock, const char *name, AmpsTimerQueueFunc func,
                      gpointer user_data)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);

  AmpsTimerQueue *self = g_new0 (AmpsTimerQueue, 1);

  self->clock = g_object_ref (clock);
  self->entries = g_sequence_new (g_free);
  self->func = func;
  self->user_data = user_data;
  self->timer = amps_clock_create_timer (clock, name);
  g_source_set_callback (self->timer, timer_queue_on_timer, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());

  return self;
}

/**
 * amps_timer_queue_free:
 * @self: (transfer full): a queue, with nothing in it that @func would have to free
 */
void
amps_timer_queue_free (AmpsTimerQueue *self)
{
  amps_timer_free (self->timer);
  g_sequence_free (self->entries);
  g_object_unref (self->clock);
  g_free (self);
}

static int
compare_due (gconstpointer a, gconstpointer b, gpointer user_data G_GNUC_UNUSED)
{
  gint64 due_a = ((const Entry *) a)->due;
  gint64 due_b = ((const Entry *) b)->due;

  return (due_a > due_b) - (due_a < due_b);
}

/**
 * amps_timer_queue_add:
 * @self: a queue
 * @due: monotonic µs
 * @item: passed to the function when @due has come
 *
 * Returns: (transfer none): its place, to remove it by
 */
AmpsTimerEntry *
amps_timer_queue_add (AmpsTimerQueue *self, gint64 due, gpointer item)
{
  Entry *entry = g_new (Entry, 1);
  GSequenceIter *place;

  entry->due = due;
  entry->item = item;
  place = g_sequence_insert_sorted (self->entries, entry, compare_due, NULL);
  watch_first (self);
  return place;
}

/**
 * amps_timer_queue_remove:
 * @self: a queue
 * @entry: (transfer full): what amps_timer_queue_add() gave
 */
void
amps_timer_queue_remove (AmpsTimerQueue *self, AmpsTimerEntry *entry)
{
  g_sequence_remove (entry);
  watch_first (self);
}

/**
 * amps_timer_queue_take_all:
 * @self: a queue
 *
 * Empties the queue.
 *
 * Returns: (transfer container): the items that were in it, the first due first
 */
GPtrArray *
amps_timer_queue_take_all (AmpsTimerQueue *self)
{
  GPtrArray *items = g_ptr_array_new ();
  const Entry *first;

  while ((first = get_first (self)) != NULL)
    {
      g_ptr_array_add (items, first->item);
      g_sequence_remove (g_sequence_get_begin_iter (self->entries));
    }

  watch_first (self);
  return items;
}

/**
 * amps_timer_queue_flush:
 * @self: a queue
 *
 * Treats everything in the queue as due, but not what is added by it.
 */
void
amps_timer_queue_flush (AmpsTimerQueue *self)
{
  g_autoptr (GPtrArray) items = amps_timer_queue_take_all (self);

  for (unsigned int i = 0; i < items->len; i++)
    self->func (g_ptr_array_index (items, i), self->user_data);
}
