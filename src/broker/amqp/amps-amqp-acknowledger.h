/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsAmqpAcknowledger:
 *
 * Decides which acknowledgements of a channel can be sent as one: `multiple`
 * speaks for every lower tag, so none of those may be outstanding.
 */
typedef struct _AmpsAmqpAcknowledger AmpsAmqpAcknowledger;

/**
 * AmpsAmqpAcknowledgeFunc:
 * @tag: a delivery tag
 * @multiple: whether all lower ones are meant, too
 * @user_data: as given
 *
 * Returns: whether it could be sent
 */
typedef gboolean (*AmpsAmqpAcknowledgeFunc) (guint64 tag, gboolean multiple, gpointer user_data);

AmpsAmqpAcknowledger *amps_amqp_acknowledger_new (void);
void amps_amqp_acknowledger_free (AmpsAmqpAcknowledger *self);
void amps_amqp_acknowledger_add_delivery (AmpsAmqpAcknowledger *self, guint64 tag);
gboolean amps_amqp_acknowledger_settle (AmpsAmqpAcknowledger *self, guint64 tag,
                                        gboolean acknowledge);
gboolean amps_amqp_acknowledger_flush (AmpsAmqpAcknowledger *self, AmpsAmqpAcknowledgeFunc send,
                                       gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsAmqpAcknowledger, amps_amqp_acknowledger_free)

G_END_DECLS
