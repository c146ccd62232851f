/* SPDX-License-Identifier: MIT */
#include "amps-amqp-message.h"

/**
 * amps_amqp_message_free:
 * @self: (transfer full): a message
 */
void
amps_amqp_message_free (AmpsAmqpMessage *self)
{
  g_free (self->routing_key);
  g_clear_pointer (&self->properties, g_bytes_unref);
  g_clear_pointer (&self->body, g_bytes_unref);
  if (self->budget != NULL)
    amps_byte_budget_give_back (self->budget, self->reserved);
  g_clear_pointer (&self->budget, amps_byte_budget_unref);
  g_free (self);
}
