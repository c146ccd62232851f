/* SPDX-License-Identifier: MIT */
#include "amps-amqp-parcels.h"

struct _AmpsAmqpParcels {
  unsigned int max_unconfirmed;
  GQueue waiting;   /* (owned) of AmpsAmqpParcel */
  GHashTable *sent; /* (owned) tag → AmpsAmqpParcel, whose delivery has the tag */
};

/**
 * amps_amqp_parcel_free:
 * @self: (transfer full): a letter on its way
 */
void
amps_amqp_parcel_free (AmpsAmqpParcel *self)
{
  amps_delivery_unref (self->delivery);
  g_clear_pointer (&self->letter, amps_dead_letter_free);
  g_free (self);
}

/**
 * amps_amqp_parcels_new:
 * @max_unconfirmed: so many are sent before the first is confirmed
 *
 * Returns: (transfer full): none yet
 */
AmpsAmqpParcels *
amps_amqp_parcels_new (unsigned int max_unconfirmed)
{
  AmpsAmqpParcels *self = g_new0 (AmpsAmqpParcels, 1);

  self->max_unconfirmed = max_unconfirmed;
  self->sent = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL,
                                      (GDestroyNotify) amps_amqp_parcel_free);
  return self;
}

/**
 * amps_amqp_parcels_free:
 * @self: (transfer full): letters on their way
 */
void
amps_amqp_parcels_free (AmpsAmqpParcels *self)
{
  amps_amqp_parcels_clear (self);
  g_hash_table_unref (self->sent);
  g_free (self);
}

/**
 * amps_amqp_parcels_add:
 * @self: letters on their way
 * @delivery: another one
 * @letter: (transfer full) (nullable): it, if it is redriven
 */
void
amps_amqp_parcels_add (AmpsAmqpParcels *self, AmpsDelivery *delivery, AmpsDeadLetter *letter)
{
  AmpsAmqpParcel *parcel = g_new0 (AmpsAmqpParcel, 1);

  parcel->delivery = amps_delivery_ref (delivery);
  parcel->letter = letter;
  g_queue_push_tail (&self->waiting, parcel);
}

/**
 * amps_amqp_parcels_send_next:
 * @self: letters on their way
 *
 * Returns: (transfer none) (nullable): what is to be published now
 */
const AmpsAmqpParcel *
amps_amqp_parcels_send_next (AmpsAmqpParcels *self)
{
  AmpsAmqpParcel *parcel;

  if (g_hash_table_size (self->sent) >= self->max_unconfirmed)
    return NULL;

  parcel = g_queue_pop_head (&self->waiting);
  if (parcel != NULL)
    g_hash_table_insert (self->sent, &parcel->delivery->tag, parcel);
  return parcel;
}

/**
 * amps_amqp_parcels_confirm:
 * @self: letters on their way
 * @tag: of one that the broker has answered
 *
 * Returns: (transfer full) (nullable): that one; %NULL if it is no longer waited for
 */
AmpsAmqpParcel *
amps_amqp_parcels_confirm (AmpsAmqpParcels *self, guint64 tag)
{
  AmpsAmqpParcel *parcel = g_hash_table_lookup (self->sent, &tag);

  if (parcel != NULL)
    g_hash_table_steal (self->sent, &tag);
  return parcel;
}

/**
 * amps_amqp_parcels_are_confirmed:
 * @self: letters on their way
 *
 * Returns: whether nothing that was sent waits for the broker
 */
gboolean
amps_amqp_parcels_are_confirmed (const AmpsAmqpParcels *self)
{
  return g_hash_table_size (self->sent) == 0;
}

/**
 * amps_amqp_parcels_is_empty:
 * @self: letters on their way
 *
 * Returns: whether there are none
 */
gboolean
amps_amqp_parcels_is_empty (const AmpsAmqpParcels *self)
{
  return amps_amqp_parcels_are_confirmed (self) && g_queue_is_empty ((GQueue *) &self->waiting);
}

/**
 * amps_amqp_parcels_clear:
 * @self: letters on their way
 *
 * Waits for none of them any more.
 */
void
amps_amqp_parcels_clear (AmpsAmqpParcels *self)
{
  g_queue_clear_full (&self->waiting, (GDestroyNotify) amps_amqp_parcel_free);
  g_hash_table_remove_all (self->sent);
}
