/* SPDX-License-Identifier: MIT */
#pragma once

#include "jobs/amps-settlement.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpAcknowledger:
 *
 * Keeps what is to be told of the deliveries of a channel until it can be sent, and
 * decides which acknowledgements can be sent as one: `multiple` speaks for every
 * lower tag, so none of those may be outstanding, nor may the broker still have to
 * hear something else of it.
 */
typedef struct _AmpsAmqpAcknowledger AmpsAmqpAcknowledger;

/**
 * AmpsAmqpSendAnswerFunc:
 * @tag: a delivery tag
 * @kind: what became of it
 * @multiple: whether all lower ones are meant, too
 * @user_data: as given
 *
 * Returns: whether it could be sent
 */
typedef gboolean (*AmpsAmqpSendAnswerFunc) (guint64 tag, AmpsSettlementKind kind, gboolean multiple,
                                            gpointer user_data);

AmpsAmqpAcknowledger *amps_amqp_acknowledger_new (void);
void amps_amqp_acknowledger_free (AmpsAmqpAcknowledger *self);
gboolean amps_amqp_acknowledger_add_delivery (AmpsAmqpAcknowledger *self, guint64 tag);
gboolean amps_amqp_acknowledger_settle (AmpsAmqpAcknowledger *self, guint64 tag,
                                        AmpsSettlementKind kind);
gboolean amps_amqp_acknowledger_flush (AmpsAmqpAcknowledger *self, AmpsAmqpSendAnswerFunc send,
                                       gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsAmqpAcknowledger, amps_amqp_acknowledger_free)

G_END_DECLS
