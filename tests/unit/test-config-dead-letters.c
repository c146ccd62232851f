/* SPDX-License-Identifier: MIT */
#include "broker/amps-broker-factory.h"
#include "config/amps-config.h"

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define LONG_NAME FIFTY FIFTY FIFTY FIFTY FIFTY "256 by"

static AmpsConfig *
read_config (const char *variables)
{
  static const char *const none[] = { NULL };
  g_auto (GStrv) environment = g_strsplit (variables, "\n", -1);

  return amps_config_new_full (AMPS_CONFIG_SERVICE, (const char *const *) environment, NULL, none,
                               amps_broker_factory_get_backends (), NULL);
}

/* Where they go, whatever the backend. */
static void
test_defaults (void)
{
  static const char *const hosts[] = { "amqp://host", "sqlite::memory:" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (hosts); i++)
    {
      g_autofree char *start = g_strdup_printf ("BROKER_SUBJECT=jobs\nBROKER_HOST=%s\n", hosts[i]);
      g_autofree char *named = g_strconcat (start, "DEAD_LETTER_QUEUE=bin", NULL);
      g_autofree char *left = g_strconcat (start, "DEAD_LETTER_MODE=broker", NULL);
      g_autoptr (AmpsConfig) by_default = read_config (start);
      g_autoptr (AmpsConfig) as_named = read_config (named);
      g_autoptr (AmpsConfig) as_left = read_config (left);

      g_assert_cmpstr (amps_config_get_dead_letter_queue (by_default), ==, "jobs.dead");
      g_assert_cmpstr (amps_config_get_dead_letter_queue (as_named), ==, "bin");
      g_assert_cmpint (amps_config_get_dead_letter_mode (as_left), ==,
                       AMPS_DEAD_LETTER_MODE_BROKER);
      g_assert_null (amps_config_get_dead_letter_queue (as_left));
      g_assert_null (amps_config_get_warnings (as_left)[0]);
    }
}

/* SUBJECT.dead is a queue, too, where nothing else is said. */
static void
test_queue_names (void)
{
  const struct {
    unsigned int length;
    const char *rest;
    gboolean good;
  } cases[] = {
    { 255, "DEAD_LETTER_QUEUE=bin", TRUE },
    { 256, "DEAD_LETTER_QUEUE=bin", FALSE },
    { 4, "DEAD_LETTER_QUEUE=" LONG_NAME, FALSE },
    { 255, "DEAD_LETTER_MODE=broker", TRUE },
    { 250, "QUEUE_DECLARE=passive", TRUE },
    { 251, "QUEUE_DECLARE=passive", FALSE },
    { 250, "QUEUE_DECLARE=auto\nDEAD_LETTER_QUEUE=bin", TRUE },
    { 251, "QUEUE_DECLARE=auto\nDEAD_LETTER_QUEUE=bin", FALSE },
    { 251, "QUEUE_DECLARE=auto\nDEAD_LETTER_MODE=broker", FALSE },
    { 250, "BROKER_HOST=sqlite::memory:", TRUE },
    { 251, "BROKER_HOST=sqlite::memory:", FALSE },
    { 255, "BROKER_HOST=sqlite::memory:\nDEAD_LETTER_QUEUE=bin", TRUE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *subject = g_strnfill (cases[i].length, 'q');
      g_autofree char *variables =
          g_strdup_printf ("BROKER_SUBJECT=%s\n%s", subject, cases[i].rest);
      g_autoptr (AmpsConfig) config = read_config (variables);

      g_assert_cmpint (config != NULL, ==, cases[i].good);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-dead-letters/defaults", test_defaults);
  g_test_add_func ("/config-dead-letters/queue-names", test_queue_names);
  return g_test_run ();
}
