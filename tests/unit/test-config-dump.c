/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "broker/amps-broker-factory.h"
#include "config/amps-config-private.h"

#include <string.h>

static char *
summarise (const char *settings)
{
  static const char *const none[] = { NULL };
  g_auto (GStrv) environment = g_strsplit (settings, "\n", -1);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config =
      amps_config_new_full (AMPS_CONFIG_SERVICE, (const char *const *) environment, NULL, none,
                            amps_broker_factory_get_backends (), &error);

  g_assert_no_error (error);
  return amps_config_summarise (config);
}

/* What differs comes first, each on a line of its own. */
static void
test_order (void)
{
  g_autofree char *text = summarise ("BROKER_SUBJECT=jobs\nMAX_CONCURRENCY=7\nWORKER_ID=me\n"
                                     "API_TOKEN=secret\nPORT=4000");

  g_test_message ("%s", text);
  g_assert_true (g_str_has_prefix (text, "\n  BROKER_TYPE=amqp\n  BROKER_SUBJECT=jobs\n"
                                         "  WORKER_ID=me\n  MAX_CONCURRENCY=7\n"
                                         "  DEAD_LETTER_QUEUE=jobs.dead\n"
                                         "  API_URL=http://127.0.0.1:4000\n  API_TOKEN=***\n"
                                         "and these defaults:\n"
                                         "  BROKER_HOST=amqp://localhost:5672 "));
  g_assert_nonnull (strstr (text, " PORT=4000"));
}

/* Nothing is left out, and no line is too long for a terminal. */
static void
test_all (void)
{
  g_autofree char *text = summarise ("BROKER_SUBJECT=jobs\nWORKER_ID=me");
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (unsigned int i = 0; lines[i] != NULL; i++)
    g_assert_cmpuint (strlen (lines[i]), <=, 68);

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      g_autofree char *setting =
          g_strdup_printf (" %s=%s", amps_variables[i].name, amps_variables[i].fallback);

      g_test_message ("%s", setting);
      if (amps_variables[i].fallback != NULL)
        g_assert_nonnull (strstr (text, setting));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-dump/order", test_order);
  g_test_add_func ("/config-dump/all", test_all);
  return g_test_run ();
}
