/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-metrics-text.h"

G_BEGIN_DECLS

/**
 * AmpsApiCall:
 * @AMPS_API_OTHER: a path that there is not
 *
 * The calls of the API; a label of `amps_api_requests_total`.
 */
typedef enum {
  AMPS_API_ACKNOWLEDGE,
  AMPS_API_REJECT,
  AMPS_API_HEARTBEAT,
  AMPS_API_PUBLISH,
  AMPS_API_JOBS,
  AMPS_API_JOB,
  AMPS_API_DRAIN,
  AMPS_API_PAUSE,
  AMPS_API_RESUME,
  AMPS_API_CONCURRENCY,
  AMPS_API_HEALTHZ,
  AMPS_API_READYZ,
  AMPS_API_HEALTH,
  AMPS_API_HEALTH_DETAILED,
  AMPS_API_DEAD_LETTERS,
  AMPS_API_REDRIVE,
  AMPS_API_EVENTS,
  AMPS_API_PAGE,
  AMPS_API_OTHER,
} AmpsApiCall;
#define AMPS_N_API_CALLS (AMPS_API_OTHER + 1)

/**
 * AMPS_N_API_CODES:
 *
 * How many statuses are told apart: those that AMPS answers with, and all others.
 */
#define AMPS_N_API_CODES 14

/**
 * AmpsApiMetrics:
 *
 * How often each call was answered with each status.
 */
typedef struct {
  guint64 counts[AMPS_N_API_CALLS][AMPS_N_API_CODES];
} AmpsApiMetrics;

void amps_api_metrics_count (AmpsApiMetrics *self, AmpsApiCall call, unsigned int status);
void amps_api_metrics_append (const AmpsApiMetrics *self, GString *text, AmpsMetricsFormat format);

G_END_DECLS
