/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-config-names.h"
#include "amps-config-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

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
