/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-role.h"
#include "amps-amqp-settings.h"
#include "base/amps-clock.h"
#include "jobs/amps-settlement.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsAmqpDepths:
 *
 * Asks the broker how many messages are in the subject, in its dead letters and in
 * its retry queues: one queue after the other, so that publications need not wait
 * for all of them. In the main thread.
 */
typedef struct _AmpsAmqpDepths AmpsAmqpDepths;

/**
 * AmpsAmqpDepthsFunc:
 * @command: (transfer full): for the connection that publishes
 * @user_data: what was passed to [func@Amps.AmqpDepths.new]
 *
 * Sends @command, whose answer is passed to [method@Amps.AmqpDepths.take].
 */
typedef void (*AmpsAmqpDepthsFunc) (AmpsAmqpCommand *command, gpointer user_data);

AmpsAmqpDepths *amps_amqp_depths_new (const AmpsAmqpSettings *settings, AmpsClock *clock,
                                      AmpsAmqpDepthsFunc send, gpointer user_data);
void amps_amqp_depths_free (AmpsAmqpDepths *self);
void amps_amqp_depths_begin (AmpsAmqpDepths *self, GTask *task, const char *problem);
void amps_amqp_depths_take (AmpsAmqpDepths *self, gint64 n_messages);
void amps_amqp_depths_fail (AmpsAmqpDepths *self);
void amps_amqp_depths_expect (AmpsAmqpDepths *self, const AmpsSettlement *settlement);

G_END_DECLS
