/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-buckets.h"
#include "amps-metrics-text.h"
#include "event/amps-trace-context.h"

G_BEGIN_DECLS

#define AMPS_DURATIONS_MAX_BOUNDS (AMPS_BUCKETS_MAX - 1)

/**
 * AmpsBound:
 * @le: as it is written, in seconds
 * @microseconds: the same
 *
 * The upper bound of a bucket.
 */
typedef struct {
  const char *le;
  gint64 microseconds;
} AmpsBound;

typedef struct _AmpsExemplar AmpsExemplar;

/**
 * AmpsDurations:
 * @counts: of each bucket alone; the last one is +Inf
 * @sum: µs
 * @exemplars: (nullable): owned; one for each bucket, from the first trace on
 *
 * The figures of one histogram; all zero at first.
 */
typedef struct {
  guint64 counts[AMPS_DURATIONS_MAX_BOUNDS + 1];
  gint64 sum;
  AmpsExemplar *exemplars;
} AmpsDurations;

void amps_durations_clear (AmpsDurations *self);
void amps_durations_observe (AmpsDurations *self, const AmpsBound *bounds, unsigned int n_bounds,
                             gint64 microseconds, const AmpsTraceContext *trace);
void amps_durations_append (const AmpsDurations *self, const AmpsBound *bounds,
                            unsigned int n_bounds, const char *name, GString *text,
                            AmpsMetricsFormat format);

G_END_DECLS
