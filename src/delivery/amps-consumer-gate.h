/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-lifecycle.h"
#include "amps-refusals.h"
#include "broker/amps-broker.h"
#include "metrics/amps-metrics.h"
#include "workload/amps-workload.h"

G_BEGIN_DECLS

/**
 * AmpsPauseReason:
 * @AMPS_PAUSE_REQUESTED: somebody has paused AMPS
 * @AMPS_PAUSE_DRAINING: it drains, or stops
 * @AMPS_PAUSE_WORKLOAD: the workload is away
 * @AMPS_PAUSE_REFUSED: it refuses all jobs
 * @AMPS_PAUSE_MEMORY: the jobs in flight have all the bytes that they may have
 *
 * Why messages are not taken; a label of `amps_consumer_paused`.
 */
typedef enum {
  AMPS_PAUSE_REQUESTED,
  AMPS_PAUSE_DRAINING,
  AMPS_PAUSE_WORKLOAD,
  AMPS_PAUSE_REFUSED,
  AMPS_PAUSE_MEMORY,
} AmpsPauseReason;
#define AMPS_N_PAUSE_REASONS (AMPS_PAUSE_MEMORY + 1)

const char *amps_pause_reason_to_string (AmpsPauseReason reason);

/**
 * AmpsConsumerGate:
 *
 * Whether messages are taken from the broker, and why not.
 */
#define AMPS_TYPE_CONSUMER_GATE (amps_consumer_gate_get_type ())
G_DECLARE_FINAL_TYPE (AmpsConsumerGate, amps_consumer_gate, AMPS, CONSUMER_GATE, GObject)

AmpsConsumerGate *amps_consumer_gate_new (AmpsBroker *broker, AmpsWorkload *workload,
                                          AmpsMetrics *metrics, AmpsLifecycle *lifecycle,
                                          AmpsRefusals *refusals);
gboolean amps_consumer_gate_is_paused (AmpsConsumerGate *self, AmpsPauseReason reason);
void amps_consumer_gate_set_problem (AmpsConsumerGate *self, const char *problem);
gboolean amps_consumer_gate_is_ready (AmpsConsumerGate *self);
char **amps_consumer_gate_dup_obstacles (AmpsConsumerGate *self);

G_END_DECLS
