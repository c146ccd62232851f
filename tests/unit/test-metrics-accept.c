/* SPDX-License-Identifier: MIT */
#include "server/amps-metrics-accept.h"

static void
test_choose (void)
{
  static const struct {
    const char *accept;
    AmpsMetricsFormat format;
  } cases[] = {
    { NULL, AMPS_METRICS_PROMETHEUS },
    { "", AMPS_METRICS_PROMETHEUS },
    { ",;=,", AMPS_METRICS_PROMETHEUS },
    { "*/*", AMPS_METRICS_PROMETHEUS },
    { "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", AMPS_METRICS_PROMETHEUS },
    /* Prometheus 2.42 and 3 */
    { "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
      "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      AMPS_METRICS_OPENMETRICS },
    { "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
      "encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;"
      "escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;q=0.3,*/*;q=0.2",
      AMPS_METRICS_OPENMETRICS },
    { "Application/OpenMetrics-Text ; version=\"1.0.0\"", AMPS_METRICS_OPENMETRICS },
    { "application/openmetrics-text", AMPS_METRICS_OPENMETRICS },
    { "text/plain;q=0.5, application/openmetrics-text", AMPS_METRICS_OPENMETRICS },
    { "application/openmetrics-text;q=0.2, text/plain;q=0.9", AMPS_METRICS_PROMETHEUS },
    { "application/openmetrics-text;q=0", AMPS_METRICS_PROMETHEUS },
    { "application/openmetrics-text;version=2.0.0", AMPS_METRICS_PROMETHEUS },
    { "application/openmetrics-textual", AMPS_METRICS_PROMETHEUS },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].accept);
      g_assert_cmpint (amps_metrics_accept_choose (cases[i].accept), ==, cases[i].format);
    }
}

static void
test_content_type (void)
{
  g_assert_cmpstr (amps_metrics_accept_get_content_type (AMPS_METRICS_PROMETHEUS), ==,
                   "text/plain; version=0.0.4; charset=utf-8");
  g_assert_cmpstr (amps_metrics_accept_get_content_type (AMPS_METRICS_OPENMETRICS), ==,
                   "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics-accept/choose", test_choose);
  g_test_add_func ("/metrics-accept/content-type", test_content_type);
  return g_test_run ();
}
