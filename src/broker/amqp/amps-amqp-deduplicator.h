/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"
#include "jobs/amps-delivery.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpDeduplicator:
 *
 * Finds out which messages are superfluous because AMPS has made them twice.
 *
 * When a connection breaks before a copy is confirmed, nobody can know whether
 * the broker has it, so another one is made, of the same name. If both are there
 * the job would run twice. So the first that comes here is dealt with like any
 * other message. One that comes later and was never handed out before is another
 * message, and may go; one that was may be the first again.
 */
typedef struct _AmpsAmqpDeduplicator AmpsAmqpDeduplicator;

AmpsAmqpDeduplicator *amps_amqp_deduplicator_new (AmpsClock *clock);
void amps_amqp_deduplicator_free (AmpsAmqpDeduplicator *self);
char *amps_amqp_deduplicator_make_name (AmpsAmqpDeduplicator *self, guint64 copy);
void amps_amqp_deduplicator_expect (AmpsAmqpDeduplicator *self, guint64 copy, gint64 delay);
void amps_amqp_deduplicator_forget (AmpsAmqpDeduplicator *self, const AmpsDelivery *delivery);
gboolean amps_amqp_deduplicator_meet (AmpsAmqpDeduplicator *self, AmpsDelivery *delivery);

G_END_DECLS
