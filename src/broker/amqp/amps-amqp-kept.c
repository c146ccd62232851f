/* SPDX-License-Identifier: MIT */
#include "amps-amqp-kept.h"

/**
 * amps_amqp_kept_begin_consumer:
 * @self: what is kept
 * @n_wanted: messages that are still to come, at least 1
 *
 * Returns: the prefetch of a new consumer: no more than is wanted, since each message that is
 *   handed out and given back counts at the broker
 */
unsigned int
amps_amqp_kept_begin_consumer (AmpsAmqpKept *self, guint64 n_wanted)
{
  self->is_short = n_wanted > self->max_prefetch;
  self->prefetch = (unsigned int) MIN (n_wanted, self->max_prefetch);
  self->n_filled = 0;
  return self->prefetch;
}

/**
 * amps_amqp_kept_add:
 * @self: what is kept
 *
 * Counts one more message.
 */
void
amps_amqp_kept_add (AmpsAmqpKept *self)
{
  self->n_filled++;
}

/**
 * amps_amqp_kept_is_in_the_way:
 * @self: what is kept
 *
 * Returns: whether the consumer should give way to another one, as the half of what it may
 *   have is kept, and there is more to come
 */
gboolean
amps_amqp_kept_is_in_the_way (const AmpsAmqpKept *self)
{
  return self->is_short && 2 * self->n_filled >= self->prefetch;
}
