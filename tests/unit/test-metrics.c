/* SPDX-License-Identifier: MIT */
#include "base/amps-clock.h"
#include "metrics/amps-metrics.h"

#include <glib/gstdio.h>
#include <locale.h>
#include <string.h>

static void
assert_has_line (const char *text, const char *line)
{
  g_autofree char *whole = g_strdup_printf ("\n%s\n", line);

  if (strstr (text, whole) == NULL)
    g_error ("no line “%s” in:\n%s", line, text);
}

static void
test_counters (void)
{
  static const char *const reasons[] = { "rejected",     "malformed", "status",
                                         "max-attempts", "expired",   "workload-restarted" };
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();

  amps_metrics_increment (metrics, AMPS_COUNTER_MESSAGES_INSERTED);
  amps_metrics_increment (metrics, AMPS_COUNTER_MESSAGES_INSERTED);
  amps_metrics_increment (metrics, AMPS_COUNTER_DISCARDED);
  amps_metrics_count_dead_letter (metrics, "max-attempts");
  amps_metrics_count_outcome (metrics, AMPS_OUTCOME_EXPIRED);
  amps_metrics_count_workload_request (metrics, 202);
  amps_metrics_count_workload_request (metrics, 0);
  amps_metrics_count_workload_request (metrics, 999);
  g_assert_cmpuint (amps_metrics_get_counter (metrics, AMPS_COUNTER_MESSAGES_INSERTED), ==, 2);
  g_assert_cmpuint (amps_metrics_get_outcomes (metrics, AMPS_OUTCOME_EXPIRED), ==, 1);

  g_autofree char *text = amps_metrics_format (metrics, AMPS_METRICS_PROMETHEUS);

  assert_has_line (text, "# TYPE amps_messages_inserted_total counter");
  assert_has_line (text, "amps_messages_inserted_total 2");
  assert_has_line (text, "amps_messages_deleted_total 0");
  assert_has_line (text, "amps_job_outcomes_total{outcome=\"expired\"} 1");
  assert_has_line (text, "amps_job_outcomes_total{outcome=\"acknowledged\"} 0");
  assert_has_line (text, "amps_discarded_total 1");
  assert_has_line (text, "# TYPE amps_dead_letters_total counter");
  for (unsigned int i = 0; i < G_N_ELEMENTS (reasons); i++)
    {
      g_autofree char *line =
          g_strdup_printf ("amps_dead_letters_total{reason=\"%s\"} %d", reasons[i], i == 3);

      assert_has_line (text, line);
      g_assert_cmpuint (amps_metrics_get_dead_letters (metrics, reasons[i]), ==, i == 3);
    }
  assert_has_line (text, "amps_workload_requests_total{code=\"2xx\"} 1");
  assert_has_line (text, "amps_workload_requests_total{code=\"error\"} 2");
  g_assert_null (strstr (text, "outcome=\"none\""));
  g_assert_null (strstr (text, "dead_lettered"));
}

static void
test_gauges (void)
{
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();

  AmpsQueueDepths *depths = amps_queue_depths_new ();

  amps_queue_depths_add (depths, "mail", 3);
  amps_metrics_take_queue_depths (metrics, depths);
  amps_metrics_set_gauge (metrics, AMPS_GAUGE_JOBS_IN_FLIGHT, 17);
  amps_metrics_set_paused (metrics, "requested", TRUE);
  amps_metrics_set_paused (metrics, "draining", TRUE);
  amps_metrics_set_paused (metrics, "requested", FALSE);
  g_assert_cmpfloat (amps_metrics_get_gauge (metrics, AMPS_GAUGE_JOBS_IN_FLIGHT), ==, 17);

  g_autofree char *text = amps_metrics_format (metrics, AMPS_METRICS_PROMETHEUS);

  assert_has_line (text, "amps_jobs_in_flight 17");
  assert_has_line (text, "amps_consumer_paused{reason=\"draining\"} 1");
  assert_has_line (text, "amps_consumer_paused{reason=\"requested\"} 0");
  assert_has_line (text, "amps_queue_messages{queue=\"mail\"} 3");
  g_assert_nonnull (strstr (text, "\namps_build_info{version=\""));

  amps_metrics_take_queue_depths (metrics, NULL);
  g_free (text);
  text = amps_metrics_format (metrics, AMPS_METRICS_PROMETHEUS);
  g_assert_null (strstr (text, "amps_queue_messages{"));
}

static void
test_histogram (void)
{
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();

  amps_metrics_observe (metrics, AMPS_HISTOGRAM_MESSAGE_LIFETIME, -5, NULL);
  amps_metrics_observe (metrics, AMPS_HISTOGRAM_MESSAGE_LIFETIME, G_USEC_PER_SEC, NULL);
  amps_metrics_observe (metrics, AMPS_HISTOGRAM_MESSAGE_LIFETIME, G_USEC_PER_SEC + 1, NULL);
  amps_metrics_observe (metrics, AMPS_HISTOGRAM_MESSAGE_LIFETIME, AMPS_SECONDS (40000), NULL);

  g_autofree char *text = amps_metrics_format (metrics, AMPS_METRICS_PROMETHEUS);

  assert_has_line (text, "amps_message_lifetime_seconds_bucket{le=\"1\"} 2");
  assert_has_line (text, "amps_message_lifetime_seconds_bucket{le=\"2\"} 3");
  assert_has_line (text, "amps_message_lifetime_seconds_bucket{le=\"32768\"} 3");
  assert_has_line (text, "amps_message_lifetime_seconds_bucket{le=\"+Inf\"} 4");
  assert_has_line (text, "amps_message_lifetime_seconds_sum 40002.000001");
  assert_has_line (text, "amps_message_lifetime_seconds_count 4");
}

static double
get_value (const char *text, const char *name)
{
  g_autofree char *start = g_strdup_printf ("\n%s ", name);
  const char *line = strstr (text, start);

  g_assert_nonnull (line);
  return g_ascii_strtod (line + strlen (start), NULL);
}

static void
test_process (void)
{
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();
  g_autofree char *text = amps_metrics_format (metrics, AMPS_METRICS_PROMETHEUS);
  double start = get_value (text, "process_start_time_seconds");
  double now = (double) g_get_real_time () / G_USEC_PER_SEC;

  g_assert_cmpfloat (get_value (text, "process_cpu_seconds_total"), >, 0);
  g_assert_cmpfloat (get_value (text, "process_open_fds"), >=, 3);
  g_assert_cmpfloat (get_value (text, "process_max_fds"), >, 3);
  g_assert_cmpfloat (get_value (text, "process_resident_memory_bytes"), >, 100000);
  g_assert_cmpfloat (get_value (text, "process_virtual_memory_bytes"), >, 100000);
  g_assert_cmpfloat (start, >, now - 3600);
  g_assert_cmpfloat (start, <, now + 2);
}

static void
test_locale (void)
{
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();

  if (setlocale (LC_NUMERIC, "de_DE.UTF-8") == NULL)
    {
      g_test_skip ("no locale with a decimal comma");
      return;
    }
  amps_metrics_set_gauge (metrics, AMPS_GAUGE_CONCURRENCY_LIMIT, 0.5);

  g_autofree char *text = amps_metrics_format (metrics, AMPS_METRICS_PROMETHEUS);

  setlocale (LC_NUMERIC, "C");
  assert_has_line (text, "amps_concurrency_limit 0.5");
}

static void
test_openmetrics (void)
{
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();

  AmpsTraceContext trace;

  g_assert_true (
      amps_trace_context_parse (&trace, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  amps_metrics_observe (metrics, AMPS_HISTOGRAM_JOB_DURATION, 1500, &trace);

  g_autofree char *text = amps_metrics_format (metrics, AMPS_METRICS_OPENMETRICS);

  assert_has_line (text, "# TYPE amps_discarded counter\namps_discarded_total 0");
  assert_has_line (text, "# TYPE amps_job_outcomes counter");
  assert_has_line (text, "# TYPE amps_api_requests counter");
  assert_has_line (text, "# TYPE process_cpu_seconds counter");
  assert_has_line (text, "# TYPE amps_messages_count gauge\namps_messages_count 0");
  assert_has_line (text, "amps_message_lifetime_seconds_bucket{le=\"1.0\"} 0");
  g_assert_nonnull (strstr (text, "\namps_job_duration_seconds_bucket{le=\"0.0025\"} 1 # "
                                  "{trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 0.001500 "));
  g_assert_true (g_str_has_suffix (text, "\n# EOF\n"));
}

/* The inherited name is all that promtool may find fault with. */
static void
test_promtool (void)
{
  g_autofree char *promtool = g_find_program_in_path ("promtool");
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();
  g_autofree char *text = amps_metrics_format (metrics, AMPS_METRICS_PROMETHEUS);
  g_autofree char *path = NULL;
  g_autofree char *command = NULL;
  g_autofree char *complaints = NULL;
  g_autoptr (GError) error = NULL;

  if (promtool == NULL)
    {
      g_test_skip ("no promtool");
      return;
    }

  g_close (g_file_open_tmp ("metrics-XXXXXX", &path, &error), NULL);
  g_assert_no_error (error);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);

  command = g_strdup_printf ("sh -c '%s check metrics < %s'", promtool, path);
  g_spawn_command_line_sync (command, NULL, &complaints, NULL, &error);
  g_assert_no_error (error);
  g_unlink (path);
  g_assert_cmpstr (complaints, ==,
                   "amps_messages_count non-histogram and non-summary metrics should not have "
                   "\"_count\" suffix\n");
}

static void
test_buckets (void)
{
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();
  AmpsBuckets buckets;

  amps_metrics_observe (metrics, AMPS_HISTOGRAM_JOB_DURATION, 1000, NULL);
  amps_metrics_observe (metrics, AMPS_HISTOGRAM_JOB_DURATION, 1001, NULL);
  amps_metrics_observe (metrics, AMPS_HISTOGRAM_JOB_DURATION, AMPS_SECONDS (3601), NULL);
  amps_metrics_get_buckets (metrics, AMPS_HISTOGRAM_JOB_DURATION, &buckets);
  g_assert_cmpuint (buckets.n_buckets, ==, 21);
  g_assert_cmpint (buckets.bounds[1], ==, 2500);
  g_assert_cmpuint (buckets.counts[0], ==, 1);
  g_assert_cmpuint (buckets.counts[1], ==, 1);
  g_assert_cmpuint (buckets.counts[20], ==, 1);
  amps_metrics_get_buckets (metrics, AMPS_HISTOGRAM_MESSAGE_LIFETIME, &buckets);
  g_assert_cmpuint (buckets.n_buckets, ==, 17);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics/counters", test_counters);
  g_test_add_func ("/metrics/gauges", test_gauges);
  g_test_add_func ("/metrics/histogram", test_histogram);
  g_test_add_func ("/metrics/buckets", test_buckets);
  g_test_add_func ("/metrics/process", test_process);
  g_test_add_func ("/metrics/locale", test_locale);
  g_test_add_func ("/metrics/openmetrics", test_openmetrics);
  g_test_add_func ("/metrics/promtool", test_promtool);
  return g_test_run ();
}
