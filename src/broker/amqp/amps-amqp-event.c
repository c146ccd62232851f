/* SPDX-License-Identifier: MIT */
#include "amps-amqp-event.h"

/**
 * amps_amqp_event_new:
 * @kind: what happened
 *
 * Returns: (transfer full): an event to fill in and tell
 */
AmpsAmqpEvent *
amps_amqp_event_new (AmpsAmqpEventKind kind)
{
  AmpsAmqpEvent *self = g_new0 (AmpsAmqpEvent, 1);

  self->kind = kind;
  return self;
}

/**
 * amps_amqp_event_free:
 * @event: (transfer full): an event
 */
void
amps_amqp_event_free (gpointer event)
{
  AmpsAmqpEvent *self = event;

  g_free (self->detail);
  g_clear_pointer (&self->delivery, amps_delivery_unref);
  g_clear_pointer (&self->event, amps_cloud_event_free);
  g_clear_error (&self->error);
  g_free (self);
}
