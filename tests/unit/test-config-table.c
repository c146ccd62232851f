/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "base/amps-error.h"
#include "config/amps-config-parse.h"
#include "config/amps-config-private.h"

#include <string.h>

/* A value that a setting may have, which is not its default, and one that it may not. */
typedef struct {
  const char *good; /* (nullable) only if it must name a file that is good, too */
  const char *bad;
  gint64 number; /* what the good one is, if not a text alone */
} Sample;

static const Sample samples[N_VARIABLES] = {
  [VARIABLE_BROKER_HOST] = { "amqp://host/v", "a\tb" },
  [VARIABLE_BROKER_TYPE] = { "amqp", "a\tb" },
  [VARIABLE_BROKER_SUBJECT] = { "mail", "a\tb" },
  [VARIABLE_QUEUE_DECLARE] = { "auto", "always", AMPS_QUEUE_DECLARE_AUTO },
  [VARIABLE_QUEUE_TYPE] = { "classic", "stream", AMPS_QUEUE_TYPE_CLASSIC },
  [VARIABLE_WORKER_ID] = { "me", "a\tb" },
  [VARIABLE_MAX_CONCURRENCY] = { "65535", "65536", 65535 },
  [VARIABLE_JOB_TIMEOUT] = { "8760h", "8761h", G_GINT64_CONSTANT (31536000) * G_USEC_PER_SEC },
  [VARIABLE_HEARTBEAT_TIMEOUT] = { "4s", "-1s", 4 * G_USEC_PER_SEC },
  [VARIABLE_WORKLOAD_ADDRESS] = { "http://w", "w:5050" },
  [VARIABLE_WORKLOAD_RESPONSE_TIMEOUT] = { "1ms", "0", 1000 },
  [VARIABLE_WORKLOAD_MODE] = { "sync", "batch", AMPS_WORKLOAD_MODE_SYNC },
  [VARIABLE_WORKLOAD_CONTENT_TYPE] = { "a/b", "a" },
  [VARIABLE_WORKLOAD_BATCH_SIZE] = { "1000", "1001", 1000 },
  [VARIABLE_WORKLOAD_BATCH_WAIT] = { "7ms", "61s", 7000 },
  [VARIABLE_WORKLOAD_RESTART] = { "keep", "retry", AMPS_WORKLOAD_RESTART_KEEP },
  [VARIABLE_WORKLOAD_READY_PATH] = { "/ready", "ready" },
  [VARIABLE_WORKLOAD_CA_FILE] = { NULL, "a\tb" },
  [VARIABLE_WORKLOAD_CERT_FILE] = { NULL, "a\tb" },
  [VARIABLE_WORKLOAD_KEY_FILE] = { NULL, "a\tb" },
  [VARIABLE_MAX_ATTEMPTS] = { "2147483647", "2147483648", G_MAXINT32 },
  [VARIABLE_RETRY_MIN_BACKOFF] = { "9s", "0", 9 * G_USEC_PER_SEC },
  [VARIABLE_RETRY_MAX_BACKOFF] = { "10m", "never", 600 * G_USEC_PER_SEC },
  [VARIABLE_DEAD_LETTER_QUEUE] = { "bin", "a\tb" },
  [VARIABLE_DEAD_LETTER_MODE] = { "broker", "discard", AMPS_DEAD_LETTER_MODE_BROKER },
  [VARIABLE_EVENT_VALIDATION] = { "strict", "none", AMPS_EVENT_VALIDATION_STRICT },
  [VARIABLE_DRAIN_TIMEOUT] = { "11s", "11", 11 * G_USEC_PER_SEC },
  [VARIABLE_PORT] = { "65535", "65536", 65535 },
  [VARIABLE_METRICS_ENABLED] = { "false", "no", FALSE },
  [VARIABLE_METRICS_PORT] = { "65535", "0", 65535 },
  [VARIABLE_API_URL] = { "https://api/x", "api" },
  [VARIABLE_API_SOCKET] = { "/run/amps.sock", "amps.sock" },
  [VARIABLE_API_SOCKET_MODE] = { "0624", "624", 0624 },
  [VARIABLE_API_TOKEN] = { "token", "two words" },
  [VARIABLE_API_ALLOW_REMOTE] = { "true", "on", TRUE },
  [VARIABLE_MAX_BODY_SIZE] = { "128MiB", "129MiB", 128 << 20 },
  [VARIABLE_MAX_IN_FLIGHT_BYTES] = { "15GiB", "1B", G_GINT64_CONSTANT (15) << 30 },
  [VARIABLE_LOG_FORMAT] = { "journal", "xml", AMPS_LOG_JOURNAL },
  [VARIABLE_DEBUG] = { "true", "2", TRUE },
  [VARIABLE_SENTRY_DSN] = { "https://key@host/1", "https://host/1" },
  [VARIABLE_ENVIRONMENT] = { "test", "a\tb" },
  [VARIABLE_DBUS_BUS] = { "system", "bus", 2 },
  [VARIABLE_OTEL_EXPORTER_OTLP_ENDPOINT] = { "http://c:4318", "c:4318" },
  [VARIABLE_OTEL_EXPORTER_OTLP_TRACES_ENDPOINT] = { "http://c/t", "grpc://c" },
  [VARIABLE_OTEL_EXPORTER_OTLP_HEADERS] = { "a=1", "a" },
  [VARIABLE_OTEL_EXPORTER_OTLP_PROTOCOL] = { "http/protobuf", "http", 1 },
  [VARIABLE_OTEL_EXPORTER_OTLP_TIMEOUT] = { "3600000", "10s", 3600000 },
  [VARIABLE_OTEL_SERVICE_NAME] = { "mail", "a\tb" },
  [VARIABLE_OTEL_RESOURCE_ATTRIBUTES] = { "b=2", "b" },
  [VARIABLE_OTEL_TRACES_SAMPLER] = { "traceidratio", "random", AMPS_TRACE_SAMPLING_RATIO },
  [VARIABLE_OTEL_TRACES_SAMPLER_ARG] = { "0.25", "1.1" },
  [VARIABLE_OTEL_TRACES_EXPORTER] = { "none", "zipkin", 1 },
  [VARIABLE_OTEL_SDK_DISABLED] = { "true", "yes", TRUE },
};

/* What allows each kind in the manual, beside words and bounds; nothing where a text may also be
 * what another rule says. */
static const char *const kinds[KIND_SIZE + 1] = {
  [KIND_TOKEN] = "visible ASCII characters",
  [KIND_MEDIA_TYPE] = "a media type",
  [KIND_ADDRESS] = "`http://…`, `https://…`, `unix:/path`",
  [KIND_BASE_URL] =
      "an `http://…` or `https://…` URL without a user, a query or a slash at its end",
  [KIND_COLLECTOR] = "`http://…`, `https://…`",
  [KIND_PAIRS] = "`name=value,…`",
  [KIND_RATIO] = "0 to 1",
  [KIND_PATH] = "a path",
  [KIND_MODE] = "four octal digits",
  [KIND_SENTRY_DSN] = "`https://KEY@HOST/PROJECT`",
  [KIND_BUS] = "an address",
  [KIND_BOOLEAN] = "boolean",
};

static AmpsConfig *
read_setting (const AmpsVariableInfo *info, const char *value, GError **error)
{
  static const char *const none[] = { NULL };
  g_autofree char *setting = g_strconcat (info->name, "=", value, NULL);
  const char *const options[] = { setting, NULL };
  const char *const environment[] = { "BROKER_SUBJECT=jobs", NULL };

  return amps_config_new (environment, NULL, value != NULL ? options : none, error);
}

static void
assert_text (const char *value, const Sample *sample)
{
  g_assert_cmpstr (value, ==, sample->good);
}

static void
assert_number (gint64 value, const Sample *sample)
{
  g_assert_cmpint (value, ==, sample->number);
}

/* Each gives the setting of its name, whole. */
static void
test_getters (void)
{
#define INNER_SETTING(...)
#define SETTING(NAME, type, getter, ...)                                                             \
  {                                                                                                  \
    const Sample *sample = &samples[VARIABLE_##NAME];                                                \
    g_autoptr (AmpsConfig) config =                                                                  \
        read_setting (&amps_variables[VARIABLE_##NAME], sample->good, NULL);                         \
                                                                                                     \
    g_test_message ("%s", #NAME);                                                                    \
    _Generic((type) 0, const char * : assert_text, default : assert_number) (                      \
        amps_config_get_##getter (config), sample); \
  }
#include "config/amps-config-settings.h"
}

static void
test_good (void)
{
  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      const AmpsVariableInfo *info = &amps_variables[i];
      g_autoptr (GError) error = NULL;
      g_autoptr (AmpsConfig) config = read_setting (info, samples[i].good, &error);

      g_test_message ("%s", info->name);
      g_assert_no_error (error);
      if (samples[i].good == NULL)
        {
          g_assert_true (g_str_has_suffix (info->name, "_FILE"));
          continue;
        }
      g_assert_cmpstr (samples[i].good, !=, info->fallback);
      g_assert_cmpstr (amps_config_get_text (config, i), ==, samples[i].good);
      g_assert_cmpint (amps_config_get_number (config, i), ==, samples[i].number);
    }
}

/* The error shows which one, and whatever is no secret of the value. */
static void
test_bad (void)
{
  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      const AmpsVariableInfo *info = &amps_variables[i];
      g_autofree char *shown = NULL;
      g_autofree char *begin = NULL;
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", info->name);
      g_assert_nonnull (samples[i].bad);
      shown = amps_variable_redact (info, samples[i].bad);
      begin = g_strdup_printf ("%s=%s: must ", info->name, shown);
      g_assert_null (read_setting (info, samples[i].bad, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
      g_assert_true (g_str_has_prefix (error->message, begin));
      g_assert_null (strchr (error->message, '\n'));
    }
}

/* The manual */

/* All that is wrong is to be said, and not the first mistake alone. */
G_GNUC_PRINTF (1, 2)
static void
complain (const char *format, ...)
{
  va_list arguments;
  g_autofree char *text = NULL;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_test_message (MANUAL ": %s", text);
  g_test_fail ();
}

static void
expect (const AmpsVariableInfo *info, const char *cell, const char *text)
{
  if (strstr (cell, text) == NULL)
    complain ("the row of %s must say %s where it says %s", info->name, text, cell);
}

static char *
read_manual (void)
{
  g_autofree char *manual = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (MANUAL, &manual, NULL, &error);
  g_assert_no_error (error);
  return g_steal_pointer (&manual);
}

/* The cells of each row by the name of its setting; the first one is empty. */
static GHashTable *
read_rows (void)
{
  GHashTable *rows =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_strfreev);
  g_autofree char *manual = read_manual ();
  g_auto (GStrv) lines = g_strsplit (manual, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    {
      char **cells;

      if (!g_str_has_prefix (*line, "| `"))
        continue;
      cells = g_strsplit (*line, "|", -1);
      for (char **cell = cells; *cell != NULL; cell++)
        g_strstrip (*cell);
      g_assert_cmpuint (g_strv_length (cells), ==, 6);
      if (!g_hash_table_insert (rows, cells[1], cells))
        complain ("there are two rows of %s", cells[1]);
    }

  return rows;
}

static void
expect_bounds (const AmpsVariableInfo *info, const char *allowed)
{
  g_autofree char *minimum = amps_variable_format_amount (info, info->minimum);
  g_autofree char *maximum = amps_variable_format_amount (info, info->maximum);
  g_autofree char *text = NULL;

  if (info->kind == KIND_NUMBER || info->kind == KIND_DURATION || info->kind == KIND_SIZE)
    text = g_strdup_printf ("%s to %s", minimum, maximum);
  else if (info->maximum != 0)
    text = g_strdup_printf ("at most %s bytes", maximum);
  if (text != NULL)
    expect (info, allowed, text);
}

static void
expect_row (const AmpsVariableInfo *info, char **cells)
{
  g_autofree char *fallback = g_strdup_printf ("`%s`", info->fallback);
  g_autofree char *alias = g_strdup_printf ("`%s` is another name for it", info->alias);

  if (info->fallback == NULL ? !g_str_has_prefix (cells[2], "none")
                             : !g_str_equal (cells[2], fallback))
    complain ("the default of %s is %s, not %s", info->name,
              info->fallback != NULL ? fallback : "none", cells[2]);
  if (kinds[info->kind] != NULL)
    expect (info, cells[3], kinds[info->kind]);
  expect_bounds (info, cells[3]);
  for (unsigned int i = 0; info->words[i] != NULL; i++)
    {
      g_autofree char *word = g_strdup_printf ("`%s`", info->words[i]);

      expect (info, cells[3], word);
    }
  if (info->alias != NULL)
    expect (info, cells[4], alias);
}

/* It has a row for each, with its default and what is allowed, and no others. */
static void
test_manual (void)
{
  g_autoptr (GHashTable) rows = read_rows ();
  GHashTableIter iter;
  gpointer name;

  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      g_autofree char *key = g_strdup_printf ("`%s`", amps_variables[i].name);
      char **cells = g_hash_table_lookup (rows, key);

      if (cells == NULL)
        complain ("there is no row of `%s`", amps_variables[i].name);
      else
        expect_row (&amps_variables[i], cells);
      g_hash_table_remove (rows, key);
    }

  g_hash_table_iter_init (&iter, rows);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    complain ("%s is no setting", (char *) name);
}

/* Of each that a file may hold it says so, and of no other. */
static void
test_manual_of_secrets (void)
{
  g_autofree char *manual = read_manual ();
  const char *section = strstr (manual, "\n### Secrets\n");
  const char *end = section != NULL ? strstr (section, " can hold a secret.") : NULL;

  g_assert_nonnull (end);
  for (unsigned int i = 0; i < N_VARIABLES; i++)
    {
      const AmpsVariableInfo *info = &amps_variables[i];
      g_autofree char *name = g_strdup_printf ("`%s`", info->name);
      g_autofree char *alias = g_strdup_printf ("`%s`", info->alias);

      g_test_message ("%s", info->name);
      g_assert_true ((g_strstr_len (section, end - section, name) != NULL) == info->from_file);
      g_assert_true (!info->from_file || info->alias == NULL ||
                     g_strstr_len (section, end - section, alias) != NULL);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-table/getters", test_getters);
  g_test_add_func ("/config-table/good", test_good);
  g_test_add_func ("/config-table/bad", test_bad);
  g_test_add_func ("/config-table/manual", test_manual);
  g_test_add_func ("/config-table/manual-of-secrets", test_manual_of_secrets);
  return g_test_run ();
}
