/* SPDX-License-Identifier: MIT */
#include "amps-status-history.h"

#define INTERVAL AMPS_SECONDS (5)
#define KEPT AMPS_SECONDS (15 * 60)

/* What is counted since the start. */
typedef struct {
  guint64 received;
  guint64 settled;
  guint64 done;
  guint64 failed;
  guint64 retried;
  AmpsBuckets durations;
} Totals;

/* How much came in some time. Latencies are in µs, and −1 without any. */
typedef struct {
  gint64 began; /* monotonic µs */
  gint64 ended; /* likewise */
  guint64 done;
  guint64 failed;
  guint64 retried;
  unsigned int in_flight; /* at its end */
  gint64 p50;
  gint64 p95;
  gint64 p99;
} Sample;

struct _AmpsStatusHistory {
  AmpsClock *clock;     /* (owned) */
  AmpsMetrics *metrics; /* (owned) */
  Sample samples[AMPS_STATUS_HISTORY_MAX];
  guint64 n_samples; /* that were ever taken */
  Totals totals;     /* when the latest one was taken */
  gint64 began;      /* monotonic µs: when the present one began */
  GSource *source;   /* (owned) a timer for its end, or a watch while nothing is counted */
};

/* Looks at the figures in each turn of the main loop that there is anyway, rather than
 * letting each job say that it is there, or waking up to look for one. */
typedef struct {
  GSource source;
  AmpsStatusHistory *history;
} Watch;

static guint64
count_retried (AmpsMetrics *metrics)
{
  return amps_metrics_get_outcomes (metrics, AMPS_OUTCOME_RETRIED) +
         amps_metrics_get_outcomes (metrics, AMPS_OUTCOME_EXPIRED);
}

static gboolean
has_changed (AmpsStatusHistory *self)
{
  AmpsMetrics *metrics = self->metrics;
  const Totals *totals = &self->totals;

  return amps_metrics_get_counter (metrics, AMPS_COUNTER_MESSAGES_INSERTED) != totals->received ||
         amps_metrics_get_counter (metrics, AMPS_COUNTER_MESSAGES_DELETED) != totals->settled ||
         count_retried (metrics) != totals->retried;
}

static gboolean
watch_prepare (GSource *source, int *timeout)
{
  AmpsStatusHistory *self = ((Watch *) source)->history;

  *timeout = -1;
  return has_changed (self);
}

static gboolean
watch_dispatch (GSource *source G_GNUC_UNUSED, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs watch_funcs = { .prepare = watch_prepare, .dispatch = watch_dispatch };

static void
read_totals (AmpsStatusHistory *self, Totals *totals)
{
  AmpsMetrics *metrics = self->metrics;

  totals->received = amps_metrics_get_counter (metrics, AMPS_COUNTER_MESSAGES_INSERTED);
  totals->settled = amps_metrics_get_counter (metrics, AMPS_COUNTER_MESSAGES_DELETED);
  totals->done = amps_metrics_get_outcomes (metrics, AMPS_OUTCOME_ACKNOWLEDGED);
  totals->failed = amps_metrics_get_outcomes (metrics, AMPS_OUTCOME_REJECTED) +
                   amps_metrics_get_outcomes (metrics, AMPS_OUTCOME_MALFORMED);
  totals->retried = count_retried (metrics);
  amps_metrics_get_buckets (metrics, AMPS_HISTOGRAM_JOB_DURATION, &totals->durations);
}

static void
end_sample (AmpsStatusHistory *self)
{
  Sample *sample = &self->samples[self->n_samples++ % AMPS_STATUS_HISTORY_MAX];
  Totals now;
  AmpsBuckets durations;

  read_totals (self, &now);
  durations = now.durations;
  amps_buckets_subtract (&durations, &self->totals.durations);
  *sample = (Sample){
    .began = self->began,
    .ended = amps_clock_get_monotonic_time (self->clock),
    .done = now.done - self->totals.done,
    .failed = now.failed - self->totals.failed,
    .retried = now.retried - self->totals.retried,
    .in_flight = (unsigned int) amps_metrics_get_gauge (self->metrics, AMPS_GAUGE_JOBS_IN_FLIGHT),
    .p50 = amps_buckets_estimate_quantile (&durations, 0.5),
    .p95 = amps_buckets_estimate_quantile (&durations, 0.95),
    .p99 = amps_buckets_estimate_quantile (&durations, 0.99),
  };
  self->totals = now;
}

static void
begin_sample (AmpsStatusHistory *self)
{
  self->began = amps_clock_get_monotonic_time (self->clock);
  amps_timer_set_due (self->source, self->began + INTERVAL);
}

static void status_history_watch (AmpsStatusHistory *self);

static gboolean
status_history_on_timer (gpointer user_data)
{
  AmpsStatusHistory *self = user_data;

  if (!has_changed (self))
    {
      amps_timer_free (self->source);
      status_history_watch (self);
      return G_SOURCE_REMOVE;
    }

  end_sample (self);
  begin_sample (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_news (gpointer user_data)
{
  AmpsStatusHistory *self = user_data;

  g_source_unref (self->source);
  self->source =
      amps_clock_attach_timer (self->clock, "status history", status_history_on_timer, self);
  begin_sample (self);
  return G_SOURCE_REMOVE;
}

/* Either the watch or the timer is there: each source costs a little in every turn. */
static void
status_history_watch (AmpsStatusHistory *self)
{
  self->source = g_source_new (&watch_funcs, sizeof (Watch));
  ((Watch *) self->source)->history = self;
  g_source_set_static_name (self->source, "status history watch");
  g_source_set_callback (self->source, on_news, self, NULL);
  g_source_attach (self->source, NULL);
}

/**
 * amps_status_history_new:
 * @clock: what time is measured by
 * @metrics: the figures
 *
 * Returns: (transfer full): a history that begins now
 */
AmpsStatusHistory *
amps_status_history_new (AmpsClock *clock, AmpsMetrics *metrics)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);

  AmpsStatusHistory *self = g_new0 (AmpsStatusHistory, 1);

  self->clock = g_object_ref (clock);
  self->metrics = g_object_ref (metrics);
  read_totals (self, &self->totals);
  status_history_watch (self);
  return self;
}

/**
 * amps_status_history_free:
 * @self: (transfer full): a history
 */
void
amps_status_history_free (AmpsStatusHistory *self)
{
  amps_timer_free (self->source);
  g_object_unref (self->metrics);
  g_object_unref (self->clock);
  g_free (self);
}

/* In seconds; exact, and no locale can spoil it. */
static void
append_duration (GString *json, const char *name, gint64 microseconds)
{
  if (microseconds < 0)
    g_string_append_printf (json, ",\"%s\":null", name);
  else
    g_string_append_printf (json, ",\"%s\":%" G_GINT64_FORMAT ".%06d", name,
                            microseconds / G_USEC_PER_SEC, (int) (microseconds % G_USEC_PER_SEC));
}

static void
append_sample (AmpsStatusHistory *self, GString *json, const Sample *sample)
{
  g_string_append_printf (json,
                          "{\"time\":%" G_GINT64_FORMAT ",\"done\":%" G_GUINT64_FORMAT
                          ",\"failed\":%" G_GUINT64_FORMAT ",\"retried\":%" G_GUINT64_FORMAT
                          ",\"in_flight\":%u",
                          amps_clock_to_real_time (self->clock, sample->ended) / 1000, sample->done,
                          sample->failed, sample->retried, sample->in_flight);
  append_duration (json, "seconds", sample->ended - sample->began);
  append_duration (json, "p50", sample->p50);
  append_duration (json, "p95", sample->p95);
  append_duration (json, "p99", sample->p99);
  g_string_append_c (json, '}');
}

/**
 * amps_status_history_append:
 * @self: a history
 * @json: gets a list of samples, the oldest first
 * @max: how many of the latest ones to append at most
 *
 * A time without a sample is one in which nothing was counted.
 */
void
amps_status_history_append (AmpsStatusHistory *self, GString *json, unsigned int max)
{
  gint64 since = amps_clock_get_monotonic_time (self->clock) - KEPT;
  guint64 count = MIN (MIN (self->n_samples, AMPS_STATUS_HISTORY_MAX), max);
  gboolean first = TRUE;

  g_string_append_c (json, '[');
  for (guint64 i = self->n_samples - count; i < self->n_samples; i++)
    {
      const Sample *sample = &self->samples[i % AMPS_STATUS_HISTORY_MAX];

      if (sample->ended <= since)
        continue;
      if (!first)
        g_string_append_c (json, ',');
      append_sample (self, json, sample);
      first = FALSE;
    }
  g_string_append_c (json, ']');
}
