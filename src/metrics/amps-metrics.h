/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-api-metrics.h"
#include "amps-durations.h"
#include "amps-queue-depths.h"
#include "jobs/amps-job.h"

G_BEGIN_DECLS

/**
 * AmpsCounter:
 *
 * Counters without labels.
 */
typedef enum {
  AMPS_COUNTER_MESSAGES_INSERTED,
  AMPS_COUNTER_MESSAGES_DELETED,
  AMPS_COUNTER_WORKLOADS_ACKNOWLEDGED,
  AMPS_COUNTER_WORKLOADS_REJECTED,
  AMPS_COUNTER_WORKLOADS_PUBLISHED,
  AMPS_COUNTER_BROKER_RECONNECTS,
  AMPS_COUNTER_EVENTS_NONCONFORMING,
  AMPS_COUNTER_DISCARDED,
  AMPS_COUNTER_SPANS_EXPORTED,
  AMPS_COUNTER_SPANS_DROPPED,
} AmpsCounter;
#define AMPS_N_COUNTERS (AMPS_COUNTER_SPANS_DROPPED + 1)

/**
 * AmpsGauge:
 *
 * Gauges without labels.
 */
typedef enum {
  AMPS_GAUGE_MESSAGES_COUNT,
  AMPS_GAUGE_JOBS_IN_FLIGHT,
  AMPS_GAUGE_CONCURRENCY_LIMIT,
  AMPS_GAUGE_BROKER_CONNECTED,
  AMPS_GAUGE_BROKER_BLOCKED,
  AMPS_GAUGE_DEAD_LETTERS_WAITING,
  AMPS_GAUGE_READY,
  AMPS_GAUGE_OLDEST_JOB_AGE,
} AmpsGauge;
#define AMPS_N_GAUGES (AMPS_GAUGE_OLDEST_JOB_AGE + 1)

/**
 * AmpsHistogram:
 *
 * Histograms, all in seconds.
 */
typedef enum {
  AMPS_HISTOGRAM_MESSAGE_LIFETIME,
  AMPS_HISTOGRAM_JOB_DURATION,
  AMPS_HISTOGRAM_DELIVERY_LATENCY,
  AMPS_HISTOGRAM_WORKLOAD_REQUEST_DURATION,
} AmpsHistogram;
#define AMPS_N_HISTOGRAMS (AMPS_HISTOGRAM_WORKLOAD_REQUEST_DURATION + 1)

/**
 * AmpsPublicationResult:
 * @AMPS_PUBLICATION_CONFIRMED: it is safe with the broker
 * @AMPS_PUBLICATION_INVALID: not a CloudEvent that AMPS takes; not sent to the broker
 * @AMPS_PUBLICATION_UNROUTABLE: there is no queue for it
 * @AMPS_PUBLICATION_REFUSED: the broker does not take it, now or later
 * @AMPS_PUBLICATION_UNAVAILABLE: there was no broker, or it did not confirm it
 *
 * What became of an event that the workload wanted published; a label of
 * `amps_publications_total`.
 */
typedef enum {
  AMPS_PUBLICATION_CONFIRMED,
  AMPS_PUBLICATION_INVALID,
  AMPS_PUBLICATION_UNROUTABLE,
  AMPS_PUBLICATION_REFUSED,
  AMPS_PUBLICATION_UNAVAILABLE,
} AmpsPublicationResult;
#define AMPS_N_PUBLICATION_RESULTS (AMPS_PUBLICATION_UNAVAILABLE + 1)

/**
 * AmpsReportResult:
 * @AMPS_REPORT_SENT: Sentry has taken it
 * @AMPS_REPORT_LIMITED: AMPS's own limit or that of Sentry was reached
 * @AMPS_REPORT_DROPPED: too many wait already, or AMPS ends
 * @AMPS_REPORT_FAILED: Sentry could not be reached, or refused it
 *
 * What became of a report of an error; a label of `amps_error_reports_total`.
 */
typedef enum {
  AMPS_REPORT_SENT,
  AMPS_REPORT_LIMITED,
  AMPS_REPORT_DROPPED,
  AMPS_REPORT_FAILED,
} AmpsReportResult;
#define AMPS_N_REPORT_RESULTS (AMPS_REPORT_FAILED + 1)

/**
 * AmpsMetrics:
 *
 * All figures of one AMPS, in the main thread.
 */
#define AMPS_TYPE_METRICS (amps_metrics_get_type ())
G_DECLARE_FINAL_TYPE (AmpsMetrics, amps_metrics, AMPS, METRICS, GObject)

AmpsMetrics *amps_metrics_new (void);

void amps_metrics_increment (AmpsMetrics *self, AmpsCounter counter);
void amps_metrics_add (AmpsMetrics *self, AmpsCounter counter, unsigned int amount);
guint64 amps_metrics_get_counter (AmpsMetrics *self, AmpsCounter counter);
void amps_metrics_count_outcome (AmpsMetrics *self, AmpsOutcome outcome);
guint64 amps_metrics_get_outcomes (AmpsMetrics *self, AmpsOutcome outcome);
gboolean amps_metrics_count_fault (AmpsMetrics *self, AmpsEventFault fault);
void amps_metrics_count_dead_letter (AmpsMetrics *self, const char *reason);
guint64 amps_metrics_get_dead_letters (AmpsMetrics *self, const char *reason);
void amps_metrics_count_workload_request (AmpsMetrics *self, unsigned int status);
void amps_metrics_count_publication (AmpsMetrics *self, AmpsPublicationResult result);
void amps_metrics_count_api_request (AmpsMetrics *self, AmpsApiCall call, unsigned int status);
const char *amps_publication_result_to_string (AmpsPublicationResult result);
void amps_metrics_count_report (AmpsMetrics *self, AmpsReportResult result);
void amps_metrics_set_gauge (AmpsMetrics *self, AmpsGauge gauge, double value);
double amps_metrics_get_gauge (AmpsMetrics *self, AmpsGauge gauge);
void amps_metrics_set_paused (AmpsMetrics *self, const char *reason, gboolean paused);
void amps_metrics_take_queue_depths (AmpsMetrics *self, AmpsQueueDepths *depths);
const AmpsQueueDepths *amps_metrics_get_queue_depths (AmpsMetrics *self);
void amps_metrics_observe (AmpsMetrics *self, AmpsHistogram histogram, gint64 microseconds,
                           const AmpsTraceContext *trace);
void amps_metrics_get_buckets (AmpsMetrics *self, AmpsHistogram histogram, AmpsBuckets *buckets);

char *amps_metrics_format (AmpsMetrics *self, AmpsMetricsFormat format);

G_END_DECLS
