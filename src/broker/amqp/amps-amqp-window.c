/* SPDX-License-Identifier: MIT */
#include "amps-amqp-window.h"

/* RabbitMQ closes a connection that takes nothing for 30 s. And other replicas may have
 * room. */
#define MAX_STUCK (5 * G_USEC_PER_SEC)

struct _AmpsAmqpWindow {
  AmpsByteBudget *budget; /* (owned) */
  unsigned int maximum;
  unsigned int size;
  unsigned int n_unsettled;
  gint64 full_since; /* monotonic µs; 0 when there is room */
  GSource *room;     /* (owned) (nullable) while closed */
  GSourceFunc on_room;
  gpointer user_data;
};

/**
 * amps_amqp_window_new:
 * @budget: what messages are taken from
 * @maximum: how many messages there may be at most
 * @on_room: (scope forever): called in the main context when a closed window has opened
 * @user_data: passed to @on_room
 *
 * Returns: (transfer full): an open window of that size
 */
AmpsAmqpWindow *
amps_amqp_window_new (AmpsByteBudget *budget, unsigned int maximum, GSourceFunc on_room,
                      gpointer user_data)
{
  AmpsAmqpWindow *self = g_new0 (AmpsAmqpWindow, 1);

  self->budget = amps_byte_budget_ref (budget);
  self->maximum = maximum;
  self->size = maximum;
  self->on_room = on_room;
  self->user_data = user_data;
  return self;
}

static void
open_window (AmpsAmqpWindow *self)
{
  if (self->room == NULL)
    return;

  g_source_destroy (self->room);
  g_clear_pointer (&self->room, g_source_unref);
}

/**
 * amps_amqp_window_free:
 * @self: (transfer full): a window
 */
void
amps_amqp_window_free (AmpsAmqpWindow *self)
{
  open_window (self);
  amps_byte_budget_unref (self->budget);
  g_free (self);
}

/**
 * amps_amqp_window_set_maximum:
 * @self: a window
 * @maximum: how many messages there may be at most, and are to be
 */
void
amps_amqp_window_set_maximum (AmpsAmqpWindow *self, unsigned int maximum)
{
  self->maximum = maximum;
  self->size = maximum;
}

/**
 * amps_amqp_window_get_size:
 * @self: a window
 *
 * Returns: how many messages may be unsettled
 */
unsigned int
amps_amqp_window_get_size (AmpsAmqpWindow *self)
{
  return self->size;
}

/**
 * amps_amqp_window_count:
 * @self: a window
 * @n_unsettled: how many more messages are unsettled now; negative for fewer
 */
void
amps_amqp_window_count (AmpsAmqpWindow *self, int n_unsettled)
{
  self->n_unsettled += (unsigned int) n_unsettled;
}

/**
 * amps_amqp_window_reset:
 * @self: a window
 *
 * Says that the connection was lost, with all that was unsettled. Its size stays.
 */
void
amps_amqp_window_reset (AmpsAmqpWindow *self)
{
  self->n_unsettled = 0;
  self->full_since = 0;
}

/**
 * amps_amqp_window_set_full:
 * @self: a window
 * @full: whether nothing is read since there is no room
 * @now: monotonic µs
 */
void
amps_amqp_window_set_full (AmpsAmqpWindow *self, gboolean full, gint64 now)
{
  self->full_since = full ? now : 0;
}

/**
 * amps_amqp_window_is_full:
 * @self: a window
 *
 * Returns: whether nothing is taken since there is no room
 */
gboolean
amps_amqp_window_is_full (AmpsAmqpWindow *self)
{
  return self->full_since != 0 || self->room != NULL;
}

/**
 * amps_amqp_window_is_closed:
 * @self: a window
 *
 * Returns: whether no messages are to be sent
 */
gboolean
amps_amqp_window_is_closed (AmpsAmqpWindow *self)
{
  return self->room != NULL;
}

static gboolean
amqp_window_on_room (gpointer user_data)
{
  AmpsAmqpWindow *self = user_data;

  open_window (self);
  self->on_room (self->user_data);
  return G_SOURCE_REMOVE;
}

/**
 * amps_amqp_window_close_if_stuck:
 * @self: a window
 * @now: monotonic µs
 *
 * Returns: whether messages have waited for room for too long, so that the window is
 *   closed now, until half of the budget is free
 */
gboolean
amps_amqp_window_close_if_stuck (AmpsAmqpWindow *self, gint64 now)
{
  if (self->full_since == 0 || self->room != NULL || now - self->full_since < MAX_STUCK)
    return FALSE;

  self->room =
      amps_byte_budget_source_new (self->budget, amps_byte_budget_get_limit (self->budget) / 2);
  g_source_set_callback (self->room, amqp_window_on_room, self, NULL);
  g_source_attach (self->room, NULL);
  return TRUE;
}

/**
 * amps_amqp_window_shrink:
 * @self: a window
 *
 * Makes it as large as what there was room for.
 */
void
amps_amqp_window_shrink (AmpsAmqpWindow *self)
{
  self->size = CLAMP (self->n_unsettled, 1, self->maximum);
}

/**
 * amps_amqp_window_grow:
 * @self: a window
 *
 * To be called now and then.
 *
 * Returns: whether it is larger now, since it was used up, and half of the budget was not
 */
gboolean
amps_amqp_window_grow (AmpsAmqpWindow *self)
{
  if (self->size >= self->maximum || self->n_unsettled < self->size ||
      !amps_byte_budget_fits (self->budget, amps_byte_budget_get_limit (self->budget) / 2))
    return FALSE;

  self->size = MIN (2 * self->size, self->maximum);
  return TRUE;
}
