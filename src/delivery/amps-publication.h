/* SPDX-License-Identifier: MIT */
#pragma once

#include "broker/amps-broker.h"
#include "config/amps-config.h"
#include "metrics/amps-metrics.h"
#include "telemetry/amps-tracer.h"

G_BEGIN_DECLS

void amps_publication_start (AmpsBroker *broker, AmpsMetrics *metrics, AmpsTracer *tracer,
                             AmpsConfig *config, GPtrArray *events, AmpsTraceHeaders *trace,
                             GHashTable *confirmed, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean amps_publication_finish (GAsyncResult *result, GError **error);

G_END_DECLS
