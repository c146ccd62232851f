/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-config-names.h"
#include "amps-config-table.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* Getters, as amps-config.h lists them: texts belong to the settings, and may
 * be NULL where the variable has no default; durations are in µs. */

#define DEFINE_GETTER(type, name, get, VARIABLE)                                                   \
  type amps_config_get_##name (AmpsConfig *self)                                                   \
  {                                                                                                \
    return (type) amps_config_get_##get (self, VARIABLE_##VARIABLE);                               \
  }

DEFINE_GETTER (const char *, broker_type, text, BROKER_TYPE)
DEFINE_GETTER (const char *, subject, text, BROKER_SUBJECT)
DEFINE_GETTER (AmpsQueueDeclare, queue_declare, number, QUEUE_DECLARE)
DEFINE_GETTER (AmpsQueueType, queue_type, number, QUEUE_TYPE)
DEFINE_GETTER (const char *, worker_id, text, WORKER_ID)
DEFINE_GETTER (unsigned int, max_concurrency, number, MAX_CONCURRENCY)
DEFINE_GETTER (gint64, job_timeout, number, JOB_TIMEOUT)
DEFINE_GETTER (gint64, heartbeat_timeout, number, HEARTBEAT_TIMEOUT)
DEFINE_GETTER (const char *, workload_address, text, WORKLOAD_ADDRESS)
DEFINE_GETTER (gint64, workload_response_timeout, number, WORKLOAD_RESPONSE_TIMEOUT)
DEFINE_GETTER (AmpsWorkloadMode, workload_mode, number, WORKLOAD_MODE)
DEFINE_GETTER (const char *, workload_content_type, text, WORKLOAD_CONTENT_TYPE)
DEFINE_GETTER (unsigned int, workload_batch_size, number, WORKLOAD_BATCH_SIZE)
DEFINE_GETTER (gint64, workload_batch_wait, number, WORKLOAD_BATCH_WAIT)
DEFINE_GETTER (AmpsWorkloadRestart, workload_restart, number, WORKLOAD_RESTART)
DEFINE_GETTER (const char *, workload_ready_path, text, WORKLOAD_READY_PATH)
DEFINE_GETTER (const char *, workload_ca_file, text, WORKLOAD_CA_FILE)
DEFINE_GETTER (const char *, workload_cert_file, text, WORKLOAD_CERT_FILE)
DEFINE_GETTER (const char *, workload_key_file, text, WORKLOAD_KEY_FILE)
DEFINE_GETTER (unsigned int, max_attempts, number, MAX_ATTEMPTS)
DEFINE_GETTER (gint64, retry_min_backoff, number, RETRY_MIN_BACKOFF)
DEFINE_GETTER (gint64, retry_max_backoff, number, RETRY_MAX_BACKOFF)
DEFINE_GETTER (const char *, dead_letter_queue, text, DEAD_LETTER_QUEUE)
DEFINE_GETTER (AmpsDeadLetterMode, dead_letter_mode, number, DEAD_LETTER_MODE)
DEFINE_GETTER (AmpsEventValidation, event_validation, number, EVENT_VALIDATION)
DEFINE_GETTER (gint64, drain_timeout, number, DRAIN_TIMEOUT)
DEFINE_GETTER (guint16, port, number, PORT)
DEFINE_GETTER (gboolean, metrics_enabled, number, METRICS_ENABLED)
DEFINE_GETTER (guint16, metrics_port, number, METRICS_PORT)
DEFINE_GETTER (const char *, api_url, text, API_URL)
DEFINE_GETTER (const char *, api_socket, text, API_SOCKET)
DEFINE_GETTER (mode_t, api_socket_mode, number, API_SOCKET_MODE)
DEFINE_GETTER (const char *, api_token, text, API_TOKEN)
DEFINE_GETTER (gboolean, api_allow_remote, number, API_ALLOW_REMOTE)
DEFINE_GETTER (gsize, max_body_size, number, MAX_BODY_SIZE)
DEFINE_GETTER (gsize, max_in_flight_bytes, number, MAX_IN_FLIGHT_BYTES)
DEFINE_GETTER (AmpsLogFormat, log_format, number, LOG_FORMAT)
DEFINE_GETTER (gboolean, debug, number, DEBUG)
DEFINE_GETTER (const char *, sentry_dsn, text, SENTRY_DSN)
DEFINE_GETTER (const char *, environment, text, ENVIRONMENT)
DEFINE_GETTER (const char *, dbus_bus, text, DBUS_BUS)
DEFINE_GETTER (const char *, otlp_headers, text, OTEL_EXPORTER_OTLP_HEADERS)
DEFINE_GETTER (unsigned int, otlp_timeout, number, OTEL_EXPORTER_OTLP_TIMEOUT)
DEFINE_GETTER (const char *, service_name, text, OTEL_SERVICE_NAME)
DEFINE_GETTER (const char *, resource_attributes, text, OTEL_RESOURCE_ATTRIBUTES)
DEFINE_GETTER (AmpsTraceSampling, trace_sampling, number, OTEL_TRACES_SAMPLER)

/* Command line: an option for each variable, in lower case with dashes, and one
 * for each file, since others can see a command line. */

typedef struct {
  GStrvBuilder *given;
  GArray *entries; /* (owned) of GOptionEntry, with their strings, which the group points to */
} Options;

static gboolean
config_options_on_option (const char *option, const char *value, gpointer user_data,
                          GError **error G_GNUC_UNUSED)
{
  Options *options = user_data;
  g_autofree char *name = g_ascii_strup (option + strspn (option, "-"), -1);
  g_autofree char *variable =
      g_strconcat (g_strdelimit (name, "-", '_'), "=", value != NULL ? value : "true", NULL);

  g_strv_builder_add (options->given, variable);
  return TRUE;
}

/* Takes @variable and @description. */
static void
add_entry (Options *options, char *variable, char *description, int flags)
{
  g_autofree char *name = variable;
  GOptionEntry entry = {
    .long_name = g_strdelimit (g_ascii_strdown (name, -1), "_", '-'),
    /* Not to be converted: that fails for UTF-8 in the C locale. */
    .flags = flags | G_OPTION_FLAG_FILENAME,
    .arg = G_OPTION_ARG_CALLBACK,
    .arg_data = config_options_on_option,
    .description = description,
    .arg_description = _ ("VALUE"),
  };

  g_array_append_val (options->entries, entry);
}

static char *
config_options_describe (const AmpsVariableInfo *info)
{
  const char *description = _ (info->description);

  return info->fallback != NULL ? g_strdup_printf ("%s [%s]", description, info->fallback)
                                : g_strdup (description);
}

static void
clear_entry (gpointer data)
{
  GOptionEntry *entry = data;

  g_free ((char *) entry->long_name);
  g_free ((char *) entry->description);
}

static void
options_free (gpointer data)
{
  Options *options = data;

  g_array_unref (options->entries);
  g_free (options);
}

/**
 * amps_config_create_option_group:
 * @scope: who reads the settings
 * @given: gets `NAME=value` for each option that is given, for
 *   amps_config_new(); to outlive the group
 *
 * Returns: (transfer full): an option for each variable
 */
GOptionGroup *
amps_config_create_option_group (AmpsConfigScope scope, GStrvBuilder *given)
{
  Options *options = g_new (Options, 1);
  GOptionGroup *group = g_option_group_new (NULL, NULL, NULL, options, options_free);

  options->given = given;
  options->entries = g_array_new (TRUE, FALSE, sizeof (GOptionEntry));
  g_array_set_clear_func (options->entries, clear_entry);

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      const AmpsVariableInfo *info = &amps_variables[i];

      if (scope == AMPS_CONFIG_CLIENT && !info->for_clients)
        continue;
      add_entry (options, g_strdup (info->name), config_options_describe (info),
                 info->kind == KIND_BOOLEAN ? G_OPTION_FLAG_OPTIONAL_ARG : 0);
      if (info->from_file)
        add_entry (options, g_strconcat (info->name, "_FILE", NULL),
                   g_strdup_printf (_ ("File to read %s from"), info->name), 0);
    }

  g_option_group_add_entries (group, &g_array_index (options->entries, GOptionEntry, 0));
  return group;
}

static gboolean
is_option_name (const char *argument)
{
  return *argument == '-' && argument[strspn (argument, "abcdefghijklmnopqrstuvwxyz"
                                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")] == '\0';
}

/**
 * amps_config_check_arguments:
 * @argc: how many arguments were left, and the program's name
 * @argv: (array length=argc): what was left by the options that are known
 * @error: return location: says what is not an option, without its value
 *
 * Returns: whether nothing was left
 */
gboolean
amps_config_check_arguments (int argc, char **argv, GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *likely = NULL;

  if (argc <= 1)
    return TRUE;

  name = g_strndup (argv[1], strcspn (argv[1], "="));
  likely = amps_config_names_guess_option (name);
  /* Else it may be a value that got loose. */
  if (!is_option_name (name))
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                         _ ("an argument must be an option such as --port=4000; see --help"));
  else if (likely != NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                 _ ("“%s” is not an option; did you mean %s?"), name, likely);
  else
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                 _ ("“%s” is not an option; see --help"), name);
  return FALSE;
}
