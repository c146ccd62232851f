/* SPDX-License-Identifier: MIT */
#include "amps-metrics.h"

#include "amps-process-metrics.h"
#include "config.h"

/* All in the order of their enums, and described in docs/reference/metrics.md. */

typedef struct {
  const char *name;
  const char *help;
} Family;

static const Family counter_families[] = {
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
                                          "Events that break CloudEvents and were let pass." },
  [AMPS_COUNTER_DISCARDED] = { "amps_discarded_total",
                               "Jobs that were rejected at the broker without a copy." },
  [AMPS_COUNTER_SPANS_EXPORTED] = { "amps_spans_exported_total",
                                    "Spans that the collector of traces took." },
  [AMPS_COUNTER_SPANS_DROPPED] = { "amps_spans_dropped_total",
                                   "Spans that the collector of traces did not get." },
};
G_STATIC_ASSERT (G_N_ELEMENTS (counter_families) == AMPS_N_COUNTERS);

static const Family gauge_families[] = {
  [AMPS_GAUGE_MESSAGES_COUNT] = { "amps_messages_count", "Messages in the manifest." },
  [AMPS_GAUGE_JOBS_IN_FLIGHT] = { "amps_jobs_in_flight", "Jobs in flight." },
  [AMPS_GAUGE_CONCURRENCY_LIMIT] = { "amps_concurrency_limit",
                                     "Jobs that may be in the workload at once." },
  [AMPS_GAUGE_BROKER_CONNECTED] = { "amps_broker_connected",
                                    "Whether there is a connection to the broker." },
  [AMPS_GAUGE_BROKER_BLOCKED] = { "amps_broker_blocked",
                                  "Whether the broker takes no published messages now." },
  [AMPS_GAUGE_DEAD_LETTERS_WAITING] = { "amps_dead_letters_waiting",
                                        "Jobs that could not be copied to the dead letters yet." },
  [AMPS_GAUGE_READY] = { "amps_ready", "Whether messages are consumed, as /readyz says." },
  [AMPS_GAUGE_OLDEST_JOB_AGE] = { "amps_oldest_job_age_seconds",
                                  "How long the oldest job in flight has been here." },
};
G_STATIC_ASSERT (G_N_ELEMENTS (gauge_families) == AMPS_N_GAUGES);

static const char *const pause_reasons[] = {
  [AMPS_PAUSE_REQUESTED] = "requested", [AMPS_PAUSE_DRAINING] = "draining",
  [AMPS_PAUSE_WORKLOAD] = "workload",   [AMPS_PAUSE_REFUSED] = "refused",
  [AMPS_PAUSE_MEMORY] = "memory",
};
G_STATIC_ASSERT (G_N_ELEMENTS (pause_reasons) == AMPS_N_PAUSE_REASONS);

/* What a dead letter says of itself in `x-amps-reason`. */
static const char *const dead_letter_reasons[] = {
  "rejected", "malformed", "status", "max-attempts", "expired", "workload-restarted",
};
#define N_DEAD_LETTER_REASONS G_N_ELEMENTS (dead_letter_reasons)
static const char *const publication_results[] = {
  [AMPS_PUBLICATION_CONFIRMED] = "confirmed",     [AMPS_PUBLICATION_INVALID] = "invalid",
  [AMPS_PUBLICATION_UNROUTABLE] = "unroutable",   [AMPS_PUBLICATION_REFUSED] = "refused",
  [AMPS_PUBLICATION_UNAVAILABLE] = "unavailable",
};
G_STATIC_ASSERT (G_N_ELEMENTS (publication_results) == AMPS_N_PUBLICATION_RESULTS);

static const char *const request_classes[] = { "error", "1xx", "2xx", "3xx", "4xx", "5xx" };
#define N_REQUEST_CLASSES G_N_ELEMENTS (request_classes)

/* An upper bound as it is written and in µs. */
typedef struct {
  const char *le;
  gint64 microseconds;
} Bound;

#define SECONDS(n)                                                                                 \
  {                                                                                                \
#n, (gint64) (n) *G_USEC_PER_SEC                                                               \
  }

static const Bound lifetime_bounds[] = {
  SECONDS (1),    SECONDS (2),    SECONDS (4),     SECONDS (8),     SECONDS (16),   SECONDS (32),
  SECONDS (64),   SECONDS (128),  SECONDS (256),   SECONDS (512),   SECONDS (1024), SECONDS (2048),
  SECONDS (4096), SECONDS (8192), SECONDS (16384), SECONDS (32768),
};

static const Bound duration_bounds[] = {
  { "0.001", 1000 },  { "0.0025", 2500 }, { "0.005", 5000 },  { "0.01", 10000 }, { "0.025", 25000 },
  { "0.05", 50000 },  { "0.1", 100000 },  { "0.25", 250000 }, { "0.5", 500000 }, SECONDS (1),
  { "2.5", 2500000 }, SECONDS (5),        SECONDS (10),       SECONDS (30),      SECONDS (60),
  SECONDS (120),      SECONDS (300),      SECONDS (600),      SECONDS (1800),    SECONDS (3600),
};

#define MAX_BOUNDS (AMPS_BUCKETS_MAX - 1)
G_STATIC_ASSERT (G_N_ELEMENTS (lifetime_bounds) <= MAX_BOUNDS);
G_STATIC_ASSERT (G_N_ELEMENTS (duration_bounds) <= MAX_BOUNDS);

static const struct {
  Family family;
  const Bound *bounds;
  unsigned int n_bounds;
} histogram_families[] = {
  [AMPS_HISTOGRAM_MESSAGE_LIFETIME] = { { "amps_message_lifetime_seconds",
                                          "How long messages were in the manifest." },
                                        lifetime_bounds,
                                        G_N_ELEMENTS (lifetime_bounds) },
  [AMPS_HISTOGRAM_JOB_DURATION] = { { "amps_job_duration_seconds",
                                      "From a POST of a job to the end of that run." },
                                    duration_bounds,
                                    G_N_ELEMENTS (duration_bounds) },
  [AMPS_HISTOGRAM_DELIVERY_LATENCY] = { { "amps_delivery_latency_seconds",
                                          "From the arrival of a message to its acceptance." },
                                        duration_bounds,
                                        G_N_ELEMENTS (duration_bounds) },
  [AMPS_HISTOGRAM_WORKLOAD_REQUEST_DURATION] = { { "amps_workload_request_duration_seconds",
                                                   "From a POST to the workload to its answer." },
                                                 duration_bounds,
                                                 G_N_ELEMENTS (duration_bounds) },
};
G_STATIC_ASSERT (G_N_ELEMENTS (histogram_families) == AMPS_N_HISTOGRAMS);

typedef struct {
  guint64 counts[MAX_BOUNDS + 1]; /* of each bucket alone; the last one is +Inf */
  gint64 sum;                     /* µs */
} Histogram;

struct _AmpsMetrics {
  GObject parent_instance;

  guint64 counters[AMPS_N_COUNTERS];
  guint64 outcomes[AMPS_N_OUTCOMES];
  guint64 dead_letters[N_DEAD_LETTER_REASONS];
  guint64 requests[N_REQUEST_CLASSES];
  guint64 faults[AMPS_N_EVENT_FAULTS];
  double gauges[AMPS_N_GAUGES];
  gboolean paused[AMPS_N_PAUSE_REASONS];
  Histogram histograms[AMPS_N_HISTOGRAMS];
  guint64 publications[AMPS_N_PUBLICATION_RESULTS];
  AmpsApiMetrics api;
  AmpsQueueDepths *queue_depths; /* (owned) (nullable) while they are not known */
};

G_DEFINE_FINAL_TYPE (AmpsMetrics, amps_metrics, G_TYPE_OBJECT)

static void
amps_metrics_finalize (GObject *object)
{
  g_clear_pointer (&AMPS_METRICS (object)->queue_depths, amps_queue_depths_free);

  G_OBJECT_CLASS (amps_metrics_parent_class)->finalize (object);
}

static void
amps_metrics_class_init (AmpsMetricsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_metrics_finalize;
}

static void
amps_metrics_init (AmpsMetrics *self G_GNUC_UNUSED)
{
}

/**
 * amps_metrics_new:
 *
 * Returns: (transfer full): figures that are all zero
 */
AmpsMetrics *
amps_metrics_new (void)
{
  return g_object_new (AMPS_TYPE_METRICS, NULL);
}

/**
 * amps_metrics_increment:
 * @self: the figures
 * @counter: one of them
 *
 * Adds one to @counter.
 */
void
amps_metrics_increment (AmpsMetrics *self, AmpsCounter counter)
{
  self->counters[counter]++;
}

/**
 * amps_metrics_add:
 * @self: the figures
 * @counter: one of them
 * @amount: how much more there is of it
 */
void
amps_metrics_add (AmpsMetrics *self, AmpsCounter counter, unsigned int amount)
{
  self->counters[counter] += amount;
}

/**
 * amps_metrics_get_counter:
 * @self: the figures
 * @counter: one of them
 *
 * Returns: what @counter stands at
 */
guint64
amps_metrics_get_counter (AmpsMetrics *self, AmpsCounter counter)
{
  return self->counters[counter];
}

/**
 * amps_metrics_count_outcome:
 * @self: the figures
 * @outcome: how a job ended
 *
 * Counts it in `amps_job_outcomes_total`.
 */
void
amps_metrics_count_outcome (AmpsMetrics *self, AmpsOutcome outcome)
{
  self->outcomes[outcome]++;
}

/**
 * amps_metrics_get_outcomes:
 * @self: the figures
 * @outcome: a way for a job to end
 *
 * Returns: how many ended so
 */
guint64
amps_metrics_get_outcomes (AmpsMetrics *self, AmpsOutcome outcome)
{
  return self->outcomes[outcome];
}

static unsigned int
find_reason (const char *reason)
{
  unsigned int i = 0;

  while (i < N_DEAD_LETTER_REASONS && g_strcmp0 (dead_letter_reasons[i], reason) != 0)
    i++;
  return i;
}

/**
 * amps_metrics_count_dead_letter:
 * @self: the figures
 * @reason: a word as in `x-amps-reason`
 *
 * Counts a confirmed copy in `amps_dead_letters_total`.
 */
void
amps_metrics_count_dead_letter (AmpsMetrics *self, const char *reason)
{
  unsigned int i = find_reason (reason);

  g_return_if_fail (i < N_DEAD_LETTER_REASONS);

  self->dead_letters[i]++;
}

/**
 * amps_metrics_get_dead_letters:
 * @self: the figures
 * @reason: likewise
 *
 * Returns: how many jobs were copied to the dead letters for @reason
 */
guint64
amps_metrics_get_dead_letters (AmpsMetrics *self, const char *reason)
{
  unsigned int i = find_reason (reason);

  g_return_val_if_fail (i < N_DEAD_LETTER_REASONS, 0);

  return self->dead_letters[i];
}

/**
 * amps_metrics_count_fault:
 * @self: the figures
 * @fault: what CloudEvents forbids of an event that was let pass
 *
 * Returns: whether it is the first of its kind
 */
gboolean
amps_metrics_count_fault (AmpsMetrics *self, AmpsEventFault fault)
{
  return self->faults[fault]++ == 0;
}

/**
 * amps_metrics_count_workload_request:
 * @self: the figures
 * @status: the HTTP status of the answer; 0 when there was none
 *
 * Counts it in `amps_workload_requests_total`, by its class only: a label must
 * not grow with what a workload likes to answer.
 */
void
amps_metrics_count_workload_request (AmpsMetrics *self, unsigned int status)
{
  unsigned int class = status / 100;

  self->requests[class < N_REQUEST_CLASSES ? class : 0]++;
}

/**
 * amps_metrics_count_publication:
 * @self: the figures
 * @result: what became of an event that the workload wanted published
 *
 * Counts it in `amps_publications_total`.
 */
void
amps_metrics_count_publication (AmpsMetrics *self, AmpsPublicationResult result)
{
  self->publications[result]++;
}

/**
 * amps_publication_result_to_string:
 * @result: what became of an event
 *
 * Returns: (transfer none): its name for labels
 */
const char *
amps_publication_result_to_string (AmpsPublicationResult result)
{
  return publication_results[result];
}

/**
 * amps_metrics_count_api_request:
 * @self: the figures
 * @call: what was called
 * @status: the HTTP status of the answer
 *
 * Counts it in `amps_api_requests_total`.
 */
void
amps_metrics_count_api_request (AmpsMetrics *self, AmpsApiCall call, unsigned int status)
{
  amps_api_metrics_count (&self->api, call, status);
}

/**
 * amps_metrics_take_queue_depths:
 * @self: the figures
 * @depths: (transfer full) (nullable): what `amps_queue_messages` shows from now on;
 *   %NULL for nothing, rather than what is not true any more
 */
void
amps_metrics_take_queue_depths (AmpsMetrics *self, AmpsQueueDepths *depths)
{
  g_clear_pointer (&self->queue_depths, amps_queue_depths_free);
  self->queue_depths = depths;
}

/**
 * amps_metrics_get_queue_depths:
 * @self: the figures
 *
 * Returns: (transfer none) (nullable): what `amps_queue_messages` shows
 */
const AmpsQueueDepths *
amps_metrics_get_queue_depths (AmpsMetrics *self)
{
  return self->queue_depths;
}

/**
 * amps_metrics_set_gauge:
 * @self: the figures
 * @gauge: one of them
 * @value: what it shows from now on
 */
void
amps_metrics_set_gauge (AmpsMetrics *self, AmpsGauge gauge, double value)
{
  self->gauges[gauge] = value;
}

/**
 * amps_metrics_get_gauge:
 * @self: the figures
 * @gauge: one of them
 *
 * Returns: what it shows
 */
double
amps_metrics_get_gauge (AmpsMetrics *self, AmpsGauge gauge)
{
  return self->gauges[gauge];
}

/**
 * amps_metrics_set_paused:
 * @self: the figures
 * @reason: why messages may not be consumed
 * @paused: whether that is so now
 */
void
amps_metrics_set_paused (AmpsMetrics *self, AmpsPauseReason reason, gboolean paused)
{
  self->paused[reason] = paused;
}

/**
 * amps_metrics_get_paused:
 * @self: the figures
 * @reason: why messages may not be consumed
 *
 * Returns: whether that is so now
 */
gboolean
amps_metrics_get_paused (AmpsMetrics *self, AmpsPauseReason reason)
{
  return self->paused[reason];
}

/**
 * amps_metrics_observe:
 * @self: the figures
 * @histogram: one of them
 * @microseconds: how long it took; negative counts as 0
 */
void
amps_metrics_observe (AmpsMetrics *self, AmpsHistogram histogram, gint64 microseconds)
{
  Histogram *counts = &self->histograms[histogram];
  const Bound *bounds = histogram_families[histogram].bounds;
  unsigned int n_bounds = histogram_families[histogram].n_bounds;
  unsigned int bucket = 0;

  while (bucket < n_bounds && microseconds > bounds[bucket].microseconds)
    bucket++;
  counts->counts[bucket]++;
  counts->sum += MAX (microseconds, 0);
}

/**
 * amps_metrics_get_buckets:
 * @self: the figures
 * @histogram: one of them
 * @buckets: (out caller-allocates): what it has counted since the start
 */
void
amps_metrics_get_buckets (AmpsMetrics *self, AmpsHistogram histogram, AmpsBuckets *buckets)
{
  const Bound *bounds = histogram_families[histogram].bounds;
  unsigned int n_bounds = histogram_families[histogram].n_bounds;

  *buckets = (AmpsBuckets){ .n_buckets = n_bounds + 1 };
  for (unsigned int i = 0; i <= n_bounds; i++)
    {
      buckets->bounds[i] = i < n_bounds ? bounds[i].microseconds : G_MAXINT64;
      buckets->counts[i] = self->histograms[histogram].counts[i];
    }
}

static void
append_header (GString *text, const Family *family, const char *type)
{
  g_string_append_printf (text, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
                          family->name, type);
}

static void
append_labelled (GString *text, const char *name, const char *label, const char *value,
                 guint64 count)
{
  g_string_append_printf (text, "%s{%s=\"%s\"} %" G_GUINT64_FORMAT "\n", name, label, value, count);
}

static void
append_counters (AmpsMetrics *self, GString *text)
{
  for (unsigned int i = 0; i < AMPS_N_COUNTERS; i++)
    {
      append_header (text, &counter_families[i], "counter");
      g_string_append_printf (text, "%s %" G_GUINT64_FORMAT "\n", counter_families[i].name,
                              self->counters[i]);
    }
}

static void
append_gauges (AmpsMetrics *self, GString *text)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  for (unsigned int i = 0; i < AMPS_N_GAUGES; i++)
    {
      append_header (text, &gauge_families[i], "gauge");
      g_ascii_formatd (number, sizeof number, "%.15g", self->gauges[i]);
      g_string_append_printf (text, "%s %s\n", gauge_families[i].name, number);
    }
}

static void
append_outcomes (AmpsMetrics *self, GString *text)
{
  static const Family family = { "amps_job_outcomes_total", "Runs of jobs by how they ended." };

  append_header (text, &family, "counter");
  for (unsigned int i = AMPS_OUTCOME_NONE + 1; i < AMPS_N_OUTCOMES; i++)
    append_labelled (text, family.name, "outcome", amps_outcome_to_string (i), self->outcomes[i]);
}

static void
append_dead_letters (AmpsMetrics *self, GString *text)
{
  static const Family family = { "amps_dead_letters_total",
                                 "Confirmed copies in the dead-letter queue by their reason." };

  append_header (text, &family, "counter");
  for (unsigned int i = 0; i < N_DEAD_LETTER_REASONS; i++)
    append_labelled (text, family.name, "reason", dead_letter_reasons[i], self->dead_letters[i]);
}

static void
append_requests (AmpsMetrics *self, GString *text)
{
  static const Family family = { "amps_workload_requests_total",
                                 "Requests to the workload by class of the answer." };

  append_header (text, &family, "counter");
  for (unsigned int i = 0; i < N_REQUEST_CLASSES; i++)
    append_labelled (text, family.name, "code", request_classes[i], self->requests[i]);
}

static void
append_publications (AmpsMetrics *self, GString *text)
{
  static const Family family = { "amps_publications_total",
                                 "Events that were to be published, by what became of them." };

  append_header (text, &family, "counter");
  for (unsigned int i = 0; i < AMPS_N_PUBLICATION_RESULTS; i++)
    append_labelled (text, family.name, "result", publication_results[i], self->publications[i]);
}

static void
append_pauses (AmpsMetrics *self, GString *text)
{
  static const Family family = { "amps_consumer_paused", "Whether no messages are consumed." };

  append_header (text, &family, "gauge");
  for (unsigned int i = 0; i < AMPS_N_PAUSE_REASONS; i++)
    append_labelled (text, family.name, "reason", pause_reasons[i], self->paused[i] ? 1 : 0);
}

static void
append_histogram (GString *text, const Histogram *histogram, const Family *family,
                  const Bound *bounds, unsigned int n_bounds)
{
  guint64 count = 0;

  append_header (text, family, "histogram");
  for (unsigned int i = 0; i <= n_bounds; i++)
    {
      count += histogram->counts[i];
      g_string_append_printf (text, "%s_bucket{le=\"%s\"} %" G_GUINT64_FORMAT "\n", family->name,
                              i < n_bounds ? bounds[i].le : "+Inf", count);
    }

  /* The sum is exact as an integer of µs, and no locale can spoil it. */
  g_string_append_printf (text, "%s_sum %" G_GINT64_FORMAT ".%06d\n", family->name,
                          histogram->sum / G_USEC_PER_SEC, (int) (histogram->sum % G_USEC_PER_SEC));
  g_string_append_printf (text, "%s_count %" G_GUINT64_FORMAT "\n", family->name, count);
}

static void
append_build_info (GString *text)
{
  static const Family family = { "amps_build_info", "A constant 1 labelled by the version." };

  append_header (text, &family, "gauge");
  append_labelled (text, family.name, "version", AMPS_VERSION, 1);
}

/**
 * amps_metrics_format:
 * @self: the figures
 *
 * Writes all figures, and those of the process, in Prometheus's text format
 * 0.0.4.
 *
 * Returns: (transfer full): ASCII text
 */
char *
amps_metrics_format (AmpsMetrics *self)
{
  GString *text = g_string_sized_new (16384);

  append_build_info (text);
  append_counters (self, text);
  append_gauges (self, text);
  append_pauses (self, text);
  append_outcomes (self, text);
  append_dead_letters (self, text);
  append_requests (self, text);
  append_publications (self, text);
  amps_api_metrics_append (&self->api, text);
  amps_queue_depths_append (self->queue_depths, text);
  for (unsigned int i = 0; i < AMPS_N_HISTOGRAMS; i++)
    append_histogram (text, &self->histograms[i], &histogram_families[i].family,
                      histogram_families[i].bounds, histogram_families[i].n_bounds);
  amps_process_metrics_append (text);

  return g_string_free (text, FALSE);
}
