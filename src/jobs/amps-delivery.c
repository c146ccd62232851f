/* SPDX-License-Identifier: MIT */
#include "amps-delivery.h"

#include "base/amps-hash.h"

G_DEFINE_BOXED_TYPE (AmpsDelivery, amps_delivery, amps_delivery_ref, amps_delivery_unref)

/**
 * amps_delivery_new:
 * @body: (transfer full): the message's body
 *
 * Returns: (transfer full): a first attempt with nothing else known; the
 *   backend fills in the rest before it lets go of it
 */
AmpsDelivery *
amps_delivery_new (GBytes *body)
{
  AmpsDelivery *self = g_new0 (AmpsDelivery, 1);

  self->ref_count = 1;
  self->body = body;
  self->body_hash = amps_hash_bytes (body);
  self->attempt = 1;
  return self;
}

/**
 * amps_delivery_ref:
 * @self: a delivery
 *
 * Callable from any thread.
 *
 * Returns: (transfer full): @self
 */
AmpsDelivery *
amps_delivery_ref (AmpsDelivery *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

/**
 * amps_delivery_get_remaining_delay:
 * @self: a delivery
 * @now: monotonic µs
 *
 * Callable from any thread.
 *
 * Returns: µs that the job still has to wait; 0 when it may run
 */
gint64
amps_delivery_get_remaining_delay (const AmpsDelivery *self, gint64 now)
{
  return self->delay > 0 ? MAX (self->delay - MAX (now - self->received, 0), 0) : 0;
}

/**
 * amps_delivery_unref:
 * @self: (transfer full): a delivery
 *
 * Callable from any thread.
 */
void
amps_delivery_unref (AmpsDelivery *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;

  g_clear_pointer (&self->body, g_bytes_unref);
  g_clear_pointer (&self->original_body, g_bytes_unref);
  g_clear_pointer (&self->properties, g_bytes_unref);
  g_free (self->message_id);
  g_free (self->traceparent);
  g_free (self->tracestate);
  g_free (self);
}
