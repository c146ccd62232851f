/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-arguments.h"

#include "amps-ctl-commands.h"
#include "amps-ctl-error.h"
#include "amps-ctl-text.h"
#include "base/amps-edit-distance.h"

#include <glib/gi18n.h>
#include <string.h>

/* More, and it is another word. */
#define MAX_FAULTS 2

/**
 * amps_ctl_arguments_free:
 * @self: (transfer full): a command line
 */
void
amps_ctl_arguments_free (AmpsCtlArguments *self)
{
  amps_ctl_options_clear (amps_ctl_general_options, &self->general);
  if (self->options != NULL)
    amps_ctl_options_clear (self->command->options, self->options);
  g_free (self->options);
  g_strfreev (self->settings);
  g_strfreev (self->arguments);
  g_free (self);
}

/* @name: as GOption has it, with its dashes */
static const AmpsCtlOption *
find_option (const AmpsCtlOption *options, const char *name)
{
  for (; options != NULL && options->name != NULL; options++)
    {
      if (name[1] == '-' ? g_str_equal (name + 2, options->name) : name[1] == options->letter)
        return options;
    }

  return NULL;
}

static gboolean
ctl_arguments_on_option (const char *name, const char *value, gpointer user_data, GError **error)
{
  AmpsCtlArguments *self = user_data;
  const AmpsCtlOption *option = find_option (amps_ctl_general_options, name);

  if (option != NULL)
    return amps_ctl_option_store (option, &self->general, value, error);
  return amps_ctl_option_store (find_option (self->command->options, name), self->options, value,
                                error);
}

static void
add_entries (GOptionGroup *group, const AmpsCtlOption *options)
{
  for (; options != NULL && options->name != NULL; options++)
    {
      /* Not to be converted: that fails for UTF-8 in the C locale. */
      int flags = G_OPTION_FLAG_FILENAME;
      const GOptionEntry entries[] = {
        { options->name, options->letter,
          flags | (!amps_ctl_option_takes_value (options)   ? G_OPTION_FLAG_NO_ARG
                   : !amps_ctl_option_needs_value (options) ? G_OPTION_FLAG_OPTIONAL_ARG
                                                            : 0),
          G_OPTION_ARG_CALLBACK, ctl_arguments_on_option, NULL, NULL },
        { NULL },
      };

      g_option_group_add_entries (group, entries);
    }
}

/* Says of options whose value is optional that it is not there: by itself GOption takes the next
 * word for it, which may be the command. */
static void
mark_without_value (char **argv, const AmpsCtlOption *options)
{
  for (char **word = argv + 1; *word != NULL && !g_str_equal (*word, "--"); word++)
    {
      const AmpsCtlOption *option =
          (*word)[0] == '-' && (*word)[1] != '\0' && ((*word)[1] == '-' || (*word)[2] == '\0')
              ? find_option (options, *word)
              : NULL;

      if (option == NULL || !amps_ctl_option_takes_value (option) ||
          amps_ctl_option_needs_value (option))
        continue;
      g_free (*word);
      *word = g_strdup_printf ("--%s=", option->name);
    }
}

/* @strict: whether the first word that is not an option ends it */
static gboolean
parse_options (AmpsCtlArguments *self, GStrvBuilder *given, char ***argv, gboolean strict,
               GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  GOptionGroup *group = g_option_group_new ("ampsctl", "", "", self, NULL);

  mark_without_value (*argv, amps_ctl_general_options);
  if (self->command != NULL)
    mark_without_value (*argv, self->command->options);

  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_strict_posix (context, strict);
  /* GLib's own error would show what may be a token behind the name. */
  g_option_context_set_ignore_unknown_options (context, TRUE);
  g_option_context_set_main_group (context,
                                   amps_config_create_option_group (AMPS_CONFIG_CLIENT, given));
  add_entries (group, amps_ctl_general_options);
  if (self->command != NULL)
    add_entries (group, self->command->options);
  g_option_context_add_group (context, group);
  return g_option_context_parse_strv (context, argv, error);
}

/* Misspelt options */

static void
compare (const char *name, const char *known, const char **best, unsigned int *least)
{
  unsigned int faults = amps_edit_distance (name, strlen (name), known, strlen (known));

  if (faults < *least)
    {
      *best = known;
      *least = faults;
    }
}

static const char *
guess_option (AmpsCtlArguments *self, const char *name)
{
  const AmpsCtlOption *lists[] = { amps_ctl_general_options,
                                   self->command != NULL ? self->command->options : NULL };
  const char *best = NULL;
  unsigned int least = MAX_FAULTS + 1;

  if (strlen (name) < 3 || strlen (name) > AMPS_EDIT_DISTANCE_MAX_LENGTH)
    return NULL;
  for (unsigned int i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      for (const AmpsCtlOption *option = lists[i]; option != NULL && option->name != NULL; option++)
        compare (name, option->name, &best, &least);
    }

  return best;
}

/* Says which option it is, without what may be its value. */
static void
set_unknown_option (AmpsCtlArguments *self, const char *argument, GError **error)
{
  g_autofree char *option = g_strndup (argument, strcspn (argument, "="));
  g_autofree char *shown = amps_ctl_text_clean (option);
  const char *likely = guess_option (self, option + strspn (option, "-"));
  const char *help = self->command != NULL ? self->command->name : "";

  if (likely != NULL)
    g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                 _ ("“%s” is not an option; did you mean --%s?"), shown, likely);
  else
    g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                 _ ("“%s” is not an option; see “ampsctl help%s%s”"), shown,
                 *help != '\0' ? " " : "", help);
}

static gboolean
is_option (const char *argument)
{
  return argument[0] == '-' && argument[1] != '\0';
}

/* Takes what GOption left in @argv, which begins with the program's name. */
static gboolean
take_arguments (AmpsCtlArguments *self, char **argv, GError **error)
{
  g_autoptr (GStrvBuilder) arguments = g_strv_builder_new ();
  gboolean all_are_arguments = FALSE;

  for (char **argument = argv + 1; *argument != NULL; argument++)
    {
      if (!all_are_arguments && g_str_equal (*argument, "--"))
        all_are_arguments = TRUE;
      else if (!all_are_arguments && is_option (*argument))
        {
          set_unknown_option (self, *argument, error);
          return FALSE;
        }
      else
        g_strv_builder_add (arguments, *argument);
    }

  g_strfreev (self->arguments);
  self->arguments = g_strv_builder_end (arguments);
  return TRUE;
}

/* Commands */

static void
remove_word (char **argv)
{
  g_free (argv[1]);
  for (char **word = argv + 1; *word != NULL; word++)
    word[0] = word[1];
}

/* One word, or two of them. Options may stand before each. */
static gboolean
take_command (AmpsCtlArguments *self, GStrvBuilder *given, char ***argv, GError **error)
{
  g_autoptr (GString) name = g_string_new (NULL);

  do
    {
      if (!parse_options (self, given, argv, TRUE, error))
        return FALSE;
      if ((*argv)[1] == NULL)
        break;
      if (is_option ((*argv)[1]))
        {
          set_unknown_option (self, (*argv)[1], error);
          return FALSE;
        }
      g_string_append_printf (name, "%s%s", name->len > 0 ? " " : "", (*argv)[1]);
      remove_word (*argv);
      self->command = amps_ctl_commands_find (name->str);
    }
  while (self->command == NULL && amps_ctl_commands_is_family (name->str));

  if (self->command != NULL || (name->len == 0 && (self->general.help || self->general.version)))
    return TRUE;

  if (name->len == 0)
    g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                         _ ("the command is missing; see “ampsctl help”"));
  else if (amps_ctl_commands_is_family (name->str))
    g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                 _ ("“%s” needs an argument; see “ampsctl help %s”"), name->str, name->str);
  else
    amps_ctl_commands_set_unknown (name->str, error);
  return FALSE;
}

static gboolean
check_count (AmpsCtlArguments *self, GError **error)
{
  const AmpsCtlCommand *command = self->command;
  unsigned int n = g_strv_length (self->arguments);

  if (self->general.help || (n >= command->min_arguments && n <= command->max_arguments))
    return TRUE;

  g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE, _ ("usage: ampsctl %s %s"),
               command->name, command->synopsis != NULL ? command->synopsis : "");
  g_strchomp ((*error)->message);
  return FALSE;
}

/**
 * amps_ctl_arguments_parse:
 * @argv: (array zero-terminated=1): the program's name and what follows
 * @error: return location: of the domain %G_OPTION_ERROR, or %AMPS_CTL_ERROR_USAGE
 *
 * Returns: (transfer full) (nullable): what is to be done
 */
AmpsCtlArguments *
amps_ctl_arguments_parse (const char *const *argv, GError **error)
{
  g_autoptr (AmpsCtlArguments) self = g_new0 (AmpsCtlArguments, 1);
  g_autoptr (GStrvBuilder) given = g_strv_builder_new ();
  g_auto (GStrv) rest = g_strdupv ((char **) argv);

  if (!take_command (self, given, &rest, error))
    return NULL;

  if (self->command != NULL)
    {
      self->options = g_malloc0 (self->command->options_size);
      if (!parse_options (self, given, &rest, FALSE, error) ||
          !take_arguments (self, rest, error) || !check_count (self, error))
        return NULL;
    }

  self->settings = g_strv_builder_end (given);
  return g_steal_pointer (&self);
}
