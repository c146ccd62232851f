/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-api-factory.h"
#include "amps-ctl-commands.h"
#include "amps-ctl-error.h"
#include "amps-ctl-json.h"
#include "amps-ctl-text.h"

#include <glib/gi18n.h>
#include <inttypes.h>

#define TITLE_WIDTH 10

static void
print_line (AmpsCtlOutput *output, const char *title, AmpsCtlStyle style, const char *text)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GString) padded = g_string_new (NULL);

  amps_ctl_text_append (padded, title, MAX (TITLE_WIDTH, amps_ctl_text_get_width (title)), FALSE);
  amps_ctl_output_append_styled (output, line, AMPS_CTL_STYLE_TITLE, padded->str);
  g_string_append_c (line, ' ');
  amps_ctl_output_append_styled (output, line, style, text);
  amps_ctl_output_print (output, "%s\n", line->str);
}

static void
ctl_look_print_state (AmpsCtlOutput *output, JsonObject *details, const char *obstacles)
{
  const char *state = amps_ctl_json_get_text (details, "state");
  g_autofree char *text = g_strdup_printf ("%s, %s", state != NULL ? state : "?",
                                           obstacles == NULL ? _ ("ready") : _ ("not ready"));

  print_line (output, _ ("State"), obstacles == NULL ? AMPS_CTL_STYLE_GOOD : AMPS_CTL_STYLE_BAD,
              text);
  if (obstacles != NULL)
    {
      g_autofree char *clean = amps_ctl_text_clean (obstacles);

      print_line (output, _ ("Because"), AMPS_CTL_STYLE_NONE, clean);
    }
}

static void
print_broker (AmpsCtlOutput *output, JsonObject *details)
{
  JsonObject *broker = amps_ctl_json_get_object (details, "broker");
  const char *parts[] = {
    amps_ctl_json_get_text (details, "broker_type"),
    amps_ctl_json_get_text (broker, "state"),
    amps_ctl_json_get_text (broker, "detail"),
  };
  g_autoptr (GString) text = g_string_new (NULL);

  for (unsigned int i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *clean = parts[i] != NULL ? amps_ctl_text_clean (parts[i]) : NULL;

      if (clean != NULL)
        g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", clean);
    }
  print_line (output, _ ("Broker"), AMPS_CTL_STYLE_NONE, text->str);
}

static void
print_jobs (AmpsCtlOutput *output, JsonObject *details)
{
  JsonObject *jobs = amps_ctl_json_get_object (details, "jobs");
  gint64 in_workload = amps_ctl_json_get_number (jobs, "in_workload", -1);
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, _ ("%" PRIi64 " in flight"),
                          amps_ctl_json_get_number (jobs, "count", 0));
  if (in_workload >= 0)
    g_string_append_printf (text, _ (", %" PRIi64 " in the workload"), in_workload);
  g_string_append_printf (text, _ (", at most %" PRIi64),
                          amps_ctl_json_get_number (jobs, "max_concurrency", 0));
  print_line (output, _ ("Jobs"), AMPS_CTL_STYLE_NONE, text->str);
}

static void
print_member (AmpsCtlOutput *output, const char *title, JsonObject *object, const char *name)
{
  const char *text = amps_ctl_json_get_text (object, name);
  g_autofree char *clean = text != NULL ? amps_ctl_text_clean (text) : NULL;

  if (clean != NULL)
    print_line (output, title, AMPS_CTL_STYLE_NONE, clean);
}

static void
print_status (AmpsCtlOutput *output, JsonObject *details, const char *obstacles)
{
  JsonObject *config = amps_ctl_json_get_object (details, "config");

  ctl_look_print_state (output, details, obstacles);
  print_member (output, _ ("Queue"), config, "broker_subject");
  print_broker (output, details);
  print_member (output, _ ("Workload"), details, "workload");
  print_jobs (output, details);
  print_member (output, _ ("Worker"), config, "worker_id");
  print_member (output, _ ("Uptime"), details, "uptime");
  print_member (output, _ ("Version"), details, "version");
}

/* Returns: (nullable): why it is not ready */
static const char *
ctl_look_get_obstacles (JsonObject *ready)
{
  const char *status = amps_ctl_json_get_text (ready, "status");
  const char *details = amps_ctl_json_get_text (ready, "details");

  if (g_strcmp0 (status, "ready") == 0)
    return NULL;
  return details != NULL ? details : "?";
}

static gboolean
show_status (AmpsCtlContext *context, GError **error)
{
  const AmpsCtlCall ask_details = { AMPS_CTL_CALL_DETAILS };
  const AmpsCtlCall ask_ready = { AMPS_CTL_CALL_READY };
  AmpsCtlOutput *output = amps_ctl_context_get_output (context);
  g_autoptr (AmpsCtlApi) api = amps_ctl_api_factory_create (context, error);
  g_autoptr (JsonNode) details = NULL;
  g_autoptr (JsonNode) ready = NULL;
  const char *obstacles;

  if (api == NULL || (details = amps_ctl_api_call (api, context, &ask_details, error)) == NULL ||
      (ready = amps_ctl_api_call (api, context, &ask_ready, error)) == NULL)
    return FALSE;

  obstacles = ctl_look_get_obstacles (json_node_get_object (ready));
  if (amps_ctl_output_is_json (output))
    {
      g_autoptr (JsonNode) copy = json_node_copy (details);
      JsonObject *object = json_object_ref (json_node_get_object (copy));

      json_object_set_string_member (object, "obstacles", obstacles != NULL ? obstacles : "");
      json_object_unref (object);
      amps_ctl_output_print_json (output, copy);
    }
  else
    {
      print_status (output, json_node_get_object (details), obstacles);
    }
  return TRUE;
}

const AmpsCtlCommand amps_ctl_status_command = {
  .name = "status",
  .help = N_ ("Show the state of AMPS and its broker, and the number of jobs"),
  .description = N_ ("The exit status is 0 if AMPS answers, ready or not."),
  .run = show_status,
};

/* Health */

typedef struct {
  gboolean ready;
} HealthOptions;

static const AmpsCtlOption health_options[] = {
  { "ready", 0, AMPS_CTL_OPTION_FLAG, G_STRUCT_OFFSET (HealthOptions, ready), NULL,
    N_ ("Succeed only if AMPS also takes messages") },
  { NULL },
};

/* Docker knows 0 and 1 only. */
static gboolean
fail_health (GError *cause, GError **error)
{
  g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_FAILED, cause->message);
  return FALSE;
}

static gboolean
check_health (AmpsCtlContext *context, GError **error)
{
  const HealthOptions *options = amps_ctl_context_get_options (context);
  const AmpsCtlCall call = { options->ready ? AMPS_CTL_CALL_READY : AMPS_CTL_CALL_ALIVE };
  AmpsCtlOutput *output = amps_ctl_context_get_output (context);
  g_autoptr (GError) cause = NULL;
  g_autoptr (AmpsCtlApi) api = amps_ctl_api_factory_create (context, &cause);
  g_autoptr (JsonNode) answer = NULL;
  const char *obstacles;

  if (api == NULL || (answer = amps_ctl_api_call (api, context, &call, &cause)) == NULL)
    return fail_health (cause, error);

  if (amps_ctl_output_is_json (output))
    amps_ctl_output_print_json (output, answer);
  obstacles = options->ready ? ctl_look_get_obstacles (json_node_get_object (answer)) : NULL;
  if (obstacles != NULL)
    {
      g_autofree char *clean = amps_ctl_text_clean (obstacles);

      g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_FAILED, _ ("not ready: %s"), clean);
      return FALSE;
    }

  if (!amps_ctl_output_is_json (output))
    amps_ctl_output_print (output, "%s\n", options->ready ? _ ("ready") : _ ("healthy"));
  return TRUE;
}

const AmpsCtlCommand amps_ctl_healthcheck_command = {
  .name = "healthcheck",
  .help = N_ ("Check AMPS, and report the result by the exit status"),
  .description =
      N_ ("For HEALTHCHECK in a Dockerfile and for exec probes of Kubernetes. The exit status is 0 "
          "if the check succeeds, and 1 if it fails or AMPS does not answer."),
  .options = health_options,
  .options_size = sizeof (HealthOptions),
  .run = check_health,
};
