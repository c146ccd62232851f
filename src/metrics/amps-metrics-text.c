/* SPDX-License-Identifier: MIT */
#include "amps-metrics-text.h"

#include <string.h>

#define TOTAL "_total"

/**
 * amps_metrics_text_append_header:
 * @text: figures so far
 * @format: what they are written in
 * @name: the name of a metric; that of a counter ends in `_total`
 * @type: its type
 * @help: what it shows
 *
 * Begins a metric. In OpenMetrics it is the samples of a counter that end in `_total`, and
 * not its name.
 */
void
amps_metrics_text_append_header (GString *text, AmpsMetricsFormat format, const char *name,
                                 const char *type, const char *help)
{
  size_t length = strlen (name);
  gboolean shortened = format == AMPS_METRICS_OPENMETRICS && g_str_has_suffix (name, TOTAL);
  int shown = (int) (shortened ? length - strlen (TOTAL) : length);

  g_string_append_printf (text, "# HELP %.*s %s\n# TYPE %.*s %s\n", shown, name, help, shown, name,
                          type);
}
