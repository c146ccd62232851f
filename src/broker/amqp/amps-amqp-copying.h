/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-settings.h"
#include "jobs/amps-delivery.h"
#include "jobs/amps-settlement.h"

G_BEGIN_DECLS

/**
 * AMPS_AMQP_MAX_REQUEUES:
 *
 * After so many returns a message is replaced by a copy: quorum queues of RabbitMQ
 * 4.0 to 4.2 drop it after 20.
 */
#define AMPS_AMQP_MAX_REQUEUES 15

gboolean amps_amqp_copying_is_needed (const AmpsAmqpSettings *settings,
                                      const AmpsDelivery *delivery, AmpsSettlementKind kind,
                                      gboolean can_publish);
gboolean amps_amqp_copying_is_possible (const AmpsDelivery *delivery, const char *problem,
                                        GError **error);

G_END_DECLS
