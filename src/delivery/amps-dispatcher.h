/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-consumer-gate.h"
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
 * Moves jobs from the broker through the workload to their outcome. Everything
 * that decides something about a job comes through here: the answer of the
 * workload, its calls of the API, a deadline, a lost connection, a drain.
 */
#define AMPS_TYPE_DISPATCHER (amps_dispatcher_get_type ())
G_DECLARE_FINAL_TYPE (AmpsDispatcher, amps_dispatcher, AMPS, DISPATCHER, GObject)

AmpsDispatcher *amps_dispatcher_new (AmpsConfig *config, AmpsClock *clock, AmpsBroker *broker,
                                     AmpsWorkload *workload, AmpsManifest *manifest,
                                     AmpsMetrics *metrics, AmpsTracer *tracer);
void amps_dispatcher_start (AmpsDispatcher *self);

gboolean amps_dispatcher_acknowledge (AmpsDispatcher *self, const char *identifier, GError **error);
gboolean amps_dispatcher_reject (AmpsDispatcher *self, const char *identifier, const char *reason,
                                 GError **error);
gboolean amps_dispatcher_reschedule (AmpsDispatcher *self, const char *identifier, gint64 delay,
                                     GError **error);

gboolean amps_dispatcher_heartbeat (AmpsDispatcher *self, const char *identifier, gint64 extend,
                                    gint64 *deadline, GError **error);

void amps_dispatcher_acknowledge_async (AmpsDispatcher *self, const char *identifier,
                                        GPtrArray *events, AmpsTraceHeaders *trace,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
gboolean amps_dispatcher_acknowledge_finish (AmpsDispatcher *self, GAsyncResult *result,
                                             GError **error);

void amps_dispatcher_publish_async (AmpsDispatcher *self, GPtrArray *events,
                                    AmpsTraceHeaders *trace, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
gboolean amps_dispatcher_publish_finish (AmpsDispatcher *self, GAsyncResult *result,
                                         GError **error);

void amps_dispatcher_set_max_concurrency (AmpsDispatcher *self, unsigned int max_concurrency);
gboolean amps_dispatcher_is_empty (AmpsDispatcher *self);
AmpsLifecycle *amps_dispatcher_get_lifecycle (AmpsDispatcher *self);
AmpsConsumerGate *amps_dispatcher_get_gate (AmpsDispatcher *self);
AmpsWorkload *amps_dispatcher_get_workload (AmpsDispatcher *self);
AmpsManifest *amps_dispatcher_get_manifest (AmpsDispatcher *self);
AmpsBroker *amps_dispatcher_get_broker (AmpsDispatcher *self);

G_END_DECLS
