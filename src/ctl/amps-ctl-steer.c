/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-api-factory.h"
#include "amps-ctl-commands.h"
#include "amps-ctl-error.h"
#include "amps-ctl-json.h"
#include "amps-ctl-progress.h"
#include "base/amps-parse.h"

#include <glib/gi18n.h>
#include <inttypes.h>

/* µs between two looks whether the last job has ended. */
#define DRAIN_INTERVAL (G_USEC_PER_SEC / 5)

/* MAX_CONCURRENCY */
#define MAX_CONCURRENCY 65535

/* Asks how AMPS is, after it was told what to do. */
static JsonNode *
ask_details (AmpsCtlApi *api, AmpsCtlContext *context, GError **error)
{
  const AmpsCtlCall call = { AMPS_CTL_CALL_DETAILS };

  return amps_ctl_api_call (api, context, &call, error);
}

static gint64
ctl_steer_count_jobs (JsonNode *details)
{
  return amps_ctl_json_get_number (
      amps_ctl_json_get_object (json_node_get_object (details), "jobs"), "count", 0);
}

static void
ctl_steer_print_state (AmpsCtlContext *context, JsonNode *details)
{
  AmpsCtlOutput *output = amps_ctl_context_get_output (context);
  const char *state = amps_ctl_json_get_text (json_node_get_object (details), "state");
  gint64 n_jobs = ctl_steer_count_jobs (details);

  if (state == NULL)
    state = "?";
  if (amps_ctl_output_is_json (output))
    {
      JsonObject *object = json_object_new ();
      g_autoptr (JsonNode) node = amps_ctl_json_take_object (object);

      json_object_set_string_member (object, "state", state);
      json_object_set_int_member (object, "in_flight", n_jobs);
      amps_ctl_output_print_json (output, node);
    }
  else
    {
      amps_ctl_output_print (output, _ ("%s, %" PRIi64 " in flight\n"), state, n_jobs);
    }
}

static gboolean
steer (AmpsCtlContext *context, AmpsCtlCallKind kind, guint64 number, GError **error)
{
  const AmpsCtlCall call = { kind, .number = number };
  g_autoptr (AmpsCtlApi) api = amps_ctl_api_factory_create (context, error);
  g_autoptr (JsonNode) answer = NULL;
  g_autoptr (JsonNode) details = NULL;

  if (api == NULL || (answer = amps_ctl_api_call (api, context, &call, error)) == NULL ||
      (details = ask_details (api, context, error)) == NULL)
    return FALSE;

  ctl_steer_print_state (context, details);
  return TRUE;
}

static gboolean
pause_amps (AmpsCtlContext *context, GError **error)
{
  return steer (context, AMPS_CTL_CALL_PAUSE, 0, error);
}

const AmpsCtlCommand amps_ctl_pause_command = {
  .name = "pause",
  .help = N_ ("Take no more messages; jobs in flight go on"),
  .run = pause_amps,
};

static gboolean
resume_amps (AmpsCtlContext *context, GError **error)
{
  return steer (context, AMPS_CTL_CALL_RESUME, 0, error);
}

const AmpsCtlCommand amps_ctl_resume_command = {
  .name = "resume",
  .help = N_ ("Take messages again, after pause or drain"),
  .run = resume_amps,
};

/* Drain */

typedef struct {
  gint64 wait;
} DrainOptions;

static const AmpsCtlOption drain_options[] = {
  { "wait", 'w', AMPS_CTL_OPTION_OPTIONAL_DURATION, G_STRUCT_OFFSET (DrainOptions, wait),
    N_ ("DURATION"), N_ ("Wait until no job is in flight, but at most this long [DRAIN_TIMEOUT]") },
  { NULL },
};

/* Returns: (nullable): how AMPS is when the last job has ended or the time is up */
static JsonNode *
wait_for_jobs (AmpsCtlApi *api, AmpsCtlContext *context, gint64 wait, GError **error)
{
  gint64 end = g_get_monotonic_time () + wait;
  g_autoptr (JsonNode) details = ask_details (api, context, error);
  gint64 n_jobs = details != NULL ? ctl_steer_count_jobs (details) : 0;
  g_autoptr (AmpsCtlProgress) progress =
      amps_ctl_progress_new (_ ("Waiting for jobs"), (guint64) n_jobs);

  while (details != NULL && ctl_steer_count_jobs (details) > 0 && g_get_monotonic_time () < end)
    {
      gint64 pause = MIN (DRAIN_INTERVAL, end - g_get_monotonic_time ());

      amps_ctl_progress_set_done (progress,
                                  (guint64) MAX (n_jobs - ctl_steer_count_jobs (details), 0));
      if (!amps_ctl_context_sleep (context, MAX (pause, 0), error))
        return NULL;
      g_clear_pointer (&details, json_node_unref);
      details = ask_details (api, context, error);
    }

  return g_steal_pointer (&details);
}

static gboolean
drain (AmpsCtlContext *context, GError **error)
{
  const DrainOptions *options = amps_ctl_context_get_options (context);
  const AmpsCtlCall call = { AMPS_CTL_CALL_DRAIN };
  gint64 wait = options->wait >= 0
                    ? options->wait
                    : amps_config_get_drain_timeout (amps_ctl_context_get_config (context));
  g_autoptr (AmpsCtlApi) api = amps_ctl_api_factory_create (context, error);
  g_autoptr (JsonNode) answer = NULL;
  g_autoptr (JsonNode) details = NULL;

  if (api == NULL || (answer = amps_ctl_api_call (api, context, &call, error)) == NULL ||
      (details = wait_for_jobs (api, context, wait, error)) == NULL)
    return FALSE;

  ctl_steer_print_state (context, details);
  if (options->wait == 0 || ctl_steer_count_jobs (details) == 0)
    return TRUE;

  g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_FAILED,
                       _ ("some jobs are still in flight"));
  return FALSE;
}

const AmpsCtlCommand amps_ctl_drain_command = {
  .name = "drain",
  .help = N_ ("Take no more messages, and give back what the workload does not have yet"),
  .description = N_ ("With --wait the command ends when no job is in flight, as a preStop hook "
                     "should, or with status 1 when the time is up. “resume” undoes the drain."),
  .options = drain_options,
  .options_size = sizeof (DrainOptions),
  .run = drain,
};

/* Concurrency */

static gboolean
set_concurrency (AmpsCtlContext *context, GError **error)
{
  const char *text = amps_ctl_context_get_arguments (context)[0];
  guint64 number;

  if (!amps_parse_unsigned (text, &number, NULL) || number < 1 || number > MAX_CONCURRENCY)
    {
      g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                   _ ("the number must be from 1 to %d"), MAX_CONCURRENCY);
      return FALSE;
    }

  return steer (context, AMPS_CTL_CALL_CONCURRENCY, number, error);
}

const AmpsCtlCommand amps_ctl_concurrency_command = {
  .name = "concurrency",
  .synopsis = "NUMBER",
  .help = N_ ("Set how many jobs may be in the workload at once"),
  .description = N_ ("No job is lost. The new number applies until AMPS ends."),
  .min_arguments = 1,
  .max_arguments = 1,
  .run = set_concurrency,
};
