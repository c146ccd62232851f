/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsMetricsFormat:
 * @AMPS_METRICS_PROMETHEUS: Prometheus's text format 0.0.4
 * @AMPS_METRICS_OPENMETRICS: OpenMetrics 1.0.0, with exemplars
 *
 * What figures are written in.
 */
typedef enum {
  AMPS_METRICS_PROMETHEUS,
  AMPS_METRICS_OPENMETRICS,
} AmpsMetricsFormat;

void amps_metrics_text_append_header (GString *text, AmpsMetricsFormat format, const char *name,
                                      const char *type, const char *help);

G_END_DECLS
