/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-sender.h"
#include "amps-settler.h"

G_BEGIN_DECLS

/**
 * AmpsReceiver:
 *
 * Takes up what the broker delivers: to be sent, or, when it is not an event or
 * came back only because the connection died, to be settled.
 */
#define AMPS_TYPE_RECEIVER (amps_receiver_get_type ())
G_DECLARE_FINAL_TYPE (AmpsReceiver, amps_receiver, AMPS, RECEIVER, GObject)

AmpsReceiver *amps_receiver_new (AmpsConfig *config, AmpsClock *clock, AmpsBroker *broker,
                                 AmpsManifest *manifest, AmpsMetrics *metrics, AmpsSender *sender,
                                 AmpsSettler *settler, AmpsLifecycle *lifecycle);

G_END_DECLS
