/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-top-view.h"

#include "amps-ctl-api-factory.h"
#include "amps-ctl-commands.h"
#include "amps-ctl-http.h"
#include "amps-ctl-job-list.h"
#include "amps-ctl-json.h"
#include "amps-ctl-live.h"

#include <glib/gi18n.h>

/* Lines of a screen that are not jobs. */
#define OTHER_LINES 11
#define DEFAULT_JOBS 10

/* Latencies cover this many looks, because a single one has too few jobs. */
#define MAX_SAMPLES 10

static const AmpsCtlOption top_options[] = {
  { "interval", 0, AMPS_CTL_OPTION_DURATION, G_STRUCT_OFFSET (AmpsCtlLiveOptions, interval),
    N_ ("DURATION"), N_ ("The time between two refreshes [1s]") },
  { "count", 0, AMPS_CTL_OPTION_NUMBER, G_STRUCT_OFFSET (AmpsCtlLiveOptions, count), N_ ("NUMBER"),
    N_ ("The number of refreshes [no limit]") },
  { NULL },
};

typedef struct {
  AmpsCtlContext *context;
  AmpsCtlApi *api; /* (owned) */
  unsigned int n_jobs;
  GPtrArray *samples; /* (owned) of AmpsCtlMetrics, the latest at the end */
  AmpsCtlTopView view;
} Top;

static void
top_clear (Top *self)
{
  g_clear_object (&self->api);
  g_ptr_array_unref (self->samples);
  g_clear_pointer (&self->view.details, json_node_unref);
  g_clear_pointer (&self->view.jobs, json_node_unref);
  g_free (self->view.no_metrics);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Top, top_clear)

/* Returns: (transfer full) (nullable): where the metrics are; else says why there are none */
static char *
find_metrics (Top *self)
{
  JsonObject *details = json_node_get_object (self->view.details);
  JsonObject *config = amps_ctl_json_get_object (details, "config");
  const char *port = amps_ctl_json_get_text (config, "metrics_port");
  g_autofree char *host = NULL;

  if (!AMPS_CTL_IS_HTTP (self->api))
    self->view.no_metrics = g_strdup (_ ("D-Bus has no rates and latencies; leave out --bus"));
  else if (port == NULL ||
           g_strcmp0 (amps_ctl_json_get_text (config, "metrics_enabled"), "true") != 0)
    self->view.no_metrics =
        g_strdup (_ ("no rates and latencies: this AMPS has METRICS_ENABLED=false"));
  else
    host = amps_ctl_http_dup_host (AMPS_CTL_HTTP (self->api));

  return host != NULL ? g_strdup_printf ("http://%s:%s/metrics", host, port) : NULL;
}

/* AMPS was started anew: its counters begin again. */
static gboolean
is_another_run (AmpsCtlMetrics *metrics, AmpsCtlMetrics *earlier)
{
  double start = 0, earlier_start = 0;

  amps_ctl_metrics_get (metrics, "process_start_time_seconds", &start);
  amps_ctl_metrics_get (earlier, "process_start_time_seconds", &earlier_start);
  return start != earlier_start;
}

static void
take_metrics (Top *self, AmpsCtlMetrics *metrics)
{
  GPtrArray *samples = self->samples;

  if (samples->len > 0 && is_another_run (metrics, samples->pdata[samples->len - 1]))
    g_ptr_array_set_size (samples, 0);
  else if (samples->len > MAX_SAMPLES)
    g_ptr_array_remove_index (samples, 0);
  g_ptr_array_add (samples, metrics);

  self->view.latest = metrics;
  self->view.previous = samples->len > 1 ? samples->pdata[samples->len - 2] : NULL;
  self->view.oldest = samples->len > 1 ? samples->pdata[0] : NULL;
}

/* Without them the rest is shown all the same. */
static gboolean
look_at_metrics (Top *self, GError **error)
{
  g_autofree char *url = NULL;
  g_autoptr (GError) failure = NULL;
  AmpsCtlMetrics *metrics;

  g_clear_pointer (&self->view.no_metrics, g_free);
  self->view.latest = NULL;
  url = find_metrics (self);
  if (url == NULL)
    return TRUE;

  metrics = amps_ctl_metrics_fetch (self->context, url, &failure);
  if (metrics != NULL)
    {
      take_metrics (self, metrics);
      return TRUE;
    }
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }

  self->view.no_metrics = g_strdup (failure->message);
  return TRUE;
}

static gboolean
ctl_top_look (gpointer user_data, GError **error)
{
  Top *self = user_data;
  const AmpsCtlCall call = { AMPS_CTL_CALL_DETAILS };
  g_autoptr (JsonNode) details = amps_ctl_api_call (self->api, self->context, &call, error);
  g_autoptr (JsonNode) jobs = NULL;

  if (details == NULL ||
      (jobs = amps_ctl_job_list_ask (self->api, self->context, self->n_jobs, error)) == NULL)
    return FALSE;

  g_clear_pointer (&self->view.details, json_node_unref);
  g_clear_pointer (&self->view.jobs, json_node_unref);
  self->view.details = g_steal_pointer (&details);
  self->view.jobs = g_steal_pointer (&jobs);
  return look_at_metrics (self, error);
}

static void
ctl_top_render (gpointer user_data, GString *lines, unsigned int width, unsigned int height)
{
  Top *self = user_data;

  /* The next look asks for as many as there is room for. */
  if (height > 0)
    self->n_jobs = MAX (height, OTHER_LINES + 1) - OTHER_LINES;
  amps_ctl_top_view_render (&self->view, amps_ctl_context_get_output (self->context), lines, width);
}

static JsonNode *
ctl_top_describe (gpointer user_data)
{
  Top *self = user_data;

  return amps_ctl_top_view_describe (&self->view);
}

static gboolean
show_top (AmpsCtlContext *context, GError **error)
{
  static const AmpsCtlLive live = { ctl_top_look, ctl_top_render, ctl_top_describe };
  g_auto (Top)
      self = { .context = context,
               .api = amps_ctl_api_factory_create (context, error),
               .n_jobs = DEFAULT_JOBS,
               .samples = g_ptr_array_new_with_free_func ((GDestroyNotify) amps_ctl_metrics_free) };

  return self.api != NULL &&
         amps_ctl_live_run (context, &live, &self, amps_ctl_context_get_options (context), error);
}

const AmpsCtlCommand amps_ctl_top_command = {
  .name = "top",
  .help = N_ ("Show live what AMPS does: rates, latencies and the oldest jobs"),
  .description = N_ ("Rates and latencies come from the metrics, at METRICS_PORT of AMPS. "
                     "Latencies cover the last ten refreshes. On a terminal q ends it."),
  .options = top_options,
  .options_size = sizeof (AmpsCtlLiveOptions),
  .run = show_top,
};
