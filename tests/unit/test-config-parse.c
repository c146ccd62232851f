/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "broker/amps-broker-factory.h"
#include "config/amps-config.h"

#include <string.h>

/* For each kind of value: what it is not, and in full what is allowed. */
static void
test_what_is_allowed (void)
{
  const char *const none[] = { NULL };
  const char *const number = "must be a whole number, from 1 to 65535";
  const char *const number_range = "must be from 1 to 65535";
  const char *const duration =
      "must be a duration such as 500ms, 30s, 1m30s or 2h, from 0 to 8760h";
  const char *const duration_range = "must be from 0 to 8760h";
  const char *const size = "must be a size such as 65536, 64KiB or 10MiB, from 1KiB to 128MiB";
  const char *const size_range = "must be from 1KiB to 128MiB";
  const char *const mode = "must be four octal digits such as 0660: a 0, then the permissions of "
                           "the owner, who must be allowed to write, of the group and of others";
  const char *const cases[][2] = {
    { "MAX_CONCURRENCY=-1", number_range },
    { "MAX_CONCURRENCY=0", number_range },
    { "MAX_CONCURRENCY=65536", number_range },
    { "MAX_CONCURRENCY=99999999999999999999999", number_range },
    { "MAX_CONCURRENCY=-99999999999999999999999", number_range },
    { "MAX_CONCURRENCY=1.5", number },
    { "MAX_CONCURRENCY=1e2", number },
    { "MAX_CONCURRENCY=0x10", number },
    { "MAX_CONCURRENCY= ", number },
    { "MAX_CONCURRENCY= 5", number },
    { "MAX_CONCURRENCY=\"5\"", number },
    { "MAX_CONCURRENCY=-", number },
    { "MAX_CONCURRENCY=many", number },
    { "PORT=-1", "must be from 0 to 65535" },
    { "PORT=0", "must be from 1 to 65535; 0, for none, needs API_SOCKET" },
    { "PORT=http", "must be a whole number, from 0 to 65535" },
    { "METRICS_PORT=-9090", number_range },
    { "METRICS_PORT=0", number_range },
    { "WORKLOAD_BATCH_SIZE=1001", "must be from 1 to 1000" },
    { "WORKLOAD_BATCH_SIZE=all", "must be a whole number, from 1 to 1000" },
    { "MAX_ATTEMPTS=-1", "must be from 0 to 2147483647" },
    { "MAX_ATTEMPTS=none", "must be a whole number, from 0 to 2147483647" },
    { "JOB_TIMEOUT=-1s", duration_range },
    { "JOB_TIMEOUT=-1h30m", duration_range },
    { "JOB_TIMEOUT=8761h", duration_range },
    { "JOB_TIMEOUT=99999999999999h", duration_range },
    { "JOB_TIMEOUT=-99999999999999h", duration_range },
    { "JOB_TIMEOUT=30", duration },
    { "JOB_TIMEOUT=-30", duration },
    { "JOB_TIMEOUT=1.5", duration },
    { "JOB_TIMEOUT=30 s", duration },
    { "JOB_TIMEOUT=30sec", duration },
    { "JOB_TIMEOUT=1d", duration },
    { "JOB_TIMEOUT= ", duration },
    { "JOB_TIMEOUT=never", duration },
    { "WORKLOAD_BATCH_WAIT=-5ms", "must be from 0 to 1m" },
    { "WORKLOAD_BATCH_WAIT=5", "must be a duration such as 500ms, 30s, 1m30s or 2h, from 0 to 1m" },
    { "RETRY_MIN_BACKOFF=0s", "must be from 1ms to 8760h" },
    { "MAX_BODY_SIZE=-1", size_range },
    { "MAX_BODY_SIZE=-1MiB", size_range },
    { "MAX_BODY_SIZE=1GiB", size_range },
    { "MAX_BODY_SIZE=99999999999999999999GiB", size_range },
    { "MAX_BODY_SIZE=1", size_range },
    { "MAX_BODY_SIZE=1M", size },
    { "MAX_BODY_SIZE=16 MiB", size },
    { "MAX_BODY_SIZE=big", size },
    { "MAX_IN_FLIGHT_BYTES=1", "must be from 1KiB to 1TiB" },
    { "DEBUG=-1", "must be true or false" },
    { "DEBUG=on", "must be true or false" },
    { "DEBUG= ", "must be true or false" },
    { "QUEUE_TYPE=-1", "must be one of: quorum, classic" },
    { "WORKLOAD_MODE=Async", "must be one of: async, sync" },
    { "WORKLOAD_MODE= ", "must be one of: async, sync" },
    { "WORKLOAD_CONTENT_TYPE=-1", "must be a media type such as application/json" },
    { "WORKLOAD_READY_PATH=-1", "must begin with a slash and contain no spaces" },
    { "API_SOCKET=@amps", "must begin with a slash and contain no spaces" },
    { "API_SOCKET_MODE=432", mode },
    { "API_SOCKET_MODE=0480", mode },
    { "API_SOCKET_MODE=0477", mode },
    { "API_TOKEN= ", "must be ASCII characters without spaces" },
    { "DBUS_BUS=-1", "must be auto, session, system, none or an address like unix:path=/path" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *const environment[] = { "BROKER_SUBJECT=jobs", cases[i][0], NULL };
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", cases[i][0]);
      g_assert_null (amps_config_new (environment, NULL, none, &error));
      g_assert_cmpstr (strstr (error->message, ": ") + 2, ==, cases[i][1]);
    }
}

/* Each of them is good. */
static void
test_good_values (void)
{
  const char *const none[] = { NULL };
  const char *const good[] = {
    "WORKLOAD_ADDRESS=unix:/run/workload.sock",
    "WORKLOAD_ADDRESS=https://[::1]:8443/jobs",
    "WORKLOAD_CONTENT_TYPE=application/cloudevents+json; charset=utf-8",
    "WORKLOAD_READY_PATH=/ready?deep=1",
    "SENTRY_DSN=https://key@sentry.example/42",
    "DBUS_BUS=unix:path=/run/bus",
    "API_SOCKET=/run/amps/api.sock\nAPI_SOCKET_MODE=0222",
    "API_URL=unix:/run/amps/api.sock",
    "DBUS_BUS=none",
    "METRICS_ENABLED=f\nPORT=9090",
    "BROKER_HOST=amqp://a\nBROKER_DSN=amqp://a",
    "BROKER_HOST=amqp://user:p%40ss,word^{}|@host/v%2fh?heartbeat=10",
    "BROKER_TYPE=amqp\nBROKER_HOST=amqps://a",
    "RETRY_MIN_BACKOFF=5m",
    "PORT=\nDEBUG=",
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *variables = g_strconcat ("BROKER_SUBJECT=jobs\n", good[i], NULL);
      g_auto (GStrv) environment = g_strsplit (variables, "\n", -1);
      g_autoptr (GError) error = NULL;
      g_autoptr (AmpsConfig) config =
          amps_config_new_full (AMPS_CONFIG_SERVICE, (const char *const *) environment, NULL, none,
                                amps_broker_factory_get_backends (), &error);

      g_assert_no_error (error);
      g_assert_nonnull (config);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-parse/what-is-allowed", test_what_is_allowed);
  g_test_add_func ("/config-parse/good-values", test_good_values);
  return g_test_run ();
}
