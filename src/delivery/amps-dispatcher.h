/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-consumer-gate.h"
#include "amps-decider.h"
#include "base/amps-clock.h"
#include "broker/amps-broker.h"
#include "config/amps-config.h"
#include "jobs/amps-manifest.h"
#include "metrics/amps-metrics.h"
#include "telemetry/amps-tracer.h"
#include "workload/amps-workload.h"

G_BEGIN_DECLS

/**
 * AmpsDispatcher:
 *
 * Moves jobs from the broker through the workload to their outcome. It makes the parts
 * that do so, connects them, and hands out those that others call.
 */
#define AMPS_TYPE_DISPATCHER (amps_dispatcher_get_type ())
G_DECLARE_FINAL_TYPE (AmpsDispatcher, amps_dispatcher, AMPS, DISPATCHER, GObject)

AmpsDispatcher *amps_dispatcher_new (AmpsConfig *config, AmpsClock *clock, AmpsBroker *broker,
                                     AmpsWorkload *workload, AmpsManifest *manifest,
                                     AmpsMetrics *metrics, AmpsTracer *tracer);
void amps_dispatcher_start (AmpsDispatcher *self);

void amps_dispatcher_set_max_concurrency (AmpsDispatcher *self, unsigned int max_concurrency);
gboolean amps_dispatcher_is_empty (AmpsDispatcher *self);
AmpsLifecycle *amps_dispatcher_get_lifecycle (AmpsDispatcher *self);
AmpsConsumerGate *amps_dispatcher_get_gate (AmpsDispatcher *self);
AmpsDecider *amps_dispatcher_get_decider (AmpsDispatcher *self);
AmpsPublisher *amps_dispatcher_get_publisher (AmpsDispatcher *self);
AmpsWorkload *amps_dispatcher_get_workload (AmpsDispatcher *self);
AmpsManifest *amps_dispatcher_get_manifest (AmpsDispatcher *self);
AmpsBroker *amps_dispatcher_get_broker (AmpsDispatcher *self);

G_END_DECLS
