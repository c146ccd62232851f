/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-help.h"

#include "amps-ctl-commands.h"
#include "amps-ctl-text.h"

#include <glib/gi18n.h>
#include <string.h>

#define INDENT 26
#define DEFAULT_WIDTH 80
/* Longer lines are hard to read. */
#define MAX_WIDTH 100

static void
append_entry (GString *help, const char *left, const char *right, unsigned int width)
{
  unsigned int taken = amps_ctl_text_get_width (left) + 2;

  g_string_append_printf (help, "  %s", left);
  if (taken + 2 > INDENT)
    {
      g_string_append_c (help, '\n');
      taken = 0;
    }
  g_string_append_printf (help, "%*s", (int) (INDENT - taken), "");
  amps_ctl_text_append_wrapped (help, right, INDENT, width);
}

static void
append_options (GString *help, const AmpsCtlOption *options, unsigned int width)
{
  for (; options != NULL && options->name != NULL; options++)
    {
      g_autoptr (GString) left = g_string_new (NULL);

      if (options->letter != 0)
        g_string_append_printf (left, "-%c, ", options->letter);
      g_string_append_printf (left, "--%s", options->name);
      if (amps_ctl_option_needs_value (options))
        g_string_append_printf (left, "=%s", _ (options->value_name));
      else if (amps_ctl_option_takes_value (options))
        g_string_append_printf (left, "[=%s]", _ (options->value_name));
      append_entry (help, left->str, _ (options->help), width);
    }
}

static void
append_commands (GString *help, const char *family, unsigned int width)
{
  for (unsigned int i = 0; amps_ctl_commands[i] != NULL; i++)
    {
      const AmpsCtlCommand *command = amps_ctl_commands[i];
      const char *synopsis = command->synopsis;
      g_autofree char *left = synopsis != NULL ? g_strconcat (command->name, " ", synopsis, NULL)
                                               : g_strdup (command->name);

      if (family == NULL ||
          (g_str_has_prefix (command->name, family) && command->name[strlen (family)] == ' '))
        append_entry (help, left, _ (command->help), width);
    }
}

static void
append_overview (GString *help, const char *family, unsigned int width)
{
  g_string_append_printf (help, _ ("Usage: ampsctl [OPTION…] %s [ARGUMENT…]\n\n"),
                          family != NULL ? family : _ ("COMMAND"));
  if (family == NULL)
    amps_ctl_text_append_wrapped (help, _ ("Inspects and controls a running AMPS."), 0, width);
  g_string_append (help, family == NULL ? _ ("\nCommands:\n") : _ ("Commands:\n"));
  append_commands (help, family, width);
  g_string_append (help, _ ("\nOptions:\n"));
  append_options (help, amps_ctl_general_options, width);
  g_string_append_c (help, '\n');
  amps_ctl_text_append_wrapped (
      help,
      _ ("ampsctl finds AMPS and its broker with the same variables, .env file and options as "
         "amps: PORT, API_SOCKET, API_TOKEN, BROKER_HOST, BROKER_SUBJECT and so on. See “ampsctl "
         "help COMMAND” for one command."),
      0, width);
}

static void
append_command (GString *help, const AmpsCtlCommand *command, unsigned int width)
{
  g_string_append_printf (help, _ ("Usage: ampsctl %s%s%s%s\n\n"), command->name,
                          command->options != NULL ? _ (" [OPTION…]") : "",
                          command->synopsis != NULL ? " " : "",
                          command->synopsis != NULL ? command->synopsis : "");
  amps_ctl_text_append_wrapped (help, _ (command->help), 0, width);
  if (command->description != NULL)
    {
      g_string_append_c (help, '\n');
      amps_ctl_text_append_wrapped (help, _ (command->description), 0, width);
    }
  if (command->options != NULL)
    {
      g_string_append (help, _ ("\nOptions:\n"));
      append_options (help, command->options, width);
    }
  g_string_append (help, _ ("\nOptions of all commands:\n"));
  append_options (help, amps_ctl_general_options, width);
}

/**
 * amps_ctl_help_format:
 * @command: (nullable): a command; %NULL for all of them
 * @family: (nullable): the first word of those that are to be listed
 * @width: the columns of the terminal; 0 if there is none
 *
 * Returns: (transfer full): help, in lines
 */
char *
amps_ctl_help_format (const AmpsCtlCommand *command, const char *family, unsigned int width)
{
  GString *help = g_string_new (NULL);

  width = MIN (width > 0 ? width : DEFAULT_WIDTH, MAX_WIDTH);
  if (command != NULL)
    append_command (help, command, width);
  else
    append_overview (help, family, width);
  return g_string_free (help, FALSE);
}

static gboolean
ctl_help_show_help (AmpsCtlContext *context, GError **error)
{
  g_autofree char *name = g_strjoinv (" ", (char **) amps_ctl_context_get_arguments (context));
  gboolean is_family = amps_ctl_commands_is_family (name);
  const AmpsCtlCommand *command = amps_ctl_commands_find (name);
  AmpsCtlOutput *output = amps_ctl_context_get_output (context);
  g_autofree char *help = NULL;

  if (*name != '\0' && command == NULL && !is_family)
    {
      amps_ctl_commands_set_unknown (name, error);
      return FALSE;
    }

  help =
      amps_ctl_help_format (command, is_family ? name : NULL, amps_ctl_output_get_width (output));
  amps_ctl_output_write (output, help);
  return TRUE;
}

const AmpsCtlCommand amps_ctl_help_command = {
  .name = "help",
  .synopsis = "[COMMAND]",
  .help = N_ ("Show all commands, or explain one"),
  .max_arguments = 2,
  .run = ctl_help_show_help,
};
