/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"
#include "broker/amps-broker.h"
#include "config/amps-config.h"

G_BEGIN_DECLS

/**
 * AmpsBrokerEmbedded:
 *
 * Queues in an SQLite file: the same promises (docs/promises.md) with no server, for one
 * machine.
 */
#define AMPS_TYPE_BROKER_EMBEDDED (amps_broker_embedded_get_type ())
G_DECLARE_FINAL_TYPE (AmpsBrokerEmbedded, amps_broker_embedded, AMPS, BROKER_EMBEDDED, AmpsBroker)

AmpsBroker *amps_broker_embedded_new (AmpsConfig *config, AmpsClock *clock);

G_END_DECLS
