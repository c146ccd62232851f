/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"
#include "broker/amps-broker.h"
#include "config/amps-config.h"

G_BEGIN_DECLS

/**
 * AmpsBrokerAmqp:
 *
 * RabbitMQ: one connection to consume and one to publish, so that an alarm which
 * stops publishers does not stop acknowledgements. Each has a thread of its own,
 * since the library blocks; what they do is decided here, in the main thread.
 */
#define AMPS_TYPE_BROKER_AMQP (amps_broker_amqp_get_type ())
G_DECLARE_FINAL_TYPE (AmpsBrokerAmqp, amps_broker_amqp, AMPS, BROKER_AMQP, AmpsBroker)

AmpsBroker *amps_broker_amqp_new (AmpsConfig *config, AmpsClock *clock);

G_END_DECLS
