/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-connection.h"
#include "jobs/amps-settlement.h"

G_BEGIN_DECLS

/**
 * amps_amqp_consumer_role:
 *
 * Consumes the subject and settles what came.
 */
extern const AmpsAmqpRole amps_amqp_consumer_role;

AmpsAmqpCommand *amps_amqp_consumer_new_consume (gboolean consuming, unsigned int prefetch);
AmpsAmqpCommand *amps_amqp_consumer_new_give_back (void);
AmpsAmqpCommand *amps_amqp_consumer_new_return_all (void);
AmpsAmqpCommand *amps_amqp_consumer_new_settle (guint64 tag, AmpsSettlementKind kind);

G_END_DECLS
