/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-program.h"

#include "amps-ctl-arguments.h"
#include "amps-ctl-error.h"
#include "amps-ctl-help.h"
#include "broker/amps-broker-factory.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <stdlib.h>

/* Each line of it, so that none can be taken for another program's. */
static int
report (const GError *error)
{
  g_auto (GStrv) lines = g_strsplit (error->message, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    g_printerr ("ampsctl: %s\n", *line);
  return amps_ctl_error_get_exit_status (error);
}

/* What the library says is for the log of AMPS. Here an error says what went wrong. */
static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
           gpointer user_data G_GNUC_UNUSED)
{
  gboolean is_fault = (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0;

  if (!is_fault && g_getenv ("G_MESSAGES_DEBUG") == NULL)
    return G_LOG_WRITER_HANDLED;
  return g_log_writer_default (level, fields, n_fields, NULL);
}

static void
ctl_program_show_help (const AmpsCtlCommand *command, AmpsCtlOutput *output)
{
  g_autofree char *help = amps_ctl_help_format (command, NULL, amps_ctl_output_get_width (output));

  amps_ctl_output_write (output, help);
}

static gboolean
check_needs (AmpsConfig *config, const AmpsCtlCommand *command, GError **error)
{
  if (command->needs != AMPS_CTL_NEEDS_SUBJECT || amps_config_get_subject (config) != NULL)
    return TRUE;

  g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_SETTINGS,
                       _ ("BROKER_SUBJECT is required: the name of the queue to consume"));
  return FALSE;
}

static gboolean
run_command (AmpsCtlContext *context, const AmpsCtlArguments *arguments, GError **error)
{
  const AmpsCtlCommand *command = arguments->command;

  return check_needs (amps_ctl_context_get_config (context), command, error) &&
         command->run (context, error);
}

/* A reader that has gone, as `head` does, is no failure that anybody wants to read about. */
static void
end_with_pipe (AmpsCtlOutput *output)
{
  if (amps_ctl_output_get_failure (output) == EPIPE)
    {
      signal (SIGPIPE, SIG_DFL);
      raise (SIGPIPE);
    }
}

static int
run_with_settings (const AmpsCtlArguments *arguments, const char *const *environment)
{
  g_autoptr (AmpsConfig) config = NULL;
  g_autoptr (AmpsCtlContext) context = NULL;
  g_autoptr (GError) error = NULL;
  gboolean good;

  config = amps_config_new_full (AMPS_CONFIG_CLIENT, environment, ".env",
                                 (const char *const *) arguments->settings,
                                 amps_broker_factory_get_backends (), &error);
  if (config == NULL)
    {
      report (error);
      return AMPS_CTL_ERROR_SETTINGS;
    }

  context = amps_ctl_context_new (config, &arguments->general, arguments->options,
                                  (const char *const *) arguments->arguments);
  good = run_command (context, arguments, &error) &&
         amps_ctl_output_flush (amps_ctl_context_get_output (context), &error);
  amps_ctl_output_flush (amps_ctl_context_get_output (context), NULL);
  end_with_pipe (amps_ctl_context_get_output (context));
  /* As shells say it. */
  if (amps_ctl_context_get_signal (context) != 0)
    return 128 + amps_ctl_context_get_signal (context);
  return good ? EXIT_SUCCESS : report (error);
}

/**
 * amps_ctl_program_run:
 * @argv: (array zero-terminated=1): the command line
 * @environment: (array zero-terminated=1): `NAME=value`
 *
 * Does what the command line says.
 *
 * Returns: the exit status
 */
int
amps_ctl_program_run (const char *const *argv, const char *const *environment)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsCtlArguments) arguments = amps_ctl_arguments_parse (argv, &error);
  g_autoptr (AmpsCtlOutput) output = NULL;

  g_log_set_writer_func (write_log, NULL, NULL);
  if (arguments == NULL)
    {
      report (error);
      return AMPS_CTL_ERROR_USAGE;
    }

  if (!arguments->general.version && !arguments->general.help)
    return run_with_settings (arguments, environment);

  output = amps_ctl_output_new (FALSE, arguments->general.no_color);
  if (arguments->general.version)
    amps_ctl_output_print (output, "ampsctl %s\n", AMPS_VERSION);
  else
    ctl_program_show_help (arguments->command, output);
  return amps_ctl_output_flush (output, &error) ? EXIT_SUCCESS : report (error);
}
