/* SPDX-License-Identifier: MIT */
#include "metrics/amps-durations.h"

#include <string.h>

#define TRACE_1 "4bf92f3577b34da6a3ce929d0e0e4736"
#define TRACE_2 "0af7651916cd43dd8448eb211c80319c"
#define PARENT(trace, flags) "00-" trace "-00f067aa0ba902b7-" flags

static const AmpsBound bounds[] = { { "0.5", 500000 }, { "1", 1000000 } };

static void
observe (AmpsDurations *durations, gint64 microseconds, const char *traceparent)
{
  AmpsTraceContext trace;
  gboolean traced = traceparent != NULL && amps_trace_context_parse (&trace, traceparent);

  amps_durations_observe (durations, bounds, G_N_ELEMENTS (bounds), microseconds,
                          traced ? &trace : NULL);
}

static char *
format (const AmpsDurations *durations, AmpsMetricsFormat metrics_format)
{
  GString *text = g_string_new (NULL);

  amps_durations_append (durations, bounds, G_N_ELEMENTS (bounds), "x", text, metrics_format);
  return g_string_free (text, FALSE);
}

static void
test_plain (void)
{
  AmpsDurations durations = { 0 };

  observe (&durations, -5, NULL);
  observe (&durations, 500000, PARENT (TRACE_1, "01"));
  observe (&durations, 500001, NULL);
  observe (&durations, 7000000, NULL);

  g_autofree char *text = format (&durations, AMPS_METRICS_PROMETHEUS);

  g_assert_cmpstr (text, ==,
                   "x_bucket{le=\"0.5\"} 2\nx_bucket{le=\"1\"} 3\nx_bucket{le=\"+Inf\"} 4\n"
                   "x_sum 8.000001\nx_count 4\n");
  amps_durations_clear (&durations);
}

/* The latest one of each bucket that was sampled. */
static void
test_exemplars (void)
{
  AmpsDurations durations = { 0 };
  g_autofree char *bare = format (&durations, AMPS_METRICS_OPENMETRICS);

  g_assert_cmpstr (bare, ==,
                   "x_bucket{le=\"0.5\"} 0\nx_bucket{le=\"1.0\"} 0\nx_bucket{le=\"+Inf\"} 0\n"
                   "x_sum 0.000000\nx_count 0\n");

  gint64 before = g_get_real_time () / G_USEC_PER_SEC;

  observe (&durations, 600000, PARENT (TRACE_2, "01"));
  observe (&durations, 700000, PARENT (TRACE_1, "01"));
  observe (&durations, 800000, PARENT (TRACE_2, "00"));
  observe (&durations, 9000000, PARENT (TRACE_2, "01"));

  g_autofree char *text = format (&durations, AMPS_METRICS_OPENMETRICS);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_assert_cmpstr (lines[0], ==, "x_bucket{le=\"0.5\"} 0");
  g_assert_true (
      g_str_has_prefix (lines[1], "x_bucket{le=\"1.0\"} 3 # {trace_id=\"" TRACE_1 "\"} 0.700000 "));
  g_assert_true (g_str_has_prefix (lines[2], "x_bucket{le=\"+Inf\"} 4 # {trace_id=\"" TRACE_2
                                             "\"} 9.000000 "));
  g_assert_cmpint (g_ascii_strtoll (strrchr (lines[1], ' '), NULL, 10), >=, before);
  g_assert_cmpstr (lines[3], ==, "x_sum 11.100000");
  amps_durations_clear (&durations);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/durations/plain", test_plain);
  g_test_add_func ("/durations/exemplars", test_exemplars);
  return g_test_run ();
}
