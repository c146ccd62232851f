/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/amps-clock.h"
#include "core/amps-delivery.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpTwins:
 *
 * Finds out which messages are superfluous because AMPS has made them twice.
 *
 * When a connection breaks before a copy is confirmed, nobody can know whether
 * the broker has it, so another one is made, of the same name. If both are there
 * the job would run twice. So of those that come here without having been handed
 * out before, which are different messages therefore, the first is dealt with
 * like any other message, and the others may go.
 */
typedef struct _AmpsAmqpTwins AmpsAmqpTwins;

AmpsAmqpTwins *amps_amqp_twins_new (AmpsClock *clock);
void amps_amqp_twins_free (AmpsAmqpTwins *self);
char *amps_amqp_twins_make_name (AmpsAmqpTwins *self, guint64 copy);
void amps_amqp_twins_expect (AmpsAmqpTwins *self, guint64 copy, gint64 delay);
void amps_amqp_twins_forget (AmpsAmqpTwins *self, const AmpsDelivery *delivery);
gboolean amps_amqp_twins_meet (AmpsAmqpTwins *self, const AmpsDelivery *delivery);

G_END_DECLS
