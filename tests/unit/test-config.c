/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "base/amps-error.h"
#include "broker/amps-broker-factory.h"
#include "config/amps-config-private.h"

#include <glib/gstdio.h>
#include <string.h>

static AmpsConfig *
read_config (const char *variables, const char *dotenv, GError **error)
{
  static const char *const none[] = { NULL };
  g_auto (GStrv) environment = g_strsplit (variables, "\n", -1);

  return amps_config_new_full (AMPS_CONFIG_SERVICE, (const char *const *) environment, dotenv, none,
                               amps_broker_factory_get_backends (), error);
}

/* What is said at the setting itself, or follows from others. */
static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = read_config ("BROKER_SUBJECT=jobs\nPORT=", NULL, &error);

  g_assert_no_error (error);
  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      if (amps_variables[i].fallback != NULL)
        g_assert_cmpstr (amps_config_get_text (config, i), ==, amps_variables[i].fallback);
    }

  g_assert_cmpstr (amps_config_get_broker_type (config), ==, "amqp");
  g_assert_cmpstr (amps_config_get_worker_id (config), ==, g_get_host_name ());
  g_assert_cmpstr (amps_config_get_dead_letter_queue (config), ==, "jobs.dead");
  g_assert_cmpstr (amps_config_get_api_url (config), ==, "http://127.0.0.1:4000");
  g_assert_null (amps_config_get_api_token (config));
  g_assert_cmpstr (amps_config_get_broker_uris (config)[0], ==, "amqp://localhost:5672");
  g_assert_null (amps_config_get_broker_uris (config)[1]);
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
    { "BROKER_HOST=amqp://a,b:5672", "BROKER_HOST=amqp://***: ", "each with its scheme" },
    { "BROKER_HOST=amqp://a,", "BROKER_HOST", "amqp://" },
    { "BROKER_HOST=amqp://a,b", "BROKER_HOST", "each with its scheme" },
    { "BROKER_HOST=amqp://a:port", "BROKER_HOST", "amqp://" },
    { "BROKER_HOST=sqlite:", "BROKER_HOST", "sqlite:///path" },
    { "BROKER_HOST=tcp://10.0.0.1:80", "BROKER_HOST", "amqp://" },
    { "BROKER_DSN=http://x", "BROKER_DSN=http://x", "amqp://" },
    { "BROKER_TYPE=nats", "BROKER_TYPE", "amqp, embedded" },
    { "BROKER_TYPE=embedded", "BROKER_TYPE", "BROKER_HOST" },
    { "QUEUE_DECLARE=always", "QUEUE_DECLARE=always", "passive, auto" },
    { "BROKER_TYPE=amqp\nBROKER_HOST=sqlite::memory:", "BROKER_TYPE=amqp", "BROKER_HOST" },
    { "QUEUE_TYPE=stream", "QUEUE_TYPE", "quorum, classic" },
    { "MAX_CONCURRENCY=0", "MAX_CONCURRENCY=0", "from 1 to 65535" },
    { "MAX_CONCURRENCY=65536", "MAX_CONCURRENCY", "from 1 to 65535" },
    { "MAX_CONCURRENCY=many", "MAX_CONCURRENCY=many", "whole number" },
    { "JOB_TIMEOUT=2", "JOB_TIMEOUT=2", "duration" },
    { "JOB_TIMEOUT=-1s", "JOB_TIMEOUT=-1s", "from 0 to 8760h" },
    { "JOB_TIMEOUT=8761h", "JOB_TIMEOUT", "from 0 to 8760h" },
    { "JOB_TIMEOUT=999999999h", "JOB_TIMEOUT", "from 0 to 8760h" },
    { "WORKER_ID=a\tb", "WORKER_ID=a\\tb", "control" },
    { "WORKER_ID=\xff", "WORKER_ID=\\377", "UTF-8" },
    { "HEARTBEAT_TIMEOUT=x", "HEARTBEAT_TIMEOUT", "duration" },
    { "WORKLOAD_ADDRESS=localhost:5050", "WORKLOAD_ADDRESS", "http://" },
    { "WORKLOAD_ADDRESS=ftp://x", "WORKLOAD_ADDRESS", "http://" },
    { "WORKLOAD_ADDRESS=unix:relative", "WORKLOAD_ADDRESS", "unix:/path" },
    { "WORKLOAD_ADDRESS=http:///path", "WORKLOAD_ADDRESS", "http://" },
    { "WORKLOAD_CA_FILE=/ca.pem", "WORKLOAD_CA_FILE=/ca.pem", "https:" },
    { "WORKLOAD_ADDRESS=https://x\nWORKLOAD_CA_FILE=/nowhere", "WORKLOAD_CA_FILE=/nowhere: ", "" },
    { "WORKLOAD_ADDRESS=https://x\nWORKLOAD_CERT_FILE=/c", "WORKLOAD_CERT_FILE=/c", "each other" },
    { "WORKLOAD_ADDRESS=https://x\nWORKLOAD_KEY_FILE=/k", "WORKLOAD_KEY_FILE=/k", "each other" },
    { "WORKLOAD_RESPONSE_TIMEOUT=0", "WORKLOAD_RESPONSE_TIMEOUT", "from 1ms to 8760h" },
    { "WORKLOAD_MODE=batch", "WORKLOAD_MODE", "async, sync" },
    { "WORKLOAD_CONTENT_TYPE=json", "WORKLOAD_CONTENT_TYPE", "application/json" },
    { "WORKLOAD_BATCH_SIZE=0", "WORKLOAD_BATCH_SIZE", "from 1 to 1000" },
    { "WORKLOAD_BATCH_WAIT=2m", "WORKLOAD_BATCH_WAIT", "from 0 to 1m" },
    { "WORKLOAD_READY_PATH=ready", "WORKLOAD_READY_PATH", "slash" },
    { "WORKLOAD_READY_PATH=/a b", "WORKLOAD_READY_PATH", "spaces" },
    { "MAX_ATTEMPTS=-1", "MAX_ATTEMPTS=-1", "from 0 to 2147483647" },
    { "RETRY_MIN_BACKOFF=10m", "RETRY_MIN_BACKOFF", "RETRY_MAX_BACKOFF" },
    { "RETRY_MIN_BACKOFF=0", "RETRY_MIN_BACKOFF", "from 1ms" },
    { "RETRY_MAX_BACKOFF=forever", "RETRY_MAX_BACKOFF", "duration" },
    { "DEAD_LETTER_QUEUE=jobs", "DEAD_LETTER_QUEUE", "BROKER_SUBJECT" },
    { "DEAD_LETTER_QUEUE=bin\nDEAD_LETTER_MODE=broker", "DEAD_LETTER_QUEUE=bin", "leave one" },
    { "DEAD_LETTER_QUEUE=jobs\nDEAD_LETTER_MODE=broker", "DEAD_LETTER_QUEUE=jobs", "leave one" },
    { "DEAD_LETTER_MODE=discard", "DEAD_LETTER_MODE=discard", "queue, broker" },
    { "DRAIN_TIMEOUT=25", "DRAIN_TIMEOUT", "duration" },
    { "PORT=0", "PORT=0", "from 1 to 65535; 0, for none, needs API_SOCKET" },
    { "API_SOCKET=amps.sock", "API_SOCKET=amps.sock", "slash" },
    { "API_SOCKET=@amps", "API_SOCKET=@amps", "slash" },
    { "API_SOCKET=/a b", "API_SOCKET=/a b", "spaces" },
    { "PORT=0\nAPI_SOCKET=@amps", "API_SOCKET=@amps", "slash" },
    { "API_SOCKET_MODE=660", "API_SOCKET_MODE=660", "0660" },
    { "API_SOCKET_MODE=432", "API_SOCKET_MODE=432", "0660" },
    { "API_SOCKET_MODE=0o66", "API_SOCKET_MODE=0o66", "0660" },
    { "API_SOCKET_MODE=0680", "API_SOCKET_MODE=0680", "0660" },
    { "API_SOCKET_MODE=1660", "API_SOCKET_MODE=1660", "0660" },
    { "API_SOCKET_MODE=00660", "API_SOCKET_MODE=00660", "0660" },
    { "API_SOCKET_MODE=0466", "API_SOCKET_MODE=0466", "0660" },
    { "METRICS_PORT=70000", "METRICS_PORT", "from 1 to 65535" },
    { "API_ALLOW_REMOTE=on", "API_ALLOW_REMOTE", "true or false" },
    { "DEBUG=2", "DEBUG=2", "true or false" },
    { "API_TOKEN=two words", "API_TOKEN=***", "spaces" },
    { "SENTRY_DSN=https://sentry.example/1", "SENTRY_DSN=***", "https://KEY@HOST/PROJECT" },
    { "DBUS_BUS=sesion", "DBUS_BUS=sesion", "session" },
    { "ENVIRONMENT=a\rb", "ENVIRONMENT=a\\rb", "control" },
    { "PORT=65536", "PORT=65536", "from 0 to 65535" },
    { "PORT=9090", "METRICS_PORT=9090", "PORT" },
    { "METRICS_ENABLED=yes", "METRICS_ENABLED=yes", "true or false" },
    { "MAX_BODY_SIZE=1GiB", "MAX_BODY_SIZE", "from 1KiB to 128MiB" },
    { "LOG_FORMAT=xml", "LOG_FORMAT", "auto, text, json, journal" },
    { "API_TOKEN_FILE=/nowhere", "API_TOKEN_FILE=/nowhere", "/nowhere" },
    { "BROKER_DSN_FILE=/nowhere", "BROKER_DSN_FILE=/nowhere", "/nowhere" },
    { "SENTRY_DSN_FILE=/dev/null", "SENTRY_DSN_FILE=/dev/null", "line of text" },
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

/* What fits into sun_path, with its zero. */
static void
test_api_socket (void)
{
  g_autofree char *name = g_strnfill (106, 's');
  g_autofree char *longest = g_strdup_printf ("BROKER_SUBJECT=jobs\nPORT=0\nAPI_SOCKET=/%s", name);
  g_autofree char *too_long = g_strconcat (longest, "s", NULL);
  g_autofree char *url = g_strdup_printf ("unix:/%s", name);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = read_config (longest, NULL, &error);
  g_autoptr (AmpsConfig) beside =
      read_config ("BROKER_SUBJECT=jobs\nPORT=1\nAPI_SOCKET=/a", NULL, NULL);

  g_assert_no_error (error);
  g_assert_cmpuint (amps_config_get_port (config), ==, 0);
  g_assert_cmpstr (amps_config_get_api_socket (config), ==, url + strlen ("unix:"));
  g_assert_cmpuint (amps_config_get_api_socket_mode (config), ==, 0660);
  g_assert_cmpstr (amps_config_get_api_url (config), ==, url);
  g_assert_cmpstr (amps_config_get_api_url (beside), ==, "http://127.0.0.1:1");
  g_assert_null (amps_config_get_warnings (beside)[0]);

  g_assert_null (read_config (too_long, NULL, &error));
  g_assert_true (g_str_has_prefix (error->message, "API_SOCKET=/"));
  g_assert_true (g_str_has_suffix (error->message, "at most 107 bytes"));
}

static void
test_all_errors_at_once (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_null (read_config ("BROKER_HOST=amqp://user:hunter2@host,http://user:hunter2@host\n"
                              "PORT=x\nDEBUG=maybe\nMAX_CONCURRENCY=0",
                              NULL, &error));
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

/* A path for a file with @content in a folder that goes with the fixture. */
typedef struct {
  char *folder;
  char *path;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fixture->folder = g_dir_make_tmp ("amps-config-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->folder, "file", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_remove (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->folder);
  g_free (fixture->path);
}

static void
write_file (Fixture *fixture, const char *content)
{
  g_assert_true (g_file_set_contents (fixture->path, content, -1, NULL));
}

/* Both of the names, and of what is URI and what is not. */
static void
test_secret_files (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const char *const uris[] = { "BROKER_HOST_FILE", "BROKER_DSN_FILE" };
  g_autoptr (GError) error = NULL;

  for (unsigned int i = 0; i < G_N_ELEMENTS (uris); i++)
    {
      g_autofree char *variables =
          g_strdup_printf ("BROKER_SUBJECT=jobs\n%s=%s", uris[i], fixture->path);
      g_autoptr (AmpsConfig) config = NULL;

      write_file (fixture, "amqp://u:first@h\n");
      config = read_config (variables, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (amps_config_get_broker_uris (config)[0], ==, "amqp://u:first@h");

      write_file (fixture, "amqp://u:second@h, amqp://u:second@g\r\n");
      g_assert_true (amps_config_reload_secrets (config, &error));
      g_assert_no_error (error);
      g_assert_cmpstr (amps_config_get_broker_uris (config)[0], ==, "amqp://u:second@h");
      g_assert_cmpstr (amps_config_get_broker_uris (config)[1], ==, "amqp://u:second@g");
    }
}

/* What was good stays, and the error shows nothing of what is not. */
static void
test_bad_reload (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const char *const bad[] = { "", "\n", "http://u:hunter2@h", "sqlite:///hunter2", "a\nhunter2" };
  g_autofree char *variables =
      g_strdup_printf ("BROKER_SUBJECT=jobs\nBROKER_HOST_FILE=%s", fixture->path);
  g_autoptr (AmpsConfig) config = NULL;
  const char *uri;

  write_file (fixture, "amqp://u:first@h");
  config = read_config (variables, NULL, NULL);
  uri = amps_config_get_broker_uris (config)[0];

  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      write_file (fixture, bad[i]);
      g_assert_false (amps_config_reload_secrets (config, &error));
      g_assert_true (g_str_has_prefix (error->message, "BROKER_HOST_FILE="));
      g_assert_null (strstr (error->message, "hunter2"));
      g_assert_true (amps_config_get_broker_uris (config)[0] == uri);
    }

  g_assert_cmpint (g_unlink (fixture->path), ==, 0);
  g_assert_false (amps_config_reload_secrets (config, NULL));
  g_assert_cmpstr (uri, ==, "amqp://u:first@h");
}

static gboolean
refuse_hunter (const char *uri, GError **error)
{
  if (strstr (uri, "hunter2") == NULL)
    return TRUE;
  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, "makes no sense");
  return FALSE;
}

/* The backend is asked of each URI, at start and later. */
static void
test_backend_is_asked (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const AmpsConfigBackend backend = {
    .name = "nats", .schemes = { "nats:" }, .max_queue_name = 9, .check_uri = refuse_hunter
  };
  const AmpsConfigBackend *const backends[] = { &backend, NULL };
  const char *const none[] = { NULL };
  g_autofree char *file = g_strconcat ("BROKER_HOST_FILE=", fixture->path, NULL);
  const char *const environment[] = { "BROKER_SUBJECT=jobs", file, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config = NULL;

  write_file (fixture, "nats:a,nats://hunter2");
  g_assert_null (
      amps_config_new_full (AMPS_CONFIG_SERVICE, environment, NULL, none, backends, &error));
  g_assert_true (g_str_has_suffix (error->message, ": makes no sense"));
  g_clear_error (&error);

  write_file (fixture, "nats://a,nats://b");
  config = amps_config_new_full (AMPS_CONFIG_SERVICE, environment, NULL, none, backends, &error);
  g_assert_no_error (error);
  write_file (fixture, "nats://hunter2");
  g_assert_false (amps_config_reload_secrets (config, &error));
  g_assert_null (strstr (error->message, "hunter2"));
  g_assert_cmpstr (amps_config_get_broker_uris (config)[0], ==, "nats://a");
  g_assert_true (amps_config_get_backend (config) == &backend);
  g_assert_cmpstr (amps_config_get_broker_type (config), ==, "nats");
}

/* One bad file must not change what another has. */
static void
test_reload_is_whole (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *broker = g_build_filename (fixture->folder, "broker", NULL);
  g_autofree char *variables = g_strdup_printf (
      "BROKER_SUBJECT=jobs\nBROKER_HOST_FILE=%s\nAPI_TOKEN_FILE=%s", broker, fixture->path);
  g_autoptr (AmpsConfig) config = NULL;

  g_assert_true (g_file_set_contents (broker, "amqp://first", -1, NULL));
  write_file (fixture, "first\n");
  config = read_config (variables, NULL, NULL);

  g_assert_true (g_file_set_contents (broker, "amqp://second", -1, NULL));
  write_file (fixture, "not a token");
  g_assert_false (amps_config_reload_secrets (config, NULL));
  g_assert_cmpstr (amps_config_get_broker_uris (config)[0], ==, "amqp://first");
  g_assert_cmpstr (amps_config_get_api_token (config), ==, "first");

  write_file (fixture, "second");
  g_assert_true (amps_config_reload_secrets (config, NULL));
  g_assert_cmpstr (amps_config_get_broker_uris (config)[0], ==, "amqp://second");
  g_assert_cmpstr (amps_config_get_api_token (config), ==, "second");
  g_assert_cmpint (g_unlink (broker), ==, 0);
}

static void
test_precedence (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const char *const environment[] = { "BROKER_SUBJECT=",
                                      "PORT=1",
                                      "JOB_TIMEOUT=1s",
                                      "API_TOKEN_FILE=/nowhere",
                                      "BROKER_DSN=amqp://environment",
                                      NULL };
  const char *const options[] = { "PORT=7", "PORT=2", "API_TOKEN=option", NULL };
  g_autoptr (AmpsConfig) config = NULL;
  g_autoptr (GError) error = NULL;

  write_file (fixture, "BROKER_SUBJECT=jobs\nPORT=3\nJOB_TIMEOUT=3s\nDEBUG=0\nDEBUG=1\n"
                       "BROKER_HOST=amqp://dotenv\n");
  config = amps_config_new (environment, fixture->path, options, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (amps_config_get_subject (config), ==, "jobs");
  g_assert_cmpuint (amps_config_get_port (config), ==, 2);
  g_assert_cmpint (amps_config_get_job_timeout (config), ==, G_USEC_PER_SEC);
  g_assert_cmpstr (amps_config_get_api_token (config), ==, "option");
  g_assert_cmpstr (amps_config_get_broker_uris (config)[0], ==, "amqp://environment");
  g_assert_true (amps_config_get_debug (config));
}

/* Among the other problems, and not in place of them. */
static void
test_bad_dotenv (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const char *const none[] = { NULL };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;

  write_file (fixture, "BROKER_SUBJECT=jobs\nthis is my password\nPORT=x\nand this, too\n");
  g_assert_null (amps_config_new (none, fixture->path, none, &error));
  lines = g_strsplit (error->message, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_nonnull (strstr (lines[0], "line 2"));
  g_assert_nonnull (strstr (lines[1], "line 4"));
  g_assert_nonnull (strstr (lines[2], "PORT=x"));
  g_assert_null (strstr (error->message, "password"));

  g_clear_error (&error);
  g_assert_null (amps_config_new (none, fixture->folder, none, &error));
  g_assert_true (g_str_has_prefix (error->message, fixture->folder));
}

/* From where they are, and not from options: a wrong one of those is an error. */
static void
test_misspelt (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const char *const none[] = { NULL };
  const char *const environment[] = { "BROKER_SUBJECT=jobs", "MAX_CONCURENCY=7", "PATH=/bin",
                                      NULL };
  g_autoptr (AmpsConfig) config = NULL;
  const char *const *warnings;

  write_file (fixture, "BROKER_URL=amqp://u:hunter2@h\nDATABASE_URL=x\n");
  config = amps_config_new (environment, fixture->path, none, NULL);
  warnings = amps_config_get_warnings (config);

  g_assert_cmpuint (amps_config_get_max_concurrency (config), ==, 100);
  g_assert_true (g_str_has_prefix (warnings[0], "MAX_CONCURENCY in the environment"));
  g_assert_nonnull (strstr (warnings[0], "MAX_CONCURRENCY"));
  g_assert_true (g_str_has_prefix (warnings[1], "BROKER_URL in .env"));
  g_assert_null (strstr (warnings[1], "hunter2"));
  g_assert_null (warnings[2]);
}

/* Only where Kubernetes puts it, and with what it puts there. */
static void
test_kubernetes (void)
{
  const char *const none[] = { NULL };
  const char *const options[] = { "BROKER_SUBJECT=jobs", "METRICS_PORT=tcp://10.0.0.1:80", NULL };
  g_autoptr (AmpsConfig) config =
      read_config ("BROKER_SUBJECT=jobs\nMETRICS_PORT=tcp://10.0.0.1:80", NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (amps_config_get_metrics_port (config), ==, 9090);
  g_assert_nonnull (strstr (amps_config_get_warnings (config)[0], "METRICS_PORT"));
  g_assert_null (amps_config_get_warnings (config)[1]);

  g_assert_null (amps_config_new (none, NULL, options, &error));
  g_assert_nonnull (strstr (error->message, "METRICS_PORT=tcp://10.0.0.1:80"));
}

static void
test_embedded (void)
{
  g_autoptr (AmpsConfig) config = read_config (
      "BROKER_SUBJECT=jobs\nBROKER_HOST=sqlite:///queue.db\nBROKER_TYPE=embedded", NULL, NULL);
  g_autoptr (AmpsConfig) named = read_config (
      "BROKER_SUBJECT=jobs\nBROKER_HOST=sqlite::memory:\nDEAD_LETTER_QUEUE=bin", NULL, NULL);

  g_assert_cmpstr (amps_config_get_broker_type (config), ==, "embedded");
  g_assert_cmpstr (amps_config_get_dead_letter_queue (config), ==, "jobs.dead");
  g_assert_cmpstr (amps_config_get_broker_uris (named)[0], ==, "sqlite::memory:");
  g_assert_cmpstr (amps_config_get_dead_letter_queue (named), ==, "bin");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/defaults", test_defaults);
  g_test_add_func ("/config/bad-values", test_bad_values);
  g_test_add_func ("/config/api-socket", test_api_socket);
  g_test_add_func ("/config/all-errors-at-once", test_all_errors_at_once);
  g_test_add_func ("/config/secrets", test_secrets);
  g_test_add_func ("/config/kubernetes", test_kubernetes);
  g_test_add_func ("/config/embedded", test_embedded);
  g_test_add ("/config/secret-files", Fixture, NULL, set_up, test_secret_files, tear_down);
  g_test_add ("/config/bad-reload", Fixture, NULL, set_up, test_bad_reload, tear_down);
  g_test_add ("/config/backend-is-asked", Fixture, NULL, set_up, test_backend_is_asked, tear_down);
  g_test_add ("/config/reload-is-whole", Fixture, NULL, set_up, test_reload_is_whole, tear_down);
  g_test_add ("/config/precedence", Fixture, NULL, set_up, test_precedence, tear_down);
  g_test_add ("/config/bad-dotenv", Fixture, NULL, set_up, test_bad_dotenv, tear_down);
  g_test_add ("/config/misspelt", Fixture, NULL, set_up, test_misspelt, tear_down);
  return g_test_run ();
}
