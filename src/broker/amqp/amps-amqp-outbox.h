/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-role.h"
#include "amps-amqp-twins.h"
#include "core/amps-clock.h"
#include "core/amps-delivery.h"
#include "core/amps-settlement.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsAmqpOutbox:
 *
 * What was handed to the publisher and is not confirmed yet.
 */
typedef struct _AmpsAmqpOutbox AmpsAmqpOutbox;

/**
 * AmpsAmqpSettleFunc:
 * @original: what a copy was made of
 * @kind: how to settle it now
 * @user_data: as given
 */
typedef void (*AmpsAmqpSettleFunc) (AmpsDelivery *original, AmpsSettlementKind kind,
                                    gpointer user_data);

/**
 * AmpsAmqpSendFunc:
 * @command: (transfer full): what the publisher is to do now
 * @user_data: as given
 */
typedef void (*AmpsAmqpSendFunc) (AmpsAmqpCommand *command, gpointer user_data);

AmpsAmqpOutbox *amps_amqp_outbox_new (AmpsClock *clock, AmpsAmqpTwins *twins,
                                      AmpsAmqpSettleFunc settle, AmpsAmqpSendFunc send,
                                      gpointer user_data);
void amps_amqp_outbox_free (AmpsAmqpOutbox *self);
guint64 amps_amqp_outbox_add (AmpsAmqpOutbox *self, GTask *task);
guint64 amps_amqp_outbox_add_copy (AmpsAmqpOutbox *self, GTask *task, AmpsDelivery *original,
                                   const AmpsSettlement *settlement, AmpsSettlementKind otherwise);
void amps_amqp_outbox_send_copy (AmpsAmqpOutbox *self, guint64 id, AmpsAmqpCommand *command);
gboolean amps_amqp_outbox_is_ignored (AmpsAmqpOutbox *self);
void amps_amqp_outbox_end (AmpsAmqpOutbox *self, guint64 id, const GError *problem);
void amps_amqp_outbox_fail_all (AmpsAmqpOutbox *self);

G_END_DECLS
