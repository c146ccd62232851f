/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "config/amps-config-private.h"

#include <string.h>

static char **
parse_options (const char *command_line, GError **error)
{
  g_auto (GStrv) arguments = g_strsplit (command_line, " ", -1);
  g_autoptr (GStrvBuilder) given = g_strv_builder_new ();
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_main_group (context,
                                   amps_config_create_option_group (AMPS_CONFIG_SERVICE, given));
  g_option_context_set_ignore_unknown_options (context, TRUE);
  if (!g_option_context_parse_strv (context, &arguments, error) ||
      !amps_config_check_arguments ((int) g_strv_length (arguments), arguments, error))
    return NULL;
  return g_strv_builder_end (given);
}

static void
test_options (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) options = parse_options ("amps --max-concurrency=20 --broker-subject jobs-ä "
                                          "--debug --api-token-file=/secret "
                                          "--metrics-enabled=false",
                                          &error);

  g_assert_no_error (error);
  g_assert_cmpstr (options[0], ==, "MAX_CONCURRENCY=20");
  g_assert_cmpstr (options[1], ==, "BROKER_SUBJECT=jobs-ä");
  g_assert_cmpstr (options[2], ==, "DEBUG=true");
  g_assert_cmpstr (options[3], ==, "API_TOKEN_FILE=/secret");
  g_assert_cmpstr (options[4], ==, "METRICS_ENABLED=false");
  g_assert_null (options[5]);
}

/* A client has only what says where AMPS and its broker are. */
static void
test_client_options (void)
{
  g_autoptr (GStrvBuilder) given = g_strv_builder_new ();
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree char *help = NULL;

  g_option_context_set_main_group (context,
                                   amps_config_create_option_group (AMPS_CONFIG_CLIENT, given));
  help = g_option_context_get_help (context, TRUE, NULL);
  g_assert_nonnull (strstr (help, "--port="));
  g_assert_nonnull (strstr (help, "--broker-host-file="));
  g_assert_null (strstr (help, "--job-timeout="));
}

/* Each is named, but nothing that may be its value. */
static void
test_unknown (void)
{
  const char *const cases[][2] = {
    { "--max-concurency=hunter2", "“--max-concurency” is not an option; did you mean "
                                  "--max-concurrency?" },
    { "--api-tokn hunter2", "“--api-tokn” is not an option; did you mean --api-token?" },
    { "--frobnicate=hunter2", "“--frobnicate” is not an option; see --help" },
    { "-x", "“-x” is not an option; see --help" },
    { "hunter2", "an argument must be an option such as --port=4000; see --help" },
    { "--amqp://u:hunter2@h", "an argument must be an option such as --port=4000; see --help" },
    { "amqp://u:hunter2@h", "an argument must be an option such as --port=4000; see --help" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *line = g_strconcat ("amps --port=1 ", cases[i][0], NULL);

      g_assert_null (parse_options (line, &error));
      g_assert_error (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION);
      g_assert_cmpstr (error->message, ==, cases[i][1]);
    }
}

static char *
get_help (void)
{
  g_autoptr (GStrvBuilder) given = g_strv_builder_new ();
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_main_group (context,
                                   amps_config_create_option_group (AMPS_CONFIG_SERVICE, given));
  return g_option_context_get_help (context, TRUE, NULL);
}

static void
test_help (void)
{
  g_autofree char *help = get_help ();

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      const AmpsVariableInfo *info = &amps_variables[i];
      g_autofree char *option = g_strdelimit (g_ascii_strdown (info->name, -1), "_", '-');
      g_autofree char *shown = g_strdup_printf ("  --%s=VALUE ", option);
      g_autofree char *fallback = g_strdup_printf ("[%s]", info->fallback);

      g_test_message ("%s", info->name);
      g_assert_nonnull (strstr (help, shown));
      g_assert_nonnull (strstr (help, info->description));
      g_assert_true (info->fallback == NULL || strstr (help, fallback) != NULL);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-options/options", test_options);
  g_test_add_func ("/config-options/client", test_client_options);
  g_test_add_func ("/config-options/unknown", test_unknown);
  g_test_add_func ("/config-options/help", test_help);
  return g_test_run ();
}
