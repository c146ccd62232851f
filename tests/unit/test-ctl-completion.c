/* SPDX-License-Identifier: MIT */
#include "ctl/amps-ctl-commands.h"

#include <string.h>

/* Shells know each command and each option, and none that is not there. */

static char *
read_completion (const char *name)
{
  g_autofree char *path = g_build_filename (COMPLETION_FOLDER, name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static void
assert_has (const char *where, const char *text, const char *word)
{
  if (strstr (text, word) == NULL)
    g_error ("%s: “%s” is missing in: %s", where, word, text);
}

/* Returns: what a shell's `case` does with a command */
static char *
find_case (const char *text, const char *name)
{
  g_autofree char *label = strchr (name, ' ') != NULL ? g_strdup_printf (" '%s')", name)
                                                      : g_strdup_printf (" %s)", name);
  const char *start = strstr (text, label);

  if (start == NULL)
    g_error ("“%s” is missing", label);
  return g_strndup (start, (gsize) (strstr (start, ";;") - start));
}

static void
assert_options (const char *where, const char *text, const AmpsCtlOption *options)
{
  for (; options != NULL && options->name != NULL; options++)
    {
      g_autofree char *word = g_strconcat ("--", options->name, NULL);

      assert_has (where, text, word);
    }
}

/* Of what stands there, all is an option. */
static void
assert_no_more_options (const char *where, const char *text, const AmpsCtlOption *options)
{
  for (const char *at = strstr (text, "--"); at != NULL; at = strstr (at + 2, "--"))
    {
      gsize length = strspn (at + 2, "abcdefghijklmnopqrstuvwxyz-");
      g_autofree char *name = g_strndup (at + 2, length);
      const AmpsCtlOption *option = options;

      while (option != NULL && option->name != NULL && !g_str_equal (option->name, name))
        option++;
      if (option == NULL || option->name == NULL)
        g_error ("%s: “--%s” is not an option", where, name);
    }
}

/* Each option stands in the case of its command; @before and @after are around each word of a
 * command. */
static void
assert_cases (const char *shell, const char *file, const char *before, const char *after)
{
  g_autofree char *text = read_completion (file);

  assert_options (shell, text, amps_ctl_general_options);
  for (unsigned int i = 0; amps_ctl_commands[i] != NULL; i++)
    {
      const AmpsCtlCommand *command = amps_ctl_commands[i];
      g_autofree char *found = find_case (text, command->name);
      g_auto (GStrv) words = g_strsplit (command->name, " ", 2);

      assert_options (command->name, found, command->options);
      assert_no_more_options (command->name, found, command->options);
      for (char **word = words; *word != NULL; word++)
        {
          g_autofree char *entry = g_strconcat (before, *word, after, NULL);

          assert_has (shell, text, entry);
        }
    }
}

static void
test_bash (void)
{
  assert_cases ("bash", "ampsctl.bash", "", "");
}

static void
test_zsh (void)
{
  assert_cases ("zsh", "_ampsctl", "'", ":");
}

/* @condition: (nullable): part of its lines about a command */
static void
assert_fish_options (const char *text, const char *condition, const AmpsCtlOption *options)
{
  for (; options != NULL && options->name != NULL; options++)
    {
      g_autofree char *letter =
          options->letter != 0 ? g_strdup_printf ("-s %c ", options->letter) : g_strdup ("");
      g_autofree char *line =
          g_strdup_printf ("complete -c ampsctl %s%s-l %s ", condition, letter, options->name);

      assert_has ("fish", text, line);
    }
}

static void
test_fish (void)
{
  g_autofree char *text = read_completion ("ampsctl.fish");

  assert_fish_options (text, "", amps_ctl_general_options);
  for (unsigned int i = 0; amps_ctl_commands[i] != NULL; i++)
    {
      const AmpsCtlCommand *command = amps_ctl_commands[i];
      g_auto (GStrv) words = g_strsplit (command->name, " ", 2);
      const char *last = words[g_strv_length (words) - 1];
      g_autofree char *entry = g_strdup_printf (" -a %s ", last);
      g_autofree char *condition = g_strdup_printf ("-n \"$in %s\" ", last);

      assert_has ("fish", text, entry);
      assert_fish_options (text, condition, command->options);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ctl-completion/bash", test_bash);
  g_test_add_func ("/ctl-completion/zsh", test_zsh);
  g_test_add_func ("/ctl-completion/fish", test_fish);
  return g_test_run ();
}
