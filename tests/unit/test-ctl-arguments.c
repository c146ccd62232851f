/* SPDX-License-Identifier: MIT */
#include "ctl/amps-ctl-arguments.h"

#include "ctl/amps-ctl-commands.h"
#include "ctl/amps-ctl-error.h"

#include <string.h>

static AmpsCtlArguments *
parse (const char *line, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);

  return amps_ctl_arguments_parse ((const char *const *) words, error);
}

static AmpsCtlArguments *
parse_good (const char *line)
{
  g_autoptr (GError) error = NULL;
  AmpsCtlArguments *arguments = parse (line, &error);

  g_assert_no_error (error);
  return arguments;
}

/* Options may stand anywhere. */
static void
test_order (void)
{
  const char *const lines[] = {
    "ampsctl --json --timeout=3s --port=5 acknowledge a b",
    "ampsctl acknowledge --json a --timeout 3s --port 5 b",
    "ampsctl --json acknowledge a b --timeout=3s --port=5",
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autoptr (AmpsCtlArguments) arguments = parse_good (lines[i]);

      g_assert_cmpstr (arguments->command->name, ==, "acknowledge");
      g_assert_true (arguments->general.json);
      g_assert_cmpint (arguments->general.timeout, ==, 3 * G_USEC_PER_SEC);
      g_assert_cmpstr (arguments->settings[0], ==, "PORT=5");
      g_assert_null (arguments->settings[1]);
      g_assert_cmpstr (arguments->arguments[0], ==, "a");
      g_assert_cmpstr (arguments->arguments[1], ==, "b");
      g_assert_null (arguments->arguments[2]);
    }
}

/* A job may be called like an option. */
static void
test_end_of_options (void)
{
  g_autoptr (AmpsCtlArguments) arguments = parse_good ("ampsctl acknowledge --json -- --json -x");

  g_assert_true (arguments->general.json);
  g_assert_cmpstr (arguments->arguments[0], ==, "--json");
  g_assert_cmpstr (arguments->arguments[1], ==, "-x");
  g_assert_null (arguments->arguments[2]);
}

static void
test_optional_values (void)
{
  g_autoptr (AmpsCtlArguments) with = parse_good ("ampsctl --bus=system drain --wait=5s");
  g_autoptr (AmpsCtlArguments) without = parse_good ("ampsctl --bus drain -w");
  g_autoptr (AmpsCtlArguments) neither = parse_good ("ampsctl drain");

  g_assert_cmpstr (with->general.bus, ==, "system");
  g_assert_cmpint (*(gint64 *) with->options, ==, 5 * G_USEC_PER_SEC);
  g_assert_cmpstr (without->general.bus, ==, "");
  g_assert_cmpint (*(gint64 *) without->options, ==, -1);
  g_assert_null (neither->general.bus);
  g_assert_cmpint (*(gint64 *) neither->options, ==, 0);
}

static void
test_faults (void)
{
  const char *const cases[][2] = {
    { "ampsctl", "the command is missing; see “ampsctl help”" },
    { "ampsctl stauts", "“stauts” is not a command; did you mean “status”?" },
    { "ampsctl ack", "“ack” is not a command; did you mean “acknowledge”?" },
    { "ampsctl frobnicate", "“frobnicate” is not a command; see “ampsctl help”" },
    { "ampsctl --jsom status", "“--jsom” is not an option; did you mean --json?" },
    { "ampsctl jobs --wathc", "“--wathc” is not an option; did you mean --watch?" },
    { "ampsctl jobs --frob=hunter2", "“--frob” is not an option; see “ampsctl help jobs”" },
    { "ampsctl jobs -x", "“-x” is not an option; see “ampsctl help jobs”" },
    { "ampsctl jobs x", "usage: ampsctl jobs" },
    { "ampsctl reject", "usage: ampsctl reject ID…" },
    { "ampsctl jobs --limit=x", "--limit: must be a whole number" },
    { "ampsctl jobs --timeout=0", "--timeout: must be more than 0" },
    { "ampsctl reject a --reason=\xff", "--reason: is not UTF-8" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (parse (cases[i][0], &error));
      g_assert_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE);
      g_assert_cmpstr (error->message, ==, cases[i][1]);
    }
}

/* Each option has a value to be shown in help, and no letter means two things. */
static void
test_table (void)
{
  for (unsigned int i = 0; amps_ctl_commands[i] != NULL; i++)
    {
      const AmpsCtlCommand *command = amps_ctl_commands[i];

      g_assert_nonnull (command->help);
      g_assert_nonnull (command->run);
      g_assert_true (amps_ctl_commands_find (command->name) == command);
      for (const AmpsCtlOption *option = command->options; option != NULL && option->name != NULL;
           option++)
        {
          g_test_message ("%s --%s", command->name, option->name);
          g_assert_nonnull (option->help);
          g_assert_true (amps_ctl_option_takes_value (option) == (option->value_name != NULL));
          g_assert_cmpuint (option->offset, <, command->options_size);
          for (const AmpsCtlOption *other = amps_ctl_general_options; other->name != NULL; other++)
            {
              g_assert_cmpstr (option->name, !=, other->name);
              g_assert_true (option->letter == 0 || option->letter != other->letter);
            }
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ctl-arguments/order", test_order);
  g_test_add_func ("/ctl-arguments/end-of-options", test_end_of_options);
  g_test_add_func ("/ctl-arguments/optional-values", test_optional_values);
  g_test_add_func ("/ctl-arguments/faults", test_faults);
  g_test_add_func ("/ctl-arguments/table", test_table);
  return g_test_run ();
}
