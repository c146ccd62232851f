/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-top-view.h"

#include "amps-ctl-job-list.h"
#include "amps-ctl-json.h"
#include "amps-ctl-table.h"
#include "amps-ctl-text.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>

/* Where nobody says how wide it is. */
#define UNLIMITED 1000

typedef struct {
  const char *name; /* in JSON, and for people */
  const char *metric;
} Rate;

#define OUTCOME(name) "amps_job_outcomes_total{outcome=\"" name "\"}"

static const Rate rates[] = {
  { N_ ("received"), "amps_messages_inserted_total" },
  { N_ ("acknowledged"), OUTCOME ("acknowledged") },
  { N_ ("rejected"), OUTCOME ("rejected") },
  { N_ ("rescheduled"), OUTCOME ("rescheduled") },
  { N_ ("retried"), OUTCOME ("retried") },
  { N_ ("expired"), OUTCOME ("expired") },
  { N_ ("published"), "amps_workloads_published_total" },
};

/* Those that are shown even if there is nothing of them. */
#define N_COMMON_RATES 2

typedef struct {
  const char *name; /* in JSON */
  const char *title;
  const char *metric;
} Latency;

static const Latency latencies[] = {
  { "job", N_ ("from the POST to the outcome"), "amps_job_duration_seconds" },
  { "answer", N_ ("from the POST to its answer"), "amps_workload_request_duration_seconds" },
  { "delivery", N_ ("from the broker to the workload"), "amps_delivery_latency_seconds" },
};

static const double shares[] = { 0.5, 0.9, 0.99 };
static const char *const share_names[] = { "p50", "p90", "p99" };

/* Returns: per second since the last look; negative if nobody knows */
static double
get_rate (const AmpsCtlTopView *self, const Rate *rate)
{
  double latest = 0, previous = 0;
  gint64 elapsed;

  if (self->latest == NULL || self->previous == NULL)
    return -1;

  amps_ctl_metrics_get (self->latest, rate->metric, &latest);
  amps_ctl_metrics_get (self->previous, rate->metric, &previous);
  elapsed = amps_ctl_metrics_get_time (self->latest) - amps_ctl_metrics_get_time (self->previous);
  return (latest - previous) * G_USEC_PER_SEC / (double) MAX (elapsed, 1);
}

/* For people */

/* Cuts the line to the width. */
static void
ctl_top_view_append_line (AmpsCtlOutput *output, GString *lines, AmpsCtlStyle style,
                          const char *text, unsigned int width)
{
  g_autofree char *clean = amps_ctl_text_clean (text);
  g_autoptr (GString) line = g_string_new (NULL);

  amps_ctl_text_append (
      line, clean, MIN (amps_ctl_text_get_width (clean), width > 0 ? width : UNLIMITED), FALSE);
  amps_ctl_output_append_styled (output, lines, style, line->str);
  g_string_append_c (lines, '\n');
}

static const char *
get_text (JsonObject *object, const char *name)
{
  const char *text = amps_ctl_json_get_text (object, name);

  return text != NULL ? text : "?";
}

static void
append_state (const AmpsCtlTopView *self, AmpsCtlOutput *output, GString *lines, unsigned int width)
{
  JsonObject *details = json_node_get_object (self->details);
  JsonObject *config = amps_ctl_json_get_object (details, "config");
  gboolean is_ready = json_object_get_boolean_member_with_default (details, "ready", FALSE);
  g_autofree char *text = g_strdup_printf (
      "%s: %s, %s (%s)", get_text (config, "broker_subject"), get_text (details, "state"),
      is_ready ? _ ("ready") : _ ("not ready"), get_text (config, "worker_id"));

  ctl_top_view_append_line (output, lines, is_ready ? AMPS_CTL_STYLE_GOOD : AMPS_CTL_STYLE_BAD,
                            text, width);
}

static void
append_count (GString *text, const AmpsCtlTopView *self, const char *what, const char *metric)
{
  double value;

  if (self->latest != NULL && amps_ctl_metrics_get (self->latest, metric, &value))
    g_string_append_printf (text, ", %s %.0f", what, value);
}

static void
ctl_top_view_append_jobs (const AmpsCtlTopView *self, AmpsCtlOutput *output, GString *lines,
                          unsigned int width)
{
  JsonObject *details = json_node_get_object (self->details);
  JsonObject *jobs = amps_ctl_json_get_object (details, "jobs");
  JsonObject *config = amps_ctl_json_get_object (details, "config");
  g_autofree char *waiting =
      g_strdup_printf ("amps_queue_messages{queue=\"%s\"}", get_text (config, "broker_subject"));
  g_autofree char *dead =
      g_strdup_printf ("amps_queue_messages{queue=\"%s\"}", get_text (config, "dead_letter_queue"));
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, _ ("in flight %" PRIi64 " of %" PRIi64),
                          amps_ctl_json_get_number (jobs, "count", 0),
                          amps_ctl_json_get_number (jobs, "max_concurrency", 0));
  append_count (text, self, _ ("in the queue"), waiting);
  append_count (text, self, _ ("dead letters"), dead);
  ctl_top_view_append_line (output, lines, AMPS_CTL_STYLE_NONE, text->str, width);
}

static void
append_rates (const AmpsCtlTopView *self, AmpsCtlOutput *output, GString *lines, unsigned int width)
{
  g_autoptr (GString) text = g_string_new (_ ("per second:"));

  for (unsigned int i = 0; i < G_N_ELEMENTS (rates); i++)
    {
      double rate = get_rate (self, &rates[i]);

      if (rate > 0 || (rate >= 0 && i < N_COMMON_RATES))
        g_string_append_printf (text, "%s %s %.*f", i > 0 ? "," : "", _ (rates[i].name),
                                rate < 10 ? 1 : 0, rate);
    }

  g_string_append_printf (text, "%s", self->previous == NULL ? _ (" (at the next refresh)") : "");
  ctl_top_view_append_line (output, lines, AMPS_CTL_STYLE_NONE, text->str, width);
}

static char *
format_latency (double seconds)
{
  if (isnan (seconds))
    return g_strdup ("-");
  if (isinf (seconds))
    return g_strdup (_ ("more"));
  return amps_ctl_job_list_format_duration ((gint64) (seconds * G_USEC_PER_SEC));
}

static void
append_latencies (const AmpsCtlTopView *self, AmpsCtlOutput *output, GString *lines,
                  unsigned int width)
{
  const AmpsCtlColumn columns[] = {
    { _ ("LATENCY"), FALSE, TRUE },
    { "P50", TRUE, FALSE },
    { "P90", TRUE, FALSE },
    { "P99", TRUE, FALSE },
  };
  g_autoptr (AmpsCtlTable) table = amps_ctl_table_new (columns, G_N_ELEMENTS (columns));

  for (unsigned int i = 0; i < G_N_ELEMENTS (latencies); i++)
    {
      amps_ctl_table_add (table, AMPS_CTL_STYLE_NONE, _ (latencies[i].title));
      for (unsigned int j = 0; j < G_N_ELEMENTS (shares); j++)
        {
          g_autofree char *text = format_latency (amps_ctl_metrics_get_percentile (
              self->latest, self->oldest, latencies[i].metric, shares[j]));

          amps_ctl_table_add (table, AMPS_CTL_STYLE_NONE, text);
        }
    }
  amps_ctl_table_append_to (table, lines, output, width);
}

/**
 * amps_ctl_top_view_render:
 * @self: what there is to show
 * @output: where it will be shown
 * @lines: gets it
 * @width: columns; 0 for no limit
 */
void
amps_ctl_top_view_render (const AmpsCtlTopView *self, AmpsCtlOutput *output, GString *lines,
                          unsigned int width)
{
  append_state (self, output, lines, width);
  ctl_top_view_append_jobs (self, output, lines, width);
  if (self->latest != NULL)
    {
      append_rates (self, output, lines, width);
      g_string_append_c (lines, '\n');
      append_latencies (self, output, lines, width);
    }
  else
    {
      ctl_top_view_append_line (output, lines, AMPS_CTL_STYLE_CAUTION, self->no_metrics, width);
    }
  g_string_append_c (lines, '\n');
  amps_ctl_job_list_render (self->jobs, output, lines, width);
}

/* For programs */

static JsonObject *
describe_rates (const AmpsCtlTopView *self)
{
  JsonObject *object = json_object_new ();

  for (unsigned int i = 0; i < G_N_ELEMENTS (rates); i++)
    {
      double rate = get_rate (self, &rates[i]);

      if (rate >= 0)
        json_object_set_double_member (object, rates[i].name, rate);
    }

  return object;
}

/* In seconds; null where there was nothing, or it is above all that is measured. */
static JsonObject *
describe_latency (const AmpsCtlTopView *self, const Latency *latency)
{
  JsonObject *object = json_object_new ();

  for (unsigned int i = 0; i < G_N_ELEMENTS (shares); i++)
    {
      double seconds =
          amps_ctl_metrics_get_percentile (self->latest, self->oldest, latency->metric, shares[i]);

      if (isfinite (seconds))
        json_object_set_double_member (object, share_names[i], seconds);
      else
        json_object_set_null_member (object, share_names[i]);
    }

  return object;
}

/**
 * amps_ctl_top_view_describe:
 * @self: what there is to show
 *
 * Returns: (transfer full): the same for programs
 */
JsonNode *
amps_ctl_top_view_describe (const AmpsCtlTopView *self)
{
  JsonObject *details = json_node_get_object (self->details);
  JsonObject *jobs = json_node_get_object (self->jobs);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "state", get_text (details, "state"));
  json_object_set_boolean_member (
      object, "ready", json_object_get_boolean_member_with_default (details, "ready", FALSE));
  json_object_set_int_member (object, "in_flight", amps_ctl_json_get_number (jobs, "count", 0));
  if (self->latest != NULL)
    {
      JsonObject *all = json_object_new ();

      for (unsigned int i = 0; i < G_N_ELEMENTS (latencies); i++)
        json_object_set_object_member (all, latencies[i].name,
                                       describe_latency (self, &latencies[i]));
      json_object_set_object_member (object, "rates", describe_rates (self));
      json_object_set_object_member (object, "latencies", all);
    }
  else
    {
      json_object_set_string_member (object, "no_metrics", self->no_metrics);
    }
  json_object_set_array_member (object, "jobs",
                                json_array_ref (json_object_get_array_member (jobs, "jobs")));
  return amps_ctl_json_take_object (object);
}
