/* SPDX-License-Identifier: MIT */
#include "amps-metrics-accept.h"

#include <libsoup/soup.h>
#include <string.h>

#define OPENMETRICS "application/openmetrics-text"

static const char *const content_types[] = {
  [AMPS_METRICS_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
  [AMPS_METRICS_OPENMETRICS] = OPENMETRICS "; version=1.0.0; charset=utf-8",
};

/* @range: "type/subtype" and parameters. 0.0.1 is what Prometheus calls the draft of 1.0.0. */
static gboolean
is_openmetrics (const char *range)
{
  g_autofree char *type = g_strndup (range, strcspn (range, "; \t"));
  g_autoptr (GHashTable) parameters = soup_header_parse_semi_param_list (range);
  const char *version = g_hash_table_lookup (parameters, "version");

  return g_ascii_strcasecmp (type, OPENMETRICS) == 0 &&
         (version == NULL || g_str_equal (version, "1.0.0") || g_str_equal (version, "0.0.1"));
}

static gboolean
is_text (const char *range)
{
  return g_ascii_strncasecmp (range, "text/", strlen ("text/")) == 0 ||
         g_str_has_prefix (range, "*/*");
}

/**
 * amps_metrics_accept_choose:
 * @accept: (nullable): the header Accept of a request
 *
 * Returns: what the client likes best of what there is; Prometheus's own format if it says
 *   nothing of either
 */
AmpsMetricsFormat
amps_metrics_accept_choose (const char *accept)
{
  GSList *ranges = accept != NULL ? soup_header_parse_quality_list (accept, NULL) : NULL;
  AmpsMetricsFormat format = AMPS_METRICS_PROMETHEUS;

  for (GSList *range = ranges; range != NULL && !is_text (range->data); range = range->next)
    if (is_openmetrics (range->data))
      {
        format = AMPS_METRICS_OPENMETRICS;
        break;
      }

  soup_header_free_list (ranges);
  return format;
}

/**
 * amps_metrics_accept_get_content_type:
 * @format: what the figures are written in
 *
 * Returns: the header Content-Type of the answer
 */
const char *
amps_metrics_accept_get_content_type (AmpsMetricsFormat format)
{
  return content_types[format];
}
