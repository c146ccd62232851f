/* SPDX-License-Identifier: MIT */
#pragma once

#include "broker/amps-broker-backend.h"

G_BEGIN_DECLS

/**
 * amps_amqp_backend:
 *
 * RabbitMQ, by AMQP 0-9-1.
 */
extern const AmpsBrokerBackend amps_amqp_backend;

G_END_DECLS
