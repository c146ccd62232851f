/* SPDX-License-Identifier: MIT */
#pragma once

#include "broker/amps-broker.h"
#include "config/amps-config.h"
#include "metrics/amps-metrics.h"
#include "telemetry/amps-tracer.h"

G_BEGIN_DECLS

/**
 * AmpsPublisher:
 *
 * Publishes what a workload wants published, each event to the queue that its type names.
 */
#define AMPS_TYPE_PUBLISHER (amps_publisher_get_type ())
G_DECLARE_FINAL_TYPE (AmpsPublisher, amps_publisher, AMPS, PUBLISHER, GObject)

AmpsPublisher *amps_publisher_new (AmpsConfig *config, AmpsBroker *broker, AmpsMetrics *metrics,
                                   AmpsTracer *tracer);
void amps_publisher_publish_async (AmpsPublisher *self, GPtrArray *events, AmpsTraceHeaders *trace,
                                   GHashTable *confirmed, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
gboolean amps_publisher_publish_finish (AmpsPublisher *self, GAsyncResult *result, GError **error);

G_END_DECLS
