/* SPDX-License-Identifier: MIT */
#include "amps-amqp-deduplicator.h"

#include "amps-amqp-properties.h"
#include "base/amps-timer-queue.h"

/* Both copies come when their delay is over. Much later one of that name is rather a
 * replay, which has to run. */
#define MAX_AGE AMPS_SECONDS (600)

typedef struct {
  char *name; /* (owned) */
  gboolean seen;
  AmpsTimerEntry *end;
} Entry;

struct _AmpsAmqpDeduplicator {
  AmpsClock *clock;     /* (owned) */
  char *boot;           /* (owned) what all names of this process begin with */
  GHashTable *entries;  /* (owned) name → (owned) Entry */
  AmpsTimerQueue *ends; /* (owned) of Entry */
};

static void
amqp_deduplicator_on_end (gpointer item, gpointer user_data)
{
  AmpsAmqpDeduplicator *self = user_data;
  Entry *entry = item;

  entry->end = NULL;
  g_hash_table_remove (self->entries, entry->name);
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_free (entry->name);
  g_free (entry);
}

/**
 * amps_amqp_deduplicator_new:
 * @clock: what time is measured by
 *
 * Returns: (transfer full): with no deduplicator expected
 */
AmpsAmqpDeduplicator *
amps_amqp_deduplicator_new (AmpsClock *clock)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);

  AmpsAmqpDeduplicator *self = g_new0 (AmpsAmqpDeduplicator, 1);

  self->clock = g_object_ref (clock);
  self->boot = g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, entry_free);
  self->ends = amps_timer_queue_new (clock, "deduplicator", amqp_deduplicator_on_end, self);
  return self;
}

/**
 * amps_amqp_deduplicator_free:
 * @self: (transfer full): a deduplicator
 */
void
amps_amqp_deduplicator_free (AmpsAmqpDeduplicator *self)
{
  amps_timer_queue_free (self->ends);
  g_hash_table_unref (self->entries);
  g_object_unref (self->clock);
  g_free (self->boot);
  g_free (self);
}

/**
 * amps_amqp_deduplicator_make_name:
 * @self: a deduplicator
 * @copy: number of a copy in this process; 0 for none
 *
 * Returns: (transfer full) (nullable): what to call it, the same each time
 */
char *
amps_amqp_deduplicator_make_name (AmpsAmqpDeduplicator *self, guint64 copy)
{
  return copy != 0 ? g_strdup_printf ("%s-%" G_GUINT64_FORMAT, self->boot, copy) : NULL;
}

static void
remove_entry (AmpsAmqpDeduplicator *self, Entry *entry)
{
  amps_timer_queue_remove (self->ends, g_steal_pointer (&entry->end));
  g_hash_table_remove (self->entries, entry->name);
}

/**
 * amps_amqp_deduplicator_expect:
 * @self: a deduplicator
 * @copy: number of a copy that may be with the broker, and is made again; 0 for none
 * @delay: µs for which the broker keeps it back
 */
void
amps_amqp_deduplicator_expect (AmpsAmqpDeduplicator *self, guint64 copy, gint64 delay)
{
  g_autofree char *name = amps_amqp_deduplicator_make_name (self, copy);
  gint64 end = amps_clock_get_monotonic_time (self->clock) + delay + MAX_AGE;
  Entry *entry;

  if (name == NULL)
    return;

  entry = g_hash_table_lookup (self->entries, name);
  if (entry == NULL)
    {
      entry = g_new0 (Entry, 1);
      entry->name = g_steal_pointer (&name);
      g_hash_table_insert (self->entries, entry->name, entry);
    }
  else
    {
      amps_timer_queue_remove (self->ends, entry->end);
    }
  entry->end = amps_timer_queue_add (self->ends, end, entry);
}

/* Hardly ever is one expected, so hardly ever a header is read. */
static Entry *
amqp_deduplicator_find (AmpsAmqpDeduplicator *self, const AmpsDelivery *delivery)
{
  g_autofree char *name = NULL;

  if (g_hash_table_size (self->entries) == 0 || delivery->copy == 0 || delivery->properties == NULL)
    return NULL;

  name = amps_amqp_properties_dup_copy_name (delivery->properties);
  return name != NULL ? g_hash_table_lookup (self->entries, name) : NULL;
}

/**
 * amps_amqp_deduplicator_forget:
 * @self: a deduplicator
 * @delivery: what goes where somebody may replay it from
 */
void
amps_amqp_deduplicator_forget (AmpsAmqpDeduplicator *self, const AmpsDelivery *delivery)
{
  Entry *entry = amqp_deduplicator_find (self, delivery);

  if (entry != NULL)
    remove_entry (self, entry);
}

/**
 * amps_amqp_deduplicator_meet:
 * @self: a deduplicator
 * @delivery: what has come; it is told whether its copy was made more than once
 *
 * Returns: whether @delivery is superfluous, as its like came here before
 */
gboolean
amps_amqp_deduplicator_meet (AmpsAmqpDeduplicator *self, AmpsDelivery *delivery)
{
  Entry *entry = amqp_deduplicator_find (self, delivery);
  gboolean superfluous;

  if (entry == NULL)
    return FALSE;

  /* One that is redelivered may be the first one again. */
  superfluous = entry->seen && !delivery->redelivered;
  /* Another AMPS may have had the first one before, which then comes as redelivered. */
  entry->seen = TRUE;
  delivery->repeated = TRUE;
  return superfluous;
}
