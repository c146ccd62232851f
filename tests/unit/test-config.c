/* SPDX-License-Identifier: MIT */
#include "amps-config.h"
#include "core/amps-error.h"

#include <glib/gstdio.h>
#include <string.h>

static AmpsConfig *
read_config (const char *variables, const char *dotenv, GError **error)
{
  static const char *const none[] = { NULL };
  g_auto (GStrv) environment = g_strsplit (variables, "\n", -1);

  return amps_config_new ((const char *const *) environment, dotenv, none, error);
}

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = read_config ("BROKER_SUBJECT=jobs\nPORT=", NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (amps_config_get_broker_uris (config)[0], ==, "amqp://localhost:5672");
  g_assert_null (amps_config_get_broker_uris (config)[1]);
  g_assert_cmpstr (amps_config_get_broker_type (config), ==, "amqp");
  g_assert_cmpint (amps_config_get_queue_declare (config), ==, AMPS_QUEUE_DECLARE_PASSIVE);
  g_assert_cmpint (amps_config_get_queue_type (config), ==, AMPS_QUEUE_TYPE_QUORUM);
  g_assert_cmpstr (amps_config_get_worker_id (config), ==, g_get_host_name ());
  g_assert_cmpuint (amps_config_get_max_concurrency (config), ==, 100);
  g_assert_cmpint (amps_config_get_job_timeout (config), ==, 120 * G_USEC_PER_SEC);
  g_assert_cmpint (amps_config_get_heartbeat_timeout (config), ==, 0);
  g_assert_cmpstr (amps_config_get_workload_address (config), ==, "http://localhost:5050");
  g_assert_cmpint (amps_config_get_workload_mode (config), ==, AMPS_WORKLOAD_MODE_ASYNC);
  g_assert_cmpuint (amps_config_get_port (config), ==, 4000);
  g_assert_true (amps_config_get_metrics_enabled (config));
  g_assert_null (amps_config_get_dead_letter_queue (config));
  g_assert_null (amps_config_get_api_token (config));
  g_assert_cmpuint (amps_config_get_max_body_size (config), ==, 16 * 1024 * 1024);
  g_assert_null (amps_config_get_warnings (config)[0]);
}

/* Each is an error of its own that names the variable and what is allowed. */
static void
test_bad_values (void)
{
  const char *const bad[][3] = {
    { "BROKER_HOST=http://x", "BROKER_HOST", "amqp://" },
    { "BROKER_HOST=amqp://x,sqlite:///y", "BROKER_HOST", "one type" },
    { "BROKER_HOST=amqp://x\nBROKER_DSN=amqp://y", "BROKER_DSN", "different" },
    { "BROKER_TYPE=nats", "BROKER_TYPE", "amqp, embedded" },
    { "BROKER_TYPE=embedded", "BROKER_TYPE", "BROKER_HOST" },
    { "QUEUE_DECLARE=always", "QUEUE_DECLARE=always", "passive, auto" },
    { "QUEUE_TYPE=stream", "QUEUE_TYPE", "quorum, classic" },
    { "MAX_CONCURRENCY=0", "MAX_CONCURRENCY=0", "from 1 to 65535" },
    { "MAX_CONCURRENCY=65536", "MAX_CONCURRENCY", "from 1 to 65535" },
    { "MAX_CONCURRENCY=many", "MAX_CONCURRENCY=many", "whole number" },
    { "JOB_TIMEOUT=2", "JOB_TIMEOUT=2", "duration" },
    { "JOB_TIMEOUT=-1s", "JOB_TIMEOUT", "duration" },
    { "HEARTBEAT_TIMEOUT=x", "HEARTBEAT_TIMEOUT", "duration" },
    { "WORKLOAD_ADDRESS=localhost:5050", "WORKLOAD_ADDRESS", "http://" },
    { "WORKLOAD_ADDRESS=ftp://x", "WORKLOAD_ADDRESS", "http://" },
    { "WORKLOAD_ADDRESS=unix:relative", "WORKLOAD_ADDRESS", "unix:/path" },
    { "WORKLOAD_RESPONSE_TIMEOUT=0", "WORKLOAD_RESPONSE_TIMEOUT", "from 0.001s" },
    { "WORKLOAD_MODE=batch", "WORKLOAD_MODE", "async, sync" },
    { "WORKLOAD_BATCH_SIZE=0", "WORKLOAD_BATCH_SIZE", "from 1" },
    { "WORKLOAD_READY_PATH=ready", "WORKLOAD_READY_PATH", "slash" },
    { "MAX_ATTEMPTS=-1", "MAX_ATTEMPTS", "whole number" },
    { "RETRY_MIN_BACKOFF=10m", "RETRY_MIN_BACKOFF", "RETRY_MAX_BACKOFF" },
    { "PORT=65536", "PORT=65536", "from 1 to 65535" },
    { "PORT=9090", "METRICS_PORT=9090", "PORT" },
    { "METRICS_ENABLED=yes", "METRICS_ENABLED=yes", "true or false" },
    { "MAX_BODY_SIZE=1GiB", "MAX_BODY_SIZE", "from 1024" },
    { "LOG_FORMAT=xml", "LOG_FORMAT", "auto, text, json, journal" },
    { "API_TOKEN_FILE=/nowhere", "API_TOKEN_FILE=/nowhere", "/nowhere" },
    { "API_TOKEN=a\nAPI_TOKEN_FILE=/nowhere", "API_TOKEN_FILE", "not both" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *variables = g_strconcat ("BROKER_SUBJECT=jobs\n", bad[i][0], NULL);
      g_autoptr (GError) error = NULL;

      g_assert_null (read_config (variables, NULL, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, bad[i][1]));
      g_assert_nonnull (strstr (error->message, bad[i][2]));
      g_assert_null (strchr (error->message, '\n'));
    }
}

static void
test_all_errors_at_once (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *long_name = g_strnfill (256, 'q');
  g_autofree char *variables =
      g_strdup_printf ("BROKER_HOST=amqp://user:hunter2@host,http://user:hunter2@host\n"
                       "PORT=x\nDEBUG=maybe\nDEAD_LETTER_QUEUE=%s",
                       long_name);
  g_auto (GStrv) lines = NULL;

  g_assert_null (read_config (variables, NULL, &error));
  lines = g_strsplit (error->message, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 5);
  g_assert_nonnull (strstr (error->message, "BROKER_SUBJECT is required"));
  g_assert_null (strstr (error->message, "hunter2"));
}

static void
collect (const char *name, const char *redacted, gpointer user_data)
{
  g_string_append_printf (user_data, "%s=%s;", name, redacted);
}

static void
test_secrets (void)
{
  g_autoptr (AmpsConfig) config =
      read_config ("BROKER_SUBJECT=jobs\n"
                   "BROKER_DSN=amqp://user:hunter2@one, amqps://user:hunter2@two?keyfile=hunter2\n"
                   "API_TOKEN=hunter2\nSENTRY_DSN=https://hunter2@sentry/1",
                   NULL, NULL);
  g_autofree char *text = amps_config_to_string (config);
  g_autoptr (GString) seen = g_string_new (NULL);

  amps_config_foreach (config, collect, seen);
  g_assert_null (strstr (text, "hunter2"));
  g_assert_null (strstr (seen->str, "hunter2"));
  g_assert_nonnull (strstr (text, "user:***@one"));
  g_assert_nonnull (strstr (text, "API_TOKEN=***\n"));
  g_assert_cmpstr (amps_config_get_api_token (config), ==, "hunter2");
  g_assert_cmpstr (amps_config_get_broker_uris (config)[1], ==,
                   "amqps://user:hunter2@two?keyfile=hunter2");
}

static void
test_secret_files (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "amps-test-secret-XXXXXX", NULL);
  g_autofree char *variables = NULL;
  g_autoptr (AmpsConfig) config = NULL;
  g_autoptr (GError) error = NULL;

  g_close (g_mkstemp (path), NULL);
  g_assert_true (g_file_set_contents (path, "amqp://u:first@h\n", -1, NULL));
  variables = g_strdup_printf ("BROKER_SUBJECT=jobs\nBROKER_HOST_FILE=%s", path);
  config = read_config (variables, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (amps_config_get_broker_uris (config)[0], ==, "amqp://u:first@h");

  g_assert_true (g_file_set_contents (path, "amqp://u:second@h", -1, NULL));
  g_assert_true (amps_config_reload_secrets (config, &error));
  g_assert_cmpstr (amps_config_get_broker_uris (config)[0], ==, "amqp://u:second@h");

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_false (amps_config_reload_secrets (config, &error));
  g_assert_nonnull (error);
  g_assert_cmpstr (amps_config_get_broker_uris (config)[0], ==, "amqp://u:second@h");
}

static void
test_dotenv_and_precedence (void)
{
  const char *const environment[] = { "BROKER_SUBJECT=", "PORT=1", "JOB_TIMEOUT=1s", NULL };
  const char *const options[] = { "PORT=2", NULL };
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "amps-test-dotenv-XXXXXX", NULL);
  g_autoptr (AmpsConfig) config = NULL;
  g_autoptr (GError) error = NULL;

  g_close (g_mkstemp (path), NULL);
  g_assert_true (g_file_set_contents (path,
                                      "# comment\n\n  BROKER_SUBJECT = jobs # why\n"
                                      "export WORKER_ID=\"a \\\"b\\\"\\tc\" # d\r\n"
                                      "ENVIRONMENT='x\\n'\nPORT=3\nJOB_TIMEOUT=3s\n",
                                      -1, NULL));
  config = amps_config_new (environment, path, options, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (amps_config_get_subject (config), ==, "jobs");
  g_assert_cmpstr (amps_config_get_worker_id (config), ==, "a \"b\"\tc");
  g_assert_cmpstr (amps_config_get_environment (config), ==, "x\\n");
  g_assert_cmpuint (amps_config_get_port (config), ==, 2);
  g_assert_cmpint (amps_config_get_job_timeout (config), ==, G_USEC_PER_SEC);

  g_assert_true (g_file_set_contents (path, "A=1\nthis is my password\n", -1, NULL));
  g_assert_null (amps_config_new (environment, path, options, &error));
  g_assert_nonnull (strstr (error->message, "line 2"));
  g_assert_null (strstr (error->message, "password"));
  g_unlink (path);
}

static void
test_kubernetes (void)
{
  g_autoptr (AmpsConfig) config =
      read_config ("BROKER_SUBJECT=jobs\nMETRICS_PORT=tcp://10.0.0.1:80", NULL, NULL);

  g_assert_cmpuint (amps_config_get_metrics_port (config), ==, 9090);
  g_assert_nonnull (strstr (amps_config_get_warnings (config)[0], "METRICS_PORT"));
  g_assert_null (amps_config_get_warnings (config)[1]);
}

static void
test_embedded (void)
{
  g_autoptr (AmpsConfig) config =
      read_config ("BROKER_SUBJECT=jobs\nBROKER_HOST=sqlite:///queue.db", NULL, NULL);

  g_assert_cmpstr (amps_config_get_broker_type (config), ==, "embedded");
  g_assert_cmpstr (amps_config_get_dead_letter_queue (config), ==, "jobs.dead");
}

static void
test_options (void)
{
  const char *const command_line[] = { "amps",    "--max-concurrency=20",
                                       "--debug", "--broker-subject",
                                       "jobs",    NULL };
  g_auto (GStrv) arguments = g_strdupv ((char **) command_line);
  char **remaining = arguments;
  int argc = G_N_ELEMENTS (command_line) - 1;
  g_autoptr (GStrvBuilder) given = g_strv_builder_new ();
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_auto (GStrv) options = NULL;
  g_autofree char *help = NULL;
  g_autoptr (GError) error = NULL;

  g_option_context_set_main_group (context, amps_config_create_option_group (given));
  help = g_option_context_get_help (context, TRUE, NULL);
  g_assert_nonnull (strstr (help, "--retry-min-backoff=VALUE"));
  g_assert_nonnull (strstr (help, "[100]"));

  /* The parser takes what it knows out of the array. */
  remaining = g_memdup2 (arguments, sizeof (char *) * G_N_ELEMENTS (command_line));
  g_assert_true (g_option_context_parse (context, &argc, &remaining, &error));
  g_assert_no_error (error);
  g_free (remaining);
  options = g_strv_builder_end (given);
  g_assert_true (g_strv_contains ((const char *const *) options, "MAX_CONCURRENCY=20"));
  g_assert_true (g_strv_contains ((const char *const *) options, "DEBUG=true"));
  g_assert_true (g_strv_contains ((const char *const *) options, "BROKER_SUBJECT=jobs"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/defaults", test_defaults);
  g_test_add_func ("/config/bad-values", test_bad_values);
  g_test_add_func ("/config/all-errors-at-once", test_all_errors_at_once);
  g_test_add_func ("/config/secrets", test_secrets);
  g_test_add_func ("/config/secret-files", test_secret_files);
  g_test_add_func ("/config/dotenv-and-precedence", test_dotenv_and_precedence);
  g_test_add_func ("/config/kubernetes", test_kubernetes);
  g_test_add_func ("/config/embedded", test_embedded);
  g_test_add_func ("/config/options", test_options);
  return g_test_run ();
}
