/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"
#include "metrics/amps-metrics.h"

G_BEGIN_DECLS

/**
 * AMPS_STATUS_HISTORY_MAX:
 *
 * How many samples are kept: one in five seconds for a quarter of an hour.
 */
#define AMPS_STATUS_HISTORY_MAX 180

/**
 * AmpsStatusHistory:
 *
 * What the metrics have counted in the last quarter of an hour. It takes a sample every
 * five seconds while something is counted, and is idle while nothing is.
 */
typedef struct _AmpsStatusHistory AmpsStatusHistory;

AmpsStatusHistory *amps_status_history_new (AmpsClock *clock, AmpsMetrics *metrics);
void amps_status_history_free (AmpsStatusHistory *self);
void amps_status_history_append (AmpsStatusHistory *self, GString *json, unsigned int max);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsStatusHistory, amps_status_history_free)

G_END_DECLS
