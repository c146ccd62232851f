/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-metrics.h"

G_BEGIN_DECLS

/* What counts and what writes share; nobody else includes this. */

#define AMPS_N_DEAD_LETTER_REASONS 6
#define AMPS_N_REQUEST_CLASSES 6
#define AMPS_MAX_PAUSE_REASONS 8

typedef struct {
  const char *name;
  const char *help;
} AmpsMetricFamily;

typedef struct {
  const char *reason; /* (nullable) after the last one */
  gboolean paused;
} AmpsPause;

typedef struct {
  AmpsMetricFamily family;
  const AmpsBound *bounds;
  unsigned int n_bounds;
} AmpsHistogramFamily;

extern const AmpsHistogramFamily amps_histogram_families[AMPS_N_HISTOGRAMS];
extern const char *const amps_dead_letter_reasons[AMPS_N_DEAD_LETTER_REASONS];

struct _AmpsMetrics {
  GObject parent_instance;

  guint64 counters[AMPS_N_COUNTERS];
  guint64 outcomes[AMPS_N_OUTCOMES];
  guint64 dead_letters[AMPS_N_DEAD_LETTER_REASONS];
  guint64 requests[AMPS_N_REQUEST_CLASSES];
  guint64 faults[AMPS_N_EVENT_FAULTS];
  double gauges[AMPS_N_GAUGES];
  AmpsPause pauses[AMPS_MAX_PAUSE_REASONS];
  AmpsDurations histograms[AMPS_N_HISTOGRAMS];
  guint64 publications[AMPS_N_PUBLICATION_RESULTS];
  guint64 reports[AMPS_N_REPORT_RESULTS];
  AmpsApiMetrics api;
  AmpsQueueDepths *queue_depths; /* (owned) (nullable) while they are not known */
};

G_END_DECLS
