/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-byte-budget.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpWindow:
 *
 * How many messages the broker may send before it is told what became of them. It knows
 * no sizes, so it sends more than there is room for. They wait in the connection, but
 * not for long: what is stuck is given back, and less is asked for.
 */
typedef struct _AmpsAmqpWindow AmpsAmqpWindow;

AmpsAmqpWindow *amps_amqp_window_new (AmpsByteBudget *budget, unsigned int maximum,
                                      GSourceFunc on_room, gpointer user_data);
void amps_amqp_window_free (AmpsAmqpWindow *self);
void amps_amqp_window_set_maximum (AmpsAmqpWindow *self, unsigned int maximum);
unsigned int amps_amqp_window_get_size (AmpsAmqpWindow *self);
void amps_amqp_window_count (AmpsAmqpWindow *self, int n_unsettled);
void amps_amqp_window_reset (AmpsAmqpWindow *self);
void amps_amqp_window_set_full (AmpsAmqpWindow *self, gboolean full, gint64 now);
gboolean amps_amqp_window_is_full (AmpsAmqpWindow *self);
gboolean amps_amqp_window_is_closed (AmpsAmqpWindow *self);
gboolean amps_amqp_window_close_if_stuck (AmpsAmqpWindow *self, gint64 now);
void amps_amqp_window_shrink (AmpsAmqpWindow *self);
gboolean amps_amqp_window_grow (AmpsAmqpWindow *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsAmqpWindow, amps_amqp_window_free)

G_END_DECLS
