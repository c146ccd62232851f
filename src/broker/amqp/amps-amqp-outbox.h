/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/amps-clock.h"
#include "core/amps-delivery.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsAmqpOutbox:
 *
 * What was handed to the publisher and is not confirmed yet.
 */
typedef struct _AmpsAmqpOutbox AmpsAmqpOutbox;

/**
 * AmpsAmqpCopiedFunc:
 * @original: what a copy was made of
 * @copied: whether it is confirmed
 * @user_data: as given
 *
 * Called for a copy that is confirmed, and for one that failed while nobody
 * waits for it.
 */
typedef void (*AmpsAmqpCopiedFunc) (AmpsDelivery *original, gboolean copied, gpointer user_data);

AmpsAmqpOutbox *amps_amqp_outbox_new (AmpsClock *clock, AmpsAmqpCopiedFunc copied,
                                      gpointer user_data);
void amps_amqp_outbox_free (AmpsAmqpOutbox *self);
guint64 amps_amqp_outbox_add (AmpsAmqpOutbox *self, GTask *task, AmpsDelivery *original);
void amps_amqp_outbox_end (AmpsAmqpOutbox *self, guint64 id, const GError *problem);
void amps_amqp_outbox_fail_all (AmpsAmqpOutbox *self);

G_END_DECLS
