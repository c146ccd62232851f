/* SPDX-License-Identifier: MIT */
#pragma once

#include "jobs/amps-dead-letter.h"
#include "jobs/amps-delivery.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpParcel:
 * @delivery: owned; what is to be published again
 * @letter: (nullable): owned; it, if it is redriven; else its copy takes its place
 *
 * A dead letter on its way.
 */
typedef struct {
  AmpsDelivery *delivery;
  AmpsDeadLetter *letter;
} AmpsAmqpParcel;

void amps_amqp_parcel_free (AmpsAmqpParcel *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsAmqpParcel, amps_amqp_parcel_free)

/**
 * AmpsAmqpParcels:
 *
 * Dead letters on their way: those that wait, and those that the broker has not confirmed,
 * which are few enough. The delivery's tag names each.
 */
typedef struct _AmpsAmqpParcels AmpsAmqpParcels;

AmpsAmqpParcels *amps_amqp_parcels_new (unsigned int max_unconfirmed);
void amps_amqp_parcels_free (AmpsAmqpParcels *self);
void amps_amqp_parcels_add (AmpsAmqpParcels *self, AmpsDelivery *delivery, AmpsDeadLetter *letter);
const AmpsAmqpParcel *amps_amqp_parcels_send_next (AmpsAmqpParcels *self);
AmpsAmqpParcel *amps_amqp_parcels_confirm (AmpsAmqpParcels *self, guint64 tag);
gboolean amps_amqp_parcels_is_empty (const AmpsAmqpParcels *self);
gboolean amps_amqp_parcels_are_confirmed (const AmpsAmqpParcels *self);
void amps_amqp_parcels_clear (AmpsAmqpParcels *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsAmqpParcels, amps_amqp_parcels_free)

G_END_DECLS
