/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-api-factory.h"
#include "amps-ctl-commands.h"
#include "amps-ctl-job-list.h"
#include "amps-ctl-live.h"
#include "amps-ctl-screen.h"
#include "amps-ctl-text.h"

#include <glib/gi18n.h>
#include <inttypes.h>

/* Lines of a screen that are not jobs: how many there are, the titles, and how many are not
 * shown. */
#define OTHER_LINES 3

typedef struct {
  gboolean watch;
  guint64 limit;
  AmpsCtlLiveOptions live;
} JobsOptions;

static const AmpsCtlOption jobs_options[] = {
  { "limit", 'n', AMPS_CTL_OPTION_NUMBER, G_STRUCT_OFFSET (JobsOptions, limit), N_ ("NUMBER"),
    N_ ("List at most this many jobs, the oldest ones [all]") },
  { "watch", 'w', AMPS_CTL_OPTION_FLAG, G_STRUCT_OFFSET (JobsOptions, watch), NULL,
    N_ ("Refresh the list, in place on a terminal; q ends it") },
  { "interval", 0, AMPS_CTL_OPTION_DURATION, G_STRUCT_OFFSET (JobsOptions, live.interval),
    N_ ("DURATION"), N_ ("With --watch, the time between two refreshes [1s]") },
  { "count", 0, AMPS_CTL_OPTION_NUMBER, G_STRUCT_OFFSET (JobsOptions, live.count), N_ ("NUMBER"),
    N_ ("With --watch, the number of refreshes [no limit]") },
  { NULL },
};

typedef struct {
  AmpsCtlContext *context;
  AmpsCtlApi *api; /* (owned) */
  guint64 limit;
  JsonNode *jobs; /* (owned) (nullable) */
} Jobs;

static void
jobs_clear (Jobs *self)
{
  g_clear_object (&self->api);
  g_clear_pointer (&self->jobs, json_node_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Jobs, jobs_clear)

static gboolean
ctl_jobs_look (gpointer user_data, GError **error)
{
  Jobs *self = user_data;
  JsonNode *jobs = amps_ctl_job_list_ask (self->api, self->context, self->limit, error);

  if (jobs == NULL)
    return FALSE;

  g_clear_pointer (&self->jobs, json_node_unref);
  self->jobs = jobs;
  return TRUE;
}

static void
append_missing (Jobs *self, GString *lines)
{
  guint64 missing = amps_ctl_job_list_count_missing (self->jobs);

  if (missing > 0)
    g_string_append_printf (lines, _ ("and %" PRIu64 " more\n"), missing);
}

/* Returns: the jobs for which there is room on a screen */
static guint64
get_room (unsigned int height)
{
  return MAX (height, OTHER_LINES + 1) - OTHER_LINES;
}

static void
ctl_jobs_render (gpointer user_data, GString *lines, unsigned int width, unsigned int height)
{
  Jobs *self = user_data;
  AmpsCtlOutput *output = amps_ctl_context_get_output (self->context);
  gint64 count = json_object_get_int_member (json_node_get_object (self->jobs), "count");
  g_autofree char *title = g_strdup_printf (
      ngettext ("%" PRIi64 " job in flight", "%" PRIi64 " jobs in flight", (gulong) count), count);

  /* The next look asks for as many as there is room for. */
  if (height > 0)
    self->limit = get_room (height);
  amps_ctl_output_append_styled (output, lines, AMPS_CTL_STYLE_TITLE, title);
  g_string_append_c (lines, '\n');
  amps_ctl_job_list_render (self->jobs, output, lines, width);
  append_missing (self, lines);
}

static JsonNode *
ctl_jobs_describe (gpointer user_data)
{
  Jobs *self = user_data;

  return json_node_ref (self->jobs);
}

static void
ctl_jobs_print (Jobs *self)
{
  AmpsCtlOutput *output = amps_ctl_context_get_output (self->context);
  g_autoptr (GString) lines = g_string_new (NULL);

  if (amps_ctl_output_is_json (output))
    {
      amps_ctl_output_print_json (output, self->jobs);
      return;
    }
  if (json_object_get_int_member (json_node_get_object (self->jobs), "count") == 0)
    {
      amps_ctl_output_write (output, _ ("No job is in flight.\n"));
      return;
    }

  amps_ctl_job_list_render (self->jobs, output, lines, amps_ctl_output_get_width (output));
  append_missing (self, lines);
  amps_ctl_output_write (output, lines->str);
}

static gboolean
list_jobs (AmpsCtlContext *context, GError **error)
{
  static const AmpsCtlLive live = { ctl_jobs_look, ctl_jobs_render, ctl_jobs_describe };
  const JobsOptions *options = amps_ctl_context_get_options (context);
  g_auto (Jobs) self = { .context = context,
                         .api = amps_ctl_api_factory_create (context, error),
                         .limit = options->limit };

  if (self.api == NULL)
    return FALSE;
  if (options->watch && amps_ctl_screen_is_possible (context))
    self.limit = get_room (amps_ctl_output_get_height (amps_ctl_context_get_output (context)));
  if (options->watch)
    return amps_ctl_live_run (context, &live, &self, &options->live, error);

  if (!ctl_jobs_look (&self, error))
    return FALSE;
  ctl_jobs_print (&self);
  return TRUE;
}

const AmpsCtlCommand amps_ctl_jobs_command = {
  .name = "jobs",
  .help = N_ ("List the jobs in flight, the oldest first"),
  .options = jobs_options,
  .options_size = sizeof (JobsOptions),
  .run = list_jobs,
};
