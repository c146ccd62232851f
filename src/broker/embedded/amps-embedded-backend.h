/* SPDX-License-Identifier: MIT */
#pragma once

#include "broker/amps-broker-backend.h"

G_BEGIN_DECLS

/**
 * amps_embedded_backend:
 *
 * Queues in an SQLite file.
 */
extern const AmpsBrokerBackend amps_embedded_backend;

G_END_DECLS
