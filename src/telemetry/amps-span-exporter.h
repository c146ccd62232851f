/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-span.h"
#include "base/amps-clock.h"
#include "config/amps-config.h"
#include "metrics/amps-metrics.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AMPS_SPAN_EXPORTER_MAX_HELD:
 *
 * How many spans wait for the collector at most, those under way included. More are
 * dropped: a collector must not hold up jobs, nor fill the memory.
 */
#define AMPS_SPAN_EXPORTER_MAX_HELD 2048

/**
 * AMPS_SPAN_EXPORTER_BATCH:
 *
 * How many spans are sent at once.
 */
#define AMPS_SPAN_EXPORTER_BATCH 512

/**
 * AmpsSpanExporter:
 *
 * Sends spans to a collector, by OTLP over HTTP in JSON: a batch when it is full, or
 * after 5 s. It has nothing to do, and no timer runs, when there is nothing to send.
 */
#define AMPS_TYPE_SPAN_EXPORTER (amps_span_exporter_get_type ())
G_DECLARE_FINAL_TYPE (AmpsSpanExporter, amps_span_exporter, AMPS, SPAN_EXPORTER, GObject)

AmpsSpanExporter *amps_span_exporter_new (AmpsConfig *config, AmpsClock *clock,
                                          AmpsMetrics *metrics, const char *url);
void amps_span_exporter_add (AmpsSpanExporter *self, const AmpsSpan *span);
void amps_span_exporter_flush_async (AmpsSpanExporter *self, GAsyncReadyCallback callback,
                                     gpointer user_data);
gboolean amps_span_exporter_flush_finish (AmpsSpanExporter *self, GAsyncResult *result,
                                          GError **error);

G_END_DECLS
