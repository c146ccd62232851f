/* SPDX-License-Identifier: MIT */
#include "amps-durations.h"

#include <string.h>

/* The latest run of a bucket that was traced. */
struct _AmpsExemplar {
  AmpsTraceContext trace;
  gint64 microseconds;
  gint64 time; /* µs since 1970; 0 while there is none */
};

/**
 * amps_durations_clear:
 * @self: figures
 *
 * Frees what they own.
 */
void
amps_durations_clear (AmpsDurations *self)
{
  g_clear_pointer (&self->exemplars, g_free);
}

static void
keep_exemplar (AmpsDurations *self, unsigned int bucket, gint64 microseconds,
               const AmpsTraceContext *trace)
{
  AmpsExemplar *exemplar;

  if (self->exemplars == NULL)
    self->exemplars = g_new0 (AmpsExemplar, AMPS_DURATIONS_MAX_BOUNDS + 1);

  exemplar = &self->exemplars[bucket];
  exemplar->trace = *trace;
  exemplar->microseconds = microseconds;
  exemplar->time = g_get_real_time ();
}

/**
 * amps_durations_observe:
 * @self: figures
 * @bounds: the upper bounds, in order
 * @n_bounds: how many there are
 * @microseconds: how long something took; negative counts as 0
 * @trace: (nullable): the trace that it is part of. Only one that is sampled can be
 *   looked up, and so becomes an exemplar
 */
void
amps_durations_observe (AmpsDurations *self, const AmpsBound *bounds, unsigned int n_bounds,
                        gint64 microseconds, const AmpsTraceContext *trace)
{
  unsigned int bucket = 0;

  microseconds = MAX (microseconds, 0);
  while (bucket < n_bounds && microseconds > bounds[bucket].microseconds)
    bucket++;
  self->counts[bucket]++;
  self->sum += microseconds;

  if (trace != NULL && amps_trace_context_is_sampled (trace))
    keep_exemplar (self, bucket, microseconds, trace);
}

/* An integer of µs as seconds: exact, and no locale can spoil it. */
static void
append_seconds (GString *text, gint64 microseconds)
{
  g_string_append_printf (text, "%" G_GINT64_FORMAT ".%06d", microseconds / G_USEC_PER_SEC,
                          (int) (microseconds % G_USEC_PER_SEC));
}

static void
append_exemplar (const AmpsDurations *self, unsigned int bucket, GString *text)
{
  const AmpsExemplar *exemplar = self->exemplars != NULL ? &self->exemplars[bucket] : NULL;

  char trace_id[AMPS_TRACE_ID_SIZE];

  if (exemplar == NULL || exemplar->time == 0)
    return;

  amps_trace_context_format_trace_id (&exemplar->trace, trace_id);
  g_string_append_printf (text, " # {trace_id=\"%s\"} ", trace_id);
  append_seconds (text, exemplar->microseconds);
  g_string_append_c (text, ' ');
  append_seconds (text, exemplar->time);
}

/**
 * amps_durations_append:
 * @self: figures
 * @bounds: as they were observed with
 * @n_bounds: how many there are
 * @name: the name of the histogram
 * @text: gets its samples
 * @format: what they are written in
 */
void
amps_durations_append (const AmpsDurations *self, const AmpsBound *bounds, unsigned int n_bounds,
                       const char *name, GString *text, AmpsMetricsFormat format)
{
  gboolean open_metrics = format == AMPS_METRICS_OPENMETRICS;
  guint64 count = 0;

  for (unsigned int i = 0; i <= n_bounds; i++)
    {
      const char *le = i < n_bounds ? bounds[i].le : "+Inf";
      gboolean is_whole = i < n_bounds && strchr (le, '.') == NULL;

      count += self->counts[i];
      /* OpenMetrics writes a whole number as 1.0, "Considerations: Canonical Numbers". */
      g_string_append_printf (text, "%s_bucket{le=\"%s%s\"} %" G_GUINT64_FORMAT, name, le,
                              open_metrics && is_whole ? ".0" : "", count);
      if (open_metrics)
        append_exemplar (self, i, text);
      g_string_append_c (text, '\n');
    }

  g_string_append_printf (text, "%s_sum ", name);
  append_seconds (text, self->sum);
  g_string_append_printf (text, "\n%s_count %" G_GUINT64_FORMAT "\n", name, count);
}
