/* SPDX-License-Identifier: MIT */
#include "amps-metrics-private.h"

/* All in the order of their enums, and described in docs/reference/metrics.md. */

static const char *const publication_results[] = {
  [AMPS_PUBLICATION_CONFIRMED] = "confirmed",     [AMPS_PUBLICATION_INVALID] = "invalid",
  [AMPS_PUBLICATION_UNROUTABLE] = "unroutable",   [AMPS_PUBLICATION_REFUSED] = "refused",
  [AMPS_PUBLICATION_UNAVAILABLE] = "unavailable",
};
G_STATIC_ASSERT (G_N_ELEMENTS (publication_results) == AMPS_N_PUBLICATION_RESULTS);

#define SECONDS(n)                                                                                 \
  {                                                                                                \
#n, (gint64) (n) *G_USEC_PER_SEC                                                               \
  }

static const AmpsBound lifetime_bounds[] = {
  SECONDS (1),    SECONDS (2),    SECONDS (4),     SECONDS (8),     SECONDS (16),   SECONDS (32),
  SECONDS (64),   SECONDS (128),  SECONDS (256),   SECONDS (512),   SECONDS (1024), SECONDS (2048),
  SECONDS (4096), SECONDS (8192), SECONDS (16384), SECONDS (32768),
};

static const AmpsBound duration_bounds[] = {
  { "0.001", 1000 },  { "0.0025", 2500 }, { "0.005", 5000 },  { "0.01", 10000 }, { "0.025", 25000 },
  { "0.05", 50000 },  { "0.1", 100000 },  { "0.25", 250000 }, { "0.5", 500000 }, SECONDS (1),
  { "2.5", 2500000 }, SECONDS (5),        SECONDS (10),       SECONDS (30),      SECONDS (60),
  SECONDS (120),      SECONDS (300),      SECONDS (600),      SECONDS (1800),    SECONDS (3600),
};

G_STATIC_ASSERT (G_N_ELEMENTS (lifetime_bounds) <= AMPS_DURATIONS_MAX_BOUNDS);
G_STATIC_ASSERT (G_N_ELEMENTS (duration_bounds) <= AMPS_DURATIONS_MAX_BOUNDS);

/* What a dead letter says of itself in `x-amps-reason`. */
const char *const amps_dead_letter_reasons[AMPS_N_DEAD_LETTER_REASONS] = {
  "rejected", "malformed", "status", "max-attempts", "expired", "workload-restarted",
};

const AmpsHistogramFamily amps_histogram_families[AMPS_N_HISTOGRAMS] = {
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

G_DEFINE_FINAL_TYPE (AmpsMetrics, amps_metrics, G_TYPE_OBJECT)

static void
amps_metrics_finalize (GObject *object)
{
  AmpsMetrics *self = AMPS_METRICS (object);

  for (unsigned int i = 0; i < AMPS_N_HISTOGRAMS; i++)
    amps_durations_clear (&self->histograms[i]);
  g_clear_pointer (&self->queue_depths, amps_queue_depths_free);

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

  while (i < AMPS_N_DEAD_LETTER_REASONS && g_strcmp0 (amps_dead_letter_reasons[i], reason) != 0)
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

  g_return_if_fail (i < AMPS_N_DEAD_LETTER_REASONS);

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

  g_return_val_if_fail (i < AMPS_N_DEAD_LETTER_REASONS, 0);

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

  self->requests[class < AMPS_N_REQUEST_CLASSES ? class : 0]++;
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
 * amps_metrics_count_report:
 * @self: the figures
 * @result: what became of a report of an error
 *
 * Counts it in `amps_error_reports_total`.
 */
void
amps_metrics_count_report (AmpsMetrics *self, AmpsReportResult result)
{
  self->reports[result]++;
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
 * @reason: a static word: why messages may not be consumed
 * @paused: whether that is so now
 *
 * `amps_consumer_paused` shows the reasons that it was told of, in the order of the first
 * times.
 */
void
amps_metrics_set_paused (AmpsMetrics *self, const char *reason, gboolean paused)
{
  unsigned int i = 0;

  while (i < AMPS_MAX_PAUSE_REASONS && self->pauses[i].reason != NULL &&
         strcmp (self->pauses[i].reason, reason) != 0)
    i++;
  g_return_if_fail (i < AMPS_MAX_PAUSE_REASONS);

  self->pauses[i] = (AmpsPause){ reason, paused };
}

/**
 * amps_metrics_observe:
 * @self: the figures
 * @histogram: one of them
 * @microseconds: how long it took; negative counts as 0
 * @trace: (nullable): the trace that it is part of
 *
 * In OpenMetrics each bucket shows the latest trace that fell into it.
 */
void
amps_metrics_observe (AmpsMetrics *self, AmpsHistogram histogram, gint64 microseconds,
                      const AmpsTraceContext *trace)
{
  amps_durations_observe (&self->histograms[histogram], amps_histogram_families[histogram].bounds,
                          amps_histogram_families[histogram].n_bounds, microseconds, trace);
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
  const AmpsBound *bounds = amps_histogram_families[histogram].bounds;
  unsigned int n_bounds = amps_histogram_families[histogram].n_bounds;

  *buckets = (AmpsBuckets){ .n_buckets = n_bounds + 1 };
  for (unsigned int i = 0; i <= n_bounds; i++)
    {
      buckets->bounds[i] = i < n_bounds ? bounds[i].microseconds : G_MAXINT64;
      buckets->counts[i] = self->histograms[histogram].counts[i];
    }
}
