/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-metrics-text.h"

G_BEGIN_DECLS

/* What is told apart in `call` of `amps_api_requests_total`; other is a path that there is not. */
#define AMPS_API_CALLS(CALL)                                                                       \
  CALL (ACKNOWLEDGE, "acknowledge")                                                                \
  CALL (REJECT, "reject")                                                                          \
  CALL (HEARTBEAT, "heartbeat")                                                                    \
  CALL (PUBLISH, "publish")                                                                        \
  CALL (JOBS, "jobs")                                                                              \
  CALL (JOB, "job")                                                                                \
  CALL (DRAIN, "drain")                                                                            \
  CALL (PAUSE, "pause")                                                                            \
  CALL (RESUME, "resume")                                                                          \
  CALL (CONCURRENCY, "concurrency")                                                                \
  CALL (HEALTHZ, "healthz")                                                                        \
  CALL (READYZ, "readyz")                                                                          \
  CALL (HEALTH, "health")                                                                          \
  CALL (HEALTH_DETAILED, "health_detailed")                                                        \
  CALL (DEAD_LETTERS, "dead_letters")                                                              \
  CALL (REDRIVE, "redrive")                                                                        \
  CALL (EVENTS, "events")                                                                          \
  CALL (PAGE, "page")                                                                              \
  CALL (OTHER, "other")

/**
 * AmpsApiCall:
 * @AMPS_API_OTHER: a path that there is not
 *
 * The calls of the API, `AMPS_API_` and a name of the list; a label of
 * `amps_api_requests_total`.
 */
#define AMPS_API_MEMBER(name, label) AMPS_API_##name,
typedef enum { AMPS_API_CALLS (AMPS_API_MEMBER) AMPS_N_API_CALLS } AmpsApiCall;
#undef AMPS_API_MEMBER

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
