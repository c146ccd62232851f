/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-metrics-private.h"
#include "amps-process-metrics.h"

/* All in the order of their enums, and described in docs/reference/metrics.md. */

static const AmpsMetricFamily counter_families[] = {
  [AMPS_COUNTER_MESSAGES_INSERTED] = { "amps_messages_inserted_total",
                                       "Messages that were put into the manifest." },
  [AMPS_COUNTER_MESSAGES_DELETED] = { "amps_messages_deleted_total",
                                      "Messages that were taken out of the manifest." },
  [AMPS_COUNTER_WORKLOADS_ACKNOWLEDGED] = { "amps_workloads_acknowledged_total",
                                            "Jobs that the workload acknowledged." },
  [AMPS_COUNTER_WORKLOADS_REJECTED] = { "amps_workloads_rejected_total",
                                        "Jobs that the workload rejected." },
  [AMPS_COUNTER_WORKLOADS_PUBLISHED] = { "amps_workloads_published_total",
                                         "Events that the workload published." },
  [AMPS_COUNTER_BROKER_RECONNECTS] = { "amps_broker_reconnects_total",
                                       "Connections to the broker after the first." },
  [AMPS_COUNTER_EVENTS_NONCONFORMING] = { "amps_events_nonconforming_total",
                                          "Events that break a rule of CloudEvents and were "
                                          "accepted." },
  [AMPS_COUNTER_DISCARDED] = { "amps_discarded_total",
                               "Jobs that were rejected at the broker without a copy." },
  [AMPS_COUNTER_SPANS_EXPORTED] = { "amps_spans_exported_total",
                                    "Spans that the collector of traces accepted." },
  [AMPS_COUNTER_SPANS_DROPPED] = { "amps_spans_dropped_total",
                                   "Spans that the collector of traces did not get." },
};
G_STATIC_ASSERT (G_N_ELEMENTS (counter_families) == AMPS_N_COUNTERS);

static const AmpsMetricFamily gauge_families[] = {
  [AMPS_GAUGE_MESSAGES_COUNT] = { "amps_messages_count", "Messages in the manifest." },
  [AMPS_GAUGE_JOBS_IN_FLIGHT] = { "amps_jobs_in_flight", "Jobs in flight." },
  [AMPS_GAUGE_CONCURRENCY_LIMIT] = { "amps_concurrency_limit",
                                     "Jobs that may be in the workload at once." },
  [AMPS_GAUGE_BROKER_CONNECTED] = { "amps_broker_connected",
                                    "Whether there is a connection to the broker." },
  [AMPS_GAUGE_BROKER_BLOCKED] = { "amps_broker_blocked",
                                  "Whether the broker accepts no publications now." },
  [AMPS_GAUGE_DEAD_LETTERS_WAITING] = { "amps_dead_letters_waiting",
                                        "Jobs that could not be copied to the dead letters yet." },
  [AMPS_GAUGE_READY] = { "amps_ready", "Whether messages are consumed, as /readyz says." },
  [AMPS_GAUGE_OLDEST_JOB_AGE] = { "amps_oldest_job_age_seconds",
                                  "Age of the oldest job in flight." },
};
G_STATIC_ASSERT (G_N_ELEMENTS (gauge_families) == AMPS_N_GAUGES);

static const char *const report_results[] = {
  [AMPS_REPORT_SENT] = "sent",
  [AMPS_REPORT_LIMITED] = "limited",
  [AMPS_REPORT_DROPPED] = "dropped",
  [AMPS_REPORT_FAILED] = "failed",
};
G_STATIC_ASSERT (G_N_ELEMENTS (report_results) == AMPS_N_REPORT_RESULTS);

static const char *const request_classes[AMPS_N_REQUEST_CLASSES] = { "error", "1xx", "2xx",
                                                                     "3xx",   "4xx", "5xx" };

static void
append_header (GString *text, AmpsMetricsFormat format, const AmpsMetricFamily *family,
               const char *type)
{
  amps_metrics_text_append_header (text, format, family->name, type, family->help);
}

static void
append_labelled (GString *text, const char *name, const char *label, const char *value,
                 guint64 count)
{
  g_string_append_printf (text, "%s{%s=\"%s\"} %" G_GUINT64_FORMAT "\n", name, label, value, count);
}

static void
append_counters (AmpsMetrics *self, GString *text, AmpsMetricsFormat format)
{
  for (unsigned int i = 0; i < AMPS_N_COUNTERS; i++)
    {
      append_header (text, format, &counter_families[i], "counter");
      g_string_append_printf (text, "%s %" G_GUINT64_FORMAT "\n", counter_families[i].name,
                              self->counters[i]);
    }
}

static void
append_gauges (AmpsMetrics *self, GString *text, AmpsMetricsFormat format)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  for (unsigned int i = 0; i < AMPS_N_GAUGES; i++)
    {
      append_header (text, format, &gauge_families[i], "gauge");
      g_ascii_formatd (number, sizeof number, "%.15g", self->gauges[i]);
      g_string_append_printf (text, "%s %s\n", gauge_families[i].name, number);
    }
}

static void
append_outcomes (AmpsMetrics *self, GString *text, AmpsMetricsFormat format)
{
  static const AmpsMetricFamily family = { "amps_job_outcomes_total",
                                           "Runs of jobs by how they ended." };

  append_header (text, format, &family, "counter");
  for (unsigned int i = AMPS_OUTCOME_NONE + 1; i < AMPS_N_OUTCOMES; i++)
    append_labelled (text, family.name, "outcome", amps_outcome_to_string (i), self->outcomes[i]);
}

static void
append_dead_letters (AmpsMetrics *self, GString *text, AmpsMetricsFormat format)
{
  static const AmpsMetricFamily family = {
    "amps_dead_letters_total", "Confirmed copies in the dead-letter queue by their reason."
  };

  append_header (text, format, &family, "counter");
  for (unsigned int i = 0; i < AMPS_N_DEAD_LETTER_REASONS; i++)
    append_labelled (text, family.name, "reason", amps_dead_letter_reasons[i],
                     self->dead_letters[i]);
}

static void
append_requests (AmpsMetrics *self, GString *text, AmpsMetricsFormat format)
{
  static const AmpsMetricFamily family = { "amps_workload_requests_total",
                                           "Requests to the workload by class of the answer." };

  append_header (text, format, &family, "counter");
  for (unsigned int i = 0; i < AMPS_N_REQUEST_CLASSES; i++)
    append_labelled (text, family.name, "code", request_classes[i], self->requests[i]);
}

static void
append_publications (AmpsMetrics *self, GString *text, AmpsMetricsFormat format)
{
  static const AmpsMetricFamily family = { "amps_publications_total",
                                           "Events sent for publication, by result." };

  append_header (text, format, &family, "counter");
  for (unsigned int i = 0; i < AMPS_N_PUBLICATION_RESULTS; i++)
    append_labelled (text, family.name, "result", amps_publication_result_to_string (i),
                     self->publications[i]);
}

static void
append_reports (AmpsMetrics *self, GString *text, AmpsMetricsFormat format)
{
  static const AmpsMetricFamily family = { "amps_error_reports_total",
                                           "Error reports to Sentry, by result." };

  append_header (text, format, &family, "counter");
  for (unsigned int i = 0; i < AMPS_N_REPORT_RESULTS; i++)
    append_labelled (text, family.name, "result", report_results[i], self->reports[i]);
}

static void
append_pauses (AmpsMetrics *self, GString *text, AmpsMetricsFormat format)
{
  static const AmpsMetricFamily family = { "amps_consumer_paused",
                                           "Whether consuming is paused, by reason." };

  append_header (text, format, &family, "gauge");
  for (unsigned int i = 0; i < AMPS_MAX_PAUSE_REASONS && self->pauses[i].reason != NULL; i++)
    append_labelled (text, family.name, "reason", self->pauses[i].reason,
                     self->pauses[i].paused ? 1 : 0);
}

static void
append_histograms (AmpsMetrics *self, GString *text, AmpsMetricsFormat format)
{
  for (unsigned int i = 0; i < AMPS_N_HISTOGRAMS; i++)
    {
      append_header (text, format, &amps_histogram_families[i].family, "histogram");
      amps_durations_append (&self->histograms[i], amps_histogram_families[i].bounds,
                             amps_histogram_families[i].n_bounds,
                             amps_histogram_families[i].family.name, text, format);
    }
}

static void
append_build_info (GString *text, AmpsMetricsFormat format)
{
  static const AmpsMetricFamily family = { "amps_build_info",
                                           "A constant 1 labelled by the version." };

  append_header (text, format, &family, "gauge");
  append_labelled (text, family.name, "version", AMPS_VERSION, 1);
}

/**
 * amps_metrics_format:
 * @self: the figures
 * @format: what to write them in
 *
 * Writes all figures, and those of the process.
 *
 * Returns: (transfer full): UTF-8 text
 */
char *
amps_metrics_format (AmpsMetrics *self, AmpsMetricsFormat format)
{
  GString *text = g_string_sized_new (16384);

  append_build_info (text, format);
  append_counters (self, text, format);
  append_gauges (self, text, format);
  append_pauses (self, text, format);
  append_outcomes (self, text, format);
  append_dead_letters (self, text, format);
  append_requests (self, text, format);
  append_publications (self, text, format);
  append_reports (self, text, format);
  amps_api_metrics_append (&self->api, text, format);
  amps_queue_depths_append (self->queue_depths, text);
  append_histograms (self, text, format);
  amps_process_metrics_append (text, format);
  if (format == AMPS_METRICS_OPENMETRICS)
    g_string_append (text, "# EOF\n");

  return g_string_free (text, FALSE);
}
