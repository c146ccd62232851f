/* SPDX-License-Identifier: MIT */
#include "amps-amqp-acknowledger.h"

#define INITIAL_CAPACITY 256

typedef enum {
  OUTSTANDING,
  SETTLED,
} TagState;

typedef struct {
  guint64 tag;
  AmpsSettlementKind kind;
} Unsent;

/* The tags of a channel are 1, 2, 3…, so a ring of states is all it takes. */
struct _AmpsAmqpAcknowledger {
  guint8 *states;   /* (owned) TagState by tag modulo @capacity */
  guint64 capacity; /* a power of two */
  guint64 first;    /* no lower tag is outstanding */
  guint64 next;     /* the tag of the next delivery */
  GArray *unsent;   /* (owned) of Unsent: settled, but the broker does not know */
};

/**
 * amps_amqp_acknowledger_new:
 *
 * Returns: (transfer full): for a new channel
 */
AmpsAmqpAcknowledger *
amps_amqp_acknowledger_new (void)
{
  AmpsAmqpAcknowledger *self = g_new0 (AmpsAmqpAcknowledger, 1);

  self->capacity = INITIAL_CAPACITY;
  self->states = g_new (guint8, self->capacity);
  self->first = 1;
  self->next = 1;
  self->unsent = g_array_new (FALSE, FALSE, sizeof (Unsent));
  return self;
}

/**
 * amps_amqp_acknowledger_free:
 * @self: (transfer full): an acknowledger
 */
void
amps_amqp_acknowledger_free (AmpsAmqpAcknowledger *self)
{
  g_free (self->states);
  g_array_unref (self->unsent);
  g_free (self);
}

static guint8 *
amqp_acknowledger_get_state (AmpsAmqpAcknowledger *self, guint64 tag)
{
  return &self->states[tag & (self->capacity - 1)];
}

static void
grow (AmpsAmqpAcknowledger *self)
{
  guint64 old_capacity = self->capacity;
  g_autofree guint8 *old_states = self->states;

  self->capacity *= 2;
  self->states = g_new (guint8, self->capacity);
  for (guint64 tag = self->first; tag < self->next; tag++)
    *amqp_acknowledger_get_state (self, tag) = old_states[tag & (old_capacity - 1)];
}

/**
 * amps_amqp_acknowledger_add_delivery:
 * @self: an acknowledger
 * @tag: of a delivery that has come
 *
 * Returns: whether @tag is one more than the last (AMQP 0-9-1, 1.1: `delivery-tag`); if
 *   not, the broker breaks the protocol, and nothing that is said of @tag would be safe
 */
gboolean
amps_amqp_acknowledger_add_delivery (AmpsAmqpAcknowledger *self, guint64 tag)
{
  if (tag != self->next)
    return FALSE;

  if (self->next - self->first == self->capacity)
    grow (self);

  *amqp_acknowledger_get_state (self, tag) = OUTSTANDING;
  self->next++;
  return TRUE;
}

/**
 * amps_amqp_acknowledger_settle:
 * @self: an acknowledger
 * @tag: of a delivery
 * @kind: what became of it
 *
 * Returns: whether @tag was outstanding; settling it twice would close the channel
 */
gboolean
amps_amqp_acknowledger_settle (AmpsAmqpAcknowledger *self, guint64 tag, AmpsSettlementKind kind)
{
  const Unsent unsent = { tag, kind };

  if (tag < self->first || tag >= self->next ||
      *amqp_acknowledger_get_state (self, tag) != OUTSTANDING)
    return FALSE;

  *amqp_acknowledger_get_state (self, tag) = SETTLED;
  g_array_append_val (self->unsent, unsent);
  return TRUE;
}

/**
 * amps_amqp_acknowledger_flush:
 * @self: an acknowledger
 * @send: (scope call): called for what is to be sent
 * @user_data: passed to @send
 *
 * Sends until @send can't; the rest is kept for the next time.
 *
 * Returns: whether all could be sent
 */
gboolean
amps_amqp_acknowledger_flush (AmpsAmqpAcknowledger *self, AmpsAmqpSendAnswerFunc send,
                              gpointer user_data)
{
  guint64 highest = 0;
  unsigned int n_together = 0;
  unsigned int n_kept = 0;
  gboolean open = TRUE;

  while (self->first < self->next && *amqp_acknowledger_get_state (self, self->first) == SETTLED)
    self->first++;

  for (unsigned int i = 0; i < self->unsent->len; i++)
    {
      Unsent *unsent = &g_array_index (self->unsent, Unsent, i);
      gboolean together = unsent->kind == AMPS_SETTLE_ACKNOWLEDGE && unsent->tag < self->first;

      if (together)
        {
          highest = MAX (highest, unsent->tag);
          n_together++;
        }
      else
        {
          open = open && send (unsent->tag, unsent->kind, FALSE, user_data);
        }

      if (together || !open)
        g_array_index (self->unsent, Unsent, n_kept++) = *unsent;
    }
  g_array_set_size (self->unsent, n_kept);

  if (open && n_together > 0)
    open = send (highest, AMPS_SETTLE_ACKNOWLEDGE, n_together > 1, user_data);
  if (open)
    g_array_set_size (self->unsent, 0);
  return open;
}
