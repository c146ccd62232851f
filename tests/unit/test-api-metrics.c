/* SPDX-License-Identifier: MIT */
#include "metrics/amps-api-metrics.h"

#define HEADER                                                                                     \
  "# HELP amps_api_requests_total Requests to the API that were answered.\n"                       \
  "# TYPE amps_api_requests_total counter\n"

static void
assert_text (const AmpsApiMetrics *metrics, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);

  amps_api_metrics_append (metrics, text, AMPS_METRICS_PROMETHEUS);
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_count (void)
{
  AmpsApiMetrics metrics = { 0 };

  assert_text (&metrics, HEADER);
  amps_api_metrics_count (&metrics, AMPS_API_REJECT, 202);
  amps_api_metrics_count (&metrics, AMPS_API_REJECT, 409);
  amps_api_metrics_count (&metrics, AMPS_API_REJECT, 202);
  assert_text (&metrics, HEADER "amps_api_requests_total{call=\"reject\",code=\"202\"} 2\n"
                                "amps_api_requests_total{call=\"reject\",code=\"409\"} 1\n");
}

/* Whatever there may be, the labels are bounded. */
static void
test_other (void)
{
  AmpsApiMetrics metrics = { 0 };

  amps_api_metrics_count (&metrics, AMPS_API_OTHER, 0);
  amps_api_metrics_count (&metrics, AMPS_API_OTHER, 418);
  amps_api_metrics_count (&metrics, AMPS_API_OTHER, G_MAXUINT);
  assert_text (&metrics, HEADER "amps_api_requests_total{call=\"other\",code=\"other\"} 3\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/api-metrics/count", test_count);
  g_test_add_func ("/api-metrics/other", test_other);
  return g_test_run ();
}
