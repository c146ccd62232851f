/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"
#include "broker/amps-broker.h"
#include "metrics/amps-metrics.h"

G_BEGIN_DECLS

/**
 * AmpsQueueGauge:
 *
 * Keeps `amps_queue_messages` up to date, as long as it lives and the broker is
 * connected.
 */
#define AMPS_TYPE_QUEUE_GAUGE (amps_queue_gauge_get_type ())
G_DECLARE_FINAL_TYPE (AmpsQueueGauge, amps_queue_gauge, AMPS, QUEUE_GAUGE, GObject)

AmpsQueueGauge *amps_queue_gauge_new (AmpsClock *clock, AmpsBroker *broker, AmpsMetrics *metrics);

G_END_DECLS
