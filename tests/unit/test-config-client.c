/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"

#include "broker/amps-broker-factory.h"
#include "config/amps-config.h"

static AmpsConfig *
read_settings (const char *const *environment, GError **error)
{
  const char *const none[] = { NULL };

  return amps_config_new_full (AMPS_CONFIG_CLIENT, environment, NULL, none,
                               amps_broker_factory_get_backends (), error);
}

static void
test_nothing_set (void)
{
  const char *const environment[] = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = read_settings (environment, &error);

  g_assert_no_error (error);
  g_assert_null (amps_config_get_subject (config));
  g_assert_null (amps_config_get_dead_letter_queue (config));
  g_assert_cmpuint (amps_config_get_port (config), ==, 4000);
}

static void
test_where_they_are (void)
{
  const char *const environment[] = { "BROKER_SUBJECT=jobs",
                                      "BROKER_HOST=sqlite:///queue.db",
                                      "PORT=0",
                                      "API_SOCKET=/run/api.sock",
                                      "API_TOKEN=secret",
                                      NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = read_settings (environment, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (amps_config_get_dead_letter_queue (config), ==, "jobs.dead");
  g_assert_cmpstr (amps_config_get_broker_type (config), ==, "embedded");
  g_assert_cmpstr (amps_config_get_api_socket (config), ==, "/run/api.sock");
  g_assert_cmpstr (amps_config_get_api_token (config), ==, "secret");
}

/* What only AMPS itself reads may be wrong here, or a file that only it can read. */
static void
test_what_is_not_read (void)
{
  const char *const environment[] = { "JOB_TIMEOUT=x", "WORKLOAD_ADDRESS_FILE=/nowhere",
                                      "WORKLOAD_CA_FILE=/nowhere", "DEAD_LETTER_QUEUE=d", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = read_settings (environment, &error);

  g_assert_no_error (error);
  g_assert_cmpint (amps_config_get_job_timeout (config), ==, 120 * G_USEC_PER_SEC);
  g_assert_cmpstr (amps_config_get_dead_letter_queue (config), ==, "d");
}

static void
test_what_is_wrong (void)
{
  const char *const environment[] = { "PORT=x", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = read_settings (environment, &error);

  g_assert_null (config);
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (error->message, ==, "PORT=x: must be a whole number, from 0 to 65535");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/config-client/nothing-set", test_nothing_set);
  g_test_add_func ("/config-client/where-they-are", test_where_they_are);
  g_test_add_func ("/config-client/what-is-not-read", test_what_is_not_read);
  g_test_add_func ("/config-client/what-is-wrong", test_what_is_wrong);
  return g_test_run ();
}
