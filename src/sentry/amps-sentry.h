/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"
#include "config/amps-config.h"
#include "metrics/amps-metrics.h"

G_BEGIN_DECLS

/**
 * AmpsSentry:
 *
 * Reports to Sentry what is logged as a warning or worse.
 */
#define AMPS_TYPE_SENTRY (amps_sentry_get_type ())
G_DECLARE_FINAL_TYPE (AmpsSentry, amps_sentry, AMPS, SENTRY, GObject)

AmpsSentry *amps_sentry_new (AmpsConfig *config, AmpsClock *clock, AmpsMetrics *metrics);
void amps_sentry_flush (AmpsSentry *self, gint64 timeout);

G_END_DECLS
