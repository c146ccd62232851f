/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-job-list.h"

#include "amps-ctl-json.h"
#include "amps-ctl-table.h"

#include <glib/gi18n.h>

/* Of jobs; what AMPS gives on one page by itself. */
#define PAGE 1000

static JsonArray *
get_jobs (JsonNode *page)
{
  JsonNode *jobs = json_object_get_member (json_node_get_object (page), "jobs");

  return jobs != NULL && JSON_NODE_HOLDS_ARRAY (jobs) ? json_node_get_array (jobs) : NULL;
}

static void
take_page (JsonArray *all, JsonNode *page)
{
  JsonArray *jobs = get_jobs (page);

  for (unsigned int i = 0; jobs != NULL && i < json_array_get_length (jobs); i++)
    {
      JsonNode *job = json_array_get_element (jobs, i);

      if (JSON_NODE_HOLDS_OBJECT (job))
        json_array_add_element (all, json_node_copy (job));
    }
}

/**
 * amps_ctl_job_list_ask:
 * @api: a way to AMPS
 * @context: a context
 * @limit: how many jobs at most; 0 for all
 * @error: return location
 *
 * Returns: (transfer full) (nullable): an object with "count", of the jobs in flight, and
 *   "jobs", the oldest of them, from as many pages as it takes
 */
JsonNode *
amps_ctl_job_list_ask (AmpsCtlApi *api, AmpsCtlContext *context, guint64 limit, GError **error)
{
  JsonArray *all = json_array_new ();
  JsonObject *list = json_object_new ();
  g_autoptr (JsonNode) node = amps_ctl_json_take_object (list);
  g_autofree char *after = NULL;
  gint64 count = 0;

  json_object_set_array_member (list, "jobs", all);
  do
    {
      guint64 rest = limit > 0 ? limit - json_array_get_length (all) : PAGE;
      const AmpsCtlCall call = { AMPS_CTL_CALL_JOBS, .after = after, .number = MIN (rest, PAGE) };
      g_autoptr (JsonNode) page = amps_ctl_api_call (api, context, &call, error);

      if (page == NULL)
        return NULL;
      take_page (all, page);
      count = amps_ctl_json_get_number (json_node_get_object (page), "count", 0);
      g_free (after);
      after = g_strdup (amps_ctl_json_get_text (json_node_get_object (page), "next"));
    }
  while (after != NULL && (limit == 0 || json_array_get_length (all) < limit));

  json_object_set_int_member (list, "count", count);
  return g_steal_pointer (&node);
}

/**
 * amps_ctl_job_list_count_missing:
 * @jobs: of amps_ctl_job_list_ask()
 *
 * Returns: how many jobs there are beside those in the list
 */
guint64
amps_ctl_job_list_count_missing (JsonNode *jobs)
{
  gint64 count = amps_ctl_json_get_number (json_node_get_object (jobs), "count", 0);

  return (guint64) MAX (count - (gint64) json_array_get_length (get_jobs (jobs)), 0);
}

/**
 * amps_ctl_job_list_format_duration:
 * @microseconds: a duration
 *
 * Returns: (transfer full): as a person would say it
 */
char *
amps_ctl_job_list_format_duration (gint64 microseconds)
{
  gint64 seconds = microseconds / G_USEC_PER_SEC;
  double exact = (double) microseconds / G_USEC_PER_SEC;

  if (microseconds < 0)
    return g_strdup ("0s");
  if (microseconds < G_USEC_PER_SEC)
    return g_strdup_printf ("%.3gms", exact * 1000);
  if (seconds < 10)
    return g_strdup_printf ("%.1fs", exact);
  if (seconds < 60)
    return g_strdup_printf ("%ds", (int) seconds);
  if (seconds < 3600)
    return g_strdup_printf ("%dm%02ds", (int) (seconds / 60), (int) (seconds % 60));
  return g_strdup_printf ("%" G_GINT64_FORMAT "h%02dm", seconds / 3600, (int) (seconds / 60 % 60));
}

static void
ctl_job_list_add_text (AmpsCtlTable *table, JsonObject *job, const char *name)
{
  const char *text = amps_ctl_json_get_text (job, name);

  amps_ctl_table_add (table, AMPS_CTL_STYLE_NONE, text != NULL ? text : "");
}

/* @from: µs since 1970, or 0 */
static void
ctl_job_list_add_duration (AmpsCtlTable *table, AmpsCtlStyle style, gint64 from, gint64 to)
{
  g_autofree char *text =
      from != 0 && to != 0 ? amps_ctl_job_list_format_duration (to - from) : g_strdup ("-");

  amps_ctl_table_add (table, style, text);
}

static gboolean
has_details (JsonArray *jobs)
{
  for (unsigned int i = 0; i < json_array_get_length (jobs); i++)
    {
      if (amps_ctl_json_get_text (json_array_get_object_element (jobs, i), "detail") != NULL)
        return TRUE;
    }

  return FALSE;
}

static void
ctl_job_list_add_job (AmpsCtlTable *table, JsonObject *job, gint64 now, gboolean with_detail)
{
  g_autofree char *attempt =
      g_strdup_printf ("%" G_GINT64_FORMAT, amps_ctl_json_get_number (job, "attempt", 0));
  gint64 deadline = amps_ctl_json_get_time (job, "deadline");

  ctl_job_list_add_text (table, job, "id");
  ctl_job_list_add_text (table, job, "type");
  ctl_job_list_add_text (table, job, "state");
  amps_ctl_table_add (table, AMPS_CTL_STYLE_NONE, attempt);
  ctl_job_list_add_duration (table, AMPS_CTL_STYLE_NONE, amps_ctl_json_get_time (job, "since"),
                             now);
  ctl_job_list_add_duration (table,
                             deadline != 0 && deadline - now < 10 * G_USEC_PER_SEC
                                 ? AMPS_CTL_STYLE_CAUTION
                                 : AMPS_CTL_STYLE_NONE,
                             now, deadline);
  if (with_detail)
    ctl_job_list_add_text (table, job, "detail");
}

/**
 * amps_ctl_job_list_render:
 * @jobs: of amps_ctl_job_list_ask()
 * @output: where it will be shown
 * @lines: gets a table
 * @width: columns; 0 for no limit
 */
void
amps_ctl_job_list_render (JsonNode *jobs, AmpsCtlOutput *output, GString *lines, unsigned int width)
{
  const AmpsCtlColumn columns[] = {
    { _ ("ID"), FALSE, TRUE },     { _ ("TYPE"), FALSE, TRUE }, { _ ("STATE"), FALSE, FALSE },
    { _ ("TRY"), TRUE, FALSE },    { _ ("AGE"), TRUE, FALSE },  { _ ("LEFT"), TRUE, FALSE },
    { _ ("DETAIL"), FALSE, TRUE },
  };
  JsonArray *array = get_jobs (jobs);
  gboolean with_detail = has_details (array);
  g_autoptr (AmpsCtlTable) table =
      amps_ctl_table_new (columns, G_N_ELEMENTS (columns) - !with_detail);
  gint64 now = g_get_real_time ();

  for (unsigned int i = 0; i < json_array_get_length (array); i++)
    ctl_job_list_add_job (table, json_array_get_object_element (array, i), now, with_detail);
  amps_ctl_table_append_to (table, lines, output, width);
}
