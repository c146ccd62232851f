/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "config/amps-config-names.h"
#include "config/amps-config-table.h"
#include "config/amps-config.h"

#include <string.h>

/* What is wrong with each, and what was meant. */
static const char *const misspelt[][2] = {
  { "MAX_CONCURENCY", "MAX_CONCURRENCY" },
  { "MAX_CONCURRENY", "MAX_CONCURRENCY" },
  { "MAX_CONCURRENT", "MAX_CONCURRENCY" },
  { "MAX_CONCURRNECY", "MAX_CONCURRENCY" },
  { "MAXCONCURRENCY", "MAX_CONCURRENCY" },
  { "MAX-CONCURRENCY", "MAX_CONCURRENCY" },
  { "max_concurrency", "MAX_CONCURRENCY" },
  { "maxConcurrency", "MAX_CONCURRENCY" },
  { "AMPS_MAX_CONCURRENCY", "MAX_CONCURRENCY" },
  { "AMPS_PORT", "PORT" },
  { "WORKLOAD_ADRESS", "WORKLOAD_ADDRESS" },
  { "WORKLOAD_ADDRES", "WORKLOAD_ADDRESS" },
  { "WORKLAOD_ADDRESS", "WORKLOAD_ADDRESS" },
  { "WORKLOAD_READYPATH", "WORKLOAD_READY_PATH" },
  { "WORKLOAD_RESPONCE_TIMEOUT", "WORKLOAD_RESPONSE_TIMEOUT" },
  { "DEADLETTER_QUEUE", "DEAD_LETTER_QUEUE" },
  { "DEAD_LETTERS_QUEUE", "DEAD_LETTER_QUEUE" },
  { "DEAD_LETTER_QEUE", "DEAD_LETTER_QUEUE" },
  { "DEADLETER_QUEUE", "DEAD_LETTER_QUEUE" },
  { "BROKER_HOSTS", "BROKER_HOST" },
  { "BORKER_HOST", "BROKER_HOST" },
  { "BROKER_OHST", "BROKER_HOST" },
  { "BROKER_HSOT", "BROKER_HOST" },
  { "broker_host", "BROKER_HOST" },
  { "api_token", "API_TOKEN" },
  { "BROKER_DNS", "BROKER_DSN" },
  { "BROKER_SUBJCT", "BROKER_SUBJECT" },
  { "BROKER_SUBJETC", "BROKER_SUBJECT" },
  { "JOB_TIMOUT", "JOB_TIMEOUT" },
  { "HEARTBEAT_TIMEOUTS", "HEARTBEAT_TIMEOUT" },
  { "HEARTBEET_TIMEOUT", "HEARTBEAT_TIMEOUT" },
  { "METRIC_PORT", "METRICS_PORT" },
  { "METRICS_ENABLE", "METRICS_ENABLED" },
  { "QUEUE_DECLAER", "QUEUE_DECLARE" },
  { "RETRY_MAX_BACKOF", "RETRY_MAX_BACKOFF" },
  { "ENVIROMENT", "ENVIRONMENT" },
  { "API_TOKN", "API_TOKEN" },
  { "API_TOKN_FILE", "API_TOKEN_FILE" },
  { "API_TOKEN_FLIE", "API_TOKEN_FILE" },
  { "SENTRY_DNS", "SENTRY_DSN" },
  { "LOGFORMAT", "LOG_FORMAT" },
  { "EVENT_VALIDATON", "EVENT_VALIDATION" },
  { "OTEL_EXPORTER_OTLP_ENDPONT", "OTEL_EXPORTER_OTLP_ENDPOINT" },
  { "OTEL_SERVICE_NAMES", "OTEL_SERVICE_NAME" },
  { "OTEL_EXPORTER_OTLP_HEADER", "OTEL_EXPORTER_OTLP_HEADERS" },
};

/* What stands in environments out there: of shells, systemd, containers, Kubernetes
 * and its service links, CI, languages and the workloads themselves. */
static const char *const harmless[] = {
  "OTEL_TRACES_EXPORTER",
  "OTEL_LOGS_EXPORTER",
  "OTEL_METRICS_EXPORTER",
  "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
  "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
  "OTEL_EXPORTER_OTLP_CERTIFICATE",
  "OTEL_EXPORTER_OTLP_COMPRESSION",
  "OTEL_PROPAGATORS",
  "OTEL_LOG_LEVEL",
  "OTEL_BSP_SCHEDULE_DELAY",
  "OTEL_NODE_RESOURCE_DETECTORS",
  "OTEL_SERVICE_VERSION",
  "PATH",
  "HOME",
  "USER",
  "SHELL",
  "PWD",
  "OLDPWD",
  "LANG",
  "LC_ALL",
  "TERM",
  "HOSTNAME",
  "LOGNAME",
  "MAIL",
  "EDITOR",
  "PAGER",
  "DISPLAY",
  "TZ",
  "TMPDIR",
  "SHLVL",
  "LS_COLORS",
  "SSH_AUTH_SOCK",
  "SSH_CONNECTION",
  "XDG_RUNTIME_DIR",
  "XDG_DATA_DIRS",
  "XDG_SESSION_ID",
  "DBUS_SESSION_BUS_ADDRESS",
  "DBUS_SYSTEM_BUS_ADDRESS",
  "INVOCATION_ID",
  "JOURNAL_STREAM",
  "NOTIFY_SOCKET",
  "LISTEN_FDS",
  "LISTEN_PID",
  "MAINPID",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
  "CREDENTIALS_DIRECTORY",
  "STATE_DIRECTORY",
  "LOGS_DIRECTORY",
  "CONFIGURATION_DIRECTORY",
  "SYSTEMD_EXEC_PID",
  "MEMORY_PRESSURE_WATCH",
  /* Kubernetes */
  "KUBERNETES_PORT",
  "KUBERNETES_SERVICE_HOST",
  "KUBERNETES_SERVICE_PORT",
  "KUBERNETES_SERVICE_PORT_HTTPS",
  "KUBERNETES_PORT_443_TCP",
  "KUBERNETES_PORT_443_TCP_PORT",
  "KUBERNETES_PORT_443_TCP_ADDR",
  "KUBERNETES_PORT_443_TCP_PROTO",
  "MY_SERVICE_HOST",
  "MY_SERVICE_PORT",
  "MY_PORT",
  "POD_NAME",
  "POD_IP",
  "POD_NAMESPACE",
  "NODE_NAME",
  "NODE_IP",
  "METRICS_SERVICE_HOST",
  "METRICS_SERVICE_PORT",
  "METRICS_SERVICE_PORT_HTTP",
  "METRICS_PORT_9090_TCP",
  "METRICS_PORT_9090_TCP_ADDR",
  "METRICS_PORT_9090_TCP_PORT",
  "METRICS_PORT_9090_TCP_PROTO",
  "BROKER_PORT",
  "BROKER_SERVICE_HOST",
  "BROKER_SERVICE_PORT",
  "BROKER_PORT_5672_TCP",
  "BROKER_PORT_5672_TCP_ADDR",
  "WORKLOAD_PORT",
  "WORKLOAD_SERVICE_HOST",
  "WORKLOAD_SERVICE_PORT",
  "WORKLOAD_PORT_5050_TCP",
  "WORKER_PORT",
  "WORKER_SERVICE_HOST",
  "QUEUE_PORT",
  "QUEUE_SERVICE_HOST",
  "API_PORT",
  "API_SERVICE_HOST",
  "API_PORT_80_TCP_PORT",
  "JOB_PORT",
  "LOG_PORT",
  "AMPS_SERVICE_HOST",
  "AMPS_SERVICE_PORT",
  "AMPS_PORT_4000_TCP",
  "PORT_SERVICE_HOST",
  "DEBUG_PORT",
  "RABBITMQ_PORT_5672_TCP",
  "RABBITMQ_SERVICE_HOST",
  /* Containers and CI */
  "container",
  "CI",
  "GITHUB_TOKEN",
  "GITHUB_ACTIONS",
  "GITLAB_CI",
  "CI_JOB_ID",
  "CI_JOB_TOKEN",
  "CI_JOB_TIMEOUT",
  "CI_API_V4_URL",
  "CI_ENVIRONMENT_NAME",
  "CI_REGISTRY_PASSWORD",
  "BUILD_ID",
  "JOB_NAME",
  "JOB_ID",
  "JOB_URL",
  "JOB_COMPLETION_INDEX",
  "WORKSPACE",
  "DOCKER_HOST",
  "DOCKER_BUILDKIT",
  "COMPOSE_PROJECT_NAME",
  "ECS_CONTAINER_METADATA_URI",
  "AWS_REGION",
  "AWS_ACCESS_KEY_ID",
  "AWS_SESSION_TOKEN",
  "AWS_EXECUTION_ENV",
  "AWS_MAX_ATTEMPTS",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "AZURE_CLIENT_ID",
  "DYNO",
  "FLY_APP_NAME",
  "VAULT_ADDR",
  "VAULT_TOKEN",
  "CONSUL_HTTP_ADDR",
  "NOMAD_PORT_http",
  "NOMAD_ALLOC_ID",
  /* Environments of all sorts */
  "ENV",
  "APP_ENV",
  "NODE_ENV",
  "RAILS_ENV",
  "RACK_ENV",
  "FLASK_ENV",
  "APP_ENVIRONMENT",
  "DEPLOY_ENVIRONMENT",
  "ENVIRONMENT_NAME",
  "ENVIRONMENT_ID",
  "ENVIRONMENT_TYPE",
  "ENV_NAME",
  "SENTRY_ENVIRONMENT",
  "DD_ENV",
  "ASPNETCORE_ENVIRONMENT",
  "DOTNET_ENVIRONMENT",
  "ENVIRON",
  "BASH_ENV",
  "VIRTUAL_ENV",
  /* Languages and libraries */
  "PYTHONPATH",
  "PYTHONUNBUFFERED",
  "GOPATH",
  "GOMAXPROCS",
  "GODEBUG",
  "JAVA_HOME",
  "JAVA_OPTS",
  "NODE_OPTIONS",
  "NODE_DEBUG",
  "RUST_LOG",
  "RUST_BACKTRACE",
  "G_MESSAGES_DEBUG",
  "G_DEBUG",
  "G_SLICE",
  "GIO_EXTRA_MODULES",
  "LD_LIBRARY_PATH",
  "LD_PRELOAD",
  "MALLOC_ARENA_MAX",
  "ASAN_OPTIONS",
  "TSAN_OPTIONS",
  "SOUP_FORCE_HTTP1",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "REQUESTS_CA_BUNDLE",
  "NODE_EXTRA_CA_CERTS",
  "http_proxy",
  "HTTPS_PROXY",
  "no_proxy",
  "npm_config_port",
  "WEB_CONCURRENCY",
  "RAILS_MAX_THREADS",
  "GUNICORN_CMD_ARGS",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_SERVICE_NAME",
  "OTEL_METRICS_EXPORTER",
  "DD_AGENT_HOST",
  "DD_TRACE_ENABLED",
  "LOG_LEVEL",
  "LOGLEVEL",
  "LOG_FILE",
  "LOG_DIR",
  "LOG_FORMATTER",
  "DEBUG_LEVEL",
  "DEBUGGER",
  "VERBOSE",
  "debug",
  "port",
  "PORTS",
  "HTTP_PORT",
  "HTTPS_PORT",
  "GRPC_PORT",
  "HOST",
  "HOSTS",
  "POST",
  "SPORT",
  "METRICS",
  "METRICS_PATH",
  "METRICS_HOST",
  "METRICS_ADDR",
  /* Workloads */
  "DATABASE_URL",
  "REDIS_URL",
  "RABBITMQ_URL",
  "AMQP_URL",
  "BROKER_URL",
  "CELERY_BROKER_URL",
  "RABBITMQ_DEFAULT_USER",
  "RABBITMQ_DEFAULT_PASS",
  "RABBITMQ_NODENAME",
  "MQ_HOST",
  "QUEUE_NAME",
  "QUEUE_URL",
  "QUEUE_SIZE",
  "QUEUE_CONNECTION",
  "QUEUE_DRIVER",
  "WORKER_COUNT",
  "WORKERS",
  "WORKER_CLASS",
  "WORKER_NAME",
  "WORKER_IP",
  "WORKER_TIMEOUT",
  "MAX_WORKERS",
  "MAX_RETRIES",
  "MAX_CONNECTIONS",
  "MAX_POOL_SIZE",
  "MAX_BATCH_SIZE",
  "MAX_FILE_SIZE",
  "MAX_MEMORY",
  "RETRY_DELAY",
  "RETRY_COUNT",
  "RETRY_MAX",
  "TIMEOUT",
  "HTTP_TIMEOUT",
  "DB_TIMEOUT",
  "READ_TIMEOUT",
  "API_KEY",
  "API_HOST",
  "API_URI",
  "API_SECRET",
  "API_VERSION",
  "APP_URL",
  "APP_TOKEN",
  "APP_PORT",
  "APP_KEY",
  "AI_TOKEN",
  "BASE_URL",
  "TOKEN",
  "SECRET",
  "ACCESS_TOKEN",
  "AUTH_TOKEN",
  "BOT_TOKEN",
  "SLACK_TOKEN",
  "SENTRY_RELEASE",
  "SENTRY_ORG",
  "SENTRY_AUTH_TOKEN",
  "EVENT_NAME",
  "EVENT_TYPE",
  "EVENT_SOURCE",
  "K_SINK",
  "K_CE_OVERRIDES",
  "DEAD_LETTER_EXCHANGE",
  "DRAIN_URL",
  "TRAIN_TIMEOUT",
  "S3_BUCKET",
  "FILE",
  "SETTINGS_FILE",
  "PASSWORD_FILE",
  "POSTGRES_PASSWORD_FILE",
  "PGHOST",
  "PGPORT",
  "MYSQL_HOST",
  "SMTP_PORT",
  "SMTP_HOST",
  "AMPS",
  "AMPS_LOCALEDIR",
  "AMPS_TEST_NPM",
  "AMPSLOCK",
  "_",
  "__",
  "A",
  "AMPS_",
  "BROKER_",
  "_FILE",
  "BASH_FUNC_which%%",
  "ProgramFiles(x86)",
};

static void
test_misspelt (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (misspelt); i++)
    {
      g_autofree char *likely = amps_config_names_guess (misspelt[i][0], FALSE);
      g_autofree char *in_dotenv = amps_config_names_guess (misspelt[i][0], TRUE);

      g_test_message ("%s", misspelt[i][0]);
      g_assert_cmpstr (likely, ==, misspelt[i][1]);
      g_assert_cmpstr (in_dotenv, ==, misspelt[i][1]);
    }
}

static void
test_harmless (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (harmless); i++)
    {
      g_autofree char *likely = amps_config_names_guess (harmless[i], FALSE);

      g_test_message ("%s", harmless[i]);
      g_assert_cmpstr (likely, ==, NULL);
    }
}

/* None of ours looks like another one that is ours. */
static void
test_ours (void)
{
  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      g_autofree char *itself = amps_config_names_guess (amps_variables[i].name, TRUE);

      g_assert_cmpstr (itself, ==, NULL);
    }
}

/* A file that is AMPS's needs only to begin like one of ours. */
static void
test_dotenv (void)
{
  const char *const cases[][2] = {
    { "BROKER_URL", "BROKER_HOST" },
    { "BROKER_QUEUE", "BROKER_" },
    { "WORKLOAD_URL", "WORKLOAD_" },
    { "DEAD_LETTER_EXCHANGE", "DEAD_LETTER_QUEUE" },
    { "LOG_LEVEL", "LOG_FORMAT" },
    { "PROT", "PORT" },
    { "debug", "DEBUG" },
    { "DEBUG_LEVEL", "DEBUG" },
    { "WORKLOAD_BATCH", "WORKLOAD_BATCH_SIZE" },
    { "DATABASE_URL", NULL },
    { "REDIS_HOST", NULL },
    { "POSTGRES_PASSWORD", NULL },
    { "PORTAL_URL", NULL },
    { "LOGIN_URL", NULL },
    { "HOST", NULL },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *likely = amps_config_names_guess (cases[i][0], TRUE);

      g_test_message ("%s: %s", cases[i][0], likely);
      if (cases[i][1] == NULL || likely == NULL)
        g_assert_cmpstr (likely, ==, cases[i][1]);
      else
        g_assert_true (g_str_has_prefix (likely, cases[i][1]));
    }
}

static void
test_options (void)
{
  const char *const cases[][2] = {
    { "--max-concurency=20", "--max-concurrency" },
    { "--max_concurrency", "--max-concurrency" },
    { "--MAX_CONCURRENCY=1", "--max-concurrency" },
    { "-port", "--port" },
    { "--prot", "--port" },
    { "--broker-dsn=x", "--broker-host" },
    { "--check-confg", "--check-config" },
    { "--api-tokn-file=x", "--api-token-file" },
    { "--versoin", "--version" },
    { "--verbose", NULL },
    { "--xyz", NULL },
    { "--", NULL },
    { "", NULL },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *likely = amps_config_names_guess_option (cases[i][0]);

      g_test_message ("%s", cases[i][0]);
      g_assert_cmpstr (likely, ==, cases[i][1]);
    }
}

/* Which names are warned of, and never with a value. */
static void
test_warnings (void)
{
  const char *const environment[] = {
    "MAX_CONCURENCY=hunter2",      "METRIC_PORT=tcp://10.0.0.1:9090",
    "BROKER_URL=hunter2",          "API_TOKN=",
    "BROKER_SUBJECT_FILE=hunter2", "PORT_FILE=hunter2",
    "API_TOKEN_FILE=hunter2",      "WORKLOAD_CA_FILE=/x",
    "WORKLOAD_KEY_FILE_FILE=/x",   "nonsense",
    "MAX_CONCURENCY=again",        NULL
  };
  const char *const dotenv[] = { "BROKER_URL=hunter2", "DATABASE_URL=hunter2", "PORT_FILE=hunter2",
                                 NULL };
  const char *const expected[][2] = {
    { "MAX_CONCURENCY in the environment ", " MAX_CONCURRENCY?" },
    { "BROKER_SUBJECT_FILE in the environment ", " BROKER_SUBJECT" },
    { "WORKLOAD_KEY_FILE_FILE in the environment ", " WORKLOAD_KEY_FILE" },
    { "BROKER_URL in .env ", " BROKER_HOST?" },
    { "PORT_FILE in .env ", " PORT" },
  };
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);

  amps_config_names_check (environment, dotenv, warnings);
  for (unsigned int i = 0; i < warnings->len; i++)
    {
      g_test_message ("%s", (char *) warnings->pdata[i]);
      g_assert_cmpuint (i, <, G_N_ELEMENTS (expected));
      g_assert_true (g_str_has_prefix (warnings->pdata[i], expected[i][0]));
      g_assert_true (g_str_has_suffix (warnings->pdata[i], expected[i][1]));
      g_assert_null (strstr (warnings->pdata[i], "hunter2"));
    }
  g_assert_cmpuint (warnings->len, ==, G_N_ELEMENTS (expected));
}

/* Where it may be the reason of an error, it is shown beside that. */
static void
test_beside_errors (void)
{
  const char *const none[] = { NULL };
  const char *const environment[] = { "BROKER_SUBJET=jobs", NULL };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_null (amps_config_new (environment, NULL, none, &error));
  lines = g_strsplit (error->message, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 2);
  g_assert_true (g_str_has_prefix (lines[0], "BROKER_SUBJECT is required"));
  g_assert_true (g_str_has_prefix (lines[1], "BROKER_SUBJET in the environment"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-names/misspelt", test_misspelt);
  g_test_add_func ("/config-names/harmless", test_harmless);
  g_test_add_func ("/config-names/ours", test_ours);
  g_test_add_func ("/config-names/dotenv", test_dotenv);
  g_test_add_func ("/config-names/options", test_options);
  g_test_add_func ("/config-names/warnings", test_warnings);
  g_test_add_func ("/config-names/beside-errors", test_beside_errors);
  return g_test_run ();
}
