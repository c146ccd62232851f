/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-endpoint.h"
#include "base/amps-clock.h"

G_BEGIN_DECLS

/**
 * AmpsProbe:
 *
 * Whether the workload is there: a circuit breaker that opens when it can't be
 * reached, and closes when a probe succeeds.
 */
#define AMPS_TYPE_PROBE (amps_probe_get_type ())
G_DECLARE_FINAL_TYPE (AmpsProbe, amps_probe, AMPS, PROBE, GObject)

AmpsProbe *amps_probe_new (AmpsClock *clock, AmpsEndpoint *endpoint, const char *ready_path);
void amps_probe_start (AmpsProbe *self);
void amps_probe_set_interval (AmpsProbe *self, gint64 interval);
void amps_probe_look (AmpsProbe *self);
void amps_probe_report_unreachable (AmpsProbe *self, const char *why, const GError *error);
gboolean amps_probe_get_available (AmpsProbe *self);
gboolean amps_probe_get_gone (AmpsProbe *self);
const char *amps_probe_get_reason (AmpsProbe *self);

G_END_DECLS
