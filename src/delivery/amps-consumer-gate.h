/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-dispatcher-state.h"
#include "amps-drain.h"
#include "amps-refusals.h"
#include "broker/amps-broker.h"
#include "metrics/amps-metrics.h"
#include "workload/amps-workload.h"

G_BEGIN_DECLS

/**
 * AmpsConsumerGate:
 *
 * Whether messages are taken from the broker, and why not.
 */
#define AMPS_TYPE_CONSUMER_GATE (amps_consumer_gate_get_type ())
G_DECLARE_FINAL_TYPE (AmpsConsumerGate, amps_consumer_gate, AMPS, CONSUMER_GATE, GObject)

AmpsConsumerGate *amps_consumer_gate_new (AmpsBroker *broker, AmpsWorkload *workload,
                                          AmpsMetrics *metrics, AmpsDrain *drain,
                                          AmpsRefusals *refusals);
void amps_consumer_gate_set_paused (AmpsConsumerGate *self, AmpsPauseReason reason,
                                    gboolean paused);
void amps_consumer_gate_set_problem (AmpsConsumerGate *self, const char *problem);
gboolean amps_consumer_gate_is_ready (AmpsConsumerGate *self);
char **amps_consumer_gate_dup_obstacles (AmpsConsumerGate *self);
AmpsDispatcherState amps_consumer_gate_get_state (AmpsConsumerGate *self);

G_END_DECLS
