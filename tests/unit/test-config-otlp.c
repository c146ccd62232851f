/* SPDX-License-Identifier: MIT */
#include "bad-settings.h"

#include <string.h>

static AmpsConfig *
read_config (const char *settings, GError **error)
{
  static const char *const none[] = { NULL };
  g_autofree char *text = g_strconcat ("BROKER_SUBJECT=jobs\n", settings, NULL);
  g_auto (GStrv) environment = g_strsplit (text, "\n", -1);

  return amps_config_new ((const char *const *) environment, NULL, none, error);
}

static void
test_ratio (void)
{
  g_autoptr (AmpsConfig) none = read_config ("", NULL);
  g_autoptr (AmpsConfig) quarter = read_config ("OTEL_TRACES_SAMPLER_ARG=0.25", NULL);

  g_assert_cmpfloat (amps_config_get_trace_ratio (none), ==, 1);
  g_assert_cmpfloat (amps_config_get_trace_ratio (quarter), ==, 0.25);
}

static void
test_url (void)
{
  static const struct {
    const char *settings;
    const char *url;
  } cases[] = {
    { "", NULL },
    { "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", "http://c:4318/v1/traces" },
    { "OTEL_EXPORTER_OTLP_ENDPOINT=HTTPS://c/", "https://c/v1/traces" },
    { "OTEL_EXPORTER_OTLP_ENDPOINT=http://c/p", "http://c/p/v1/traces" },
    { "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c/p", "http://c/p" },
    { "OTEL_EXPORTER_OTLP_ENDPOINT=http://a\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://b",
      "http://b" },
    { "OTEL_EXPORTER_OTLP_ENDPOINT=http://c\nOTEL_SDK_DISABLED=true", NULL },
    { "OTEL_EXPORTER_OTLP_ENDPOINT=http://c\nOTEL_TRACES_EXPORTER=none", NULL },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (AmpsConfig) config = read_config (cases[i].settings, &error);
      g_autofree char *url = NULL;

      g_assert_no_error (error);
      url = amps_config_dup_traces_url (config);
      g_assert_cmpstr (url, ==, cases[i].url);
      g_assert_null (amps_config_get_warnings (config)[0]);
    }
}

/* Nothing that may be a secret is shown. */
static void
test_bad (void)
{
  static const BadSetting bad[] = {
    { "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318", "http://collector:4318" },
    { "OTEL_EXPORTER_OTLP_ENDPOINT=http://u:Secret@c", "without a user" },
    { "OTEL_EXPORTER_OTLP_ENDPOINT=http://c?key=Secret", "a query" },
    { "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=grpc://c", "http://collector:4318" },
    { "OTEL_EXPORTER_OTLP_HEADERS=Secret", "name=value" },
    { "OTEL_EXPORTER_OTLP_HEADERS=a=%0aSecret", "name=value" },
    { "OTEL_RESOURCE_ATTRIBUTES=a", "%2C" },
    { "OTEL_TRACES_SAMPLER=jaeger_remote", "must be one of: always_on, always_off" },
    { "OTEL_TRACES_SAMPLER_ARG=1.1", "from 0 to 1" },
    { "OTEL_TRACES_SAMPLER_ARG=-0.1", "from 0 to 1" },
    { "OTEL_TRACES_SAMPLER_ARG=0x1", "from 0 to 1" },
    { "OTEL_TRACES_SAMPLER_ARG=.", "from 0 to 1" },
    { "OTEL_EXPORTER_OTLP_TIMEOUT=10s", "whole number" },
    { "OTEL_EXPORTER_OTLP_PROTOCOL=http", "must be one of: http/json" },
    { "OTEL_EXPORTER_OTLP_PROTOCOL=grpc\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c", "4318" },
  };

  assert_refused (bad, G_N_ELEMENTS (bad), read_config);
}

/* Others of the same host may need it. */
static void
test_protocol (void)
{
  g_autoptr (AmpsConfig) protobuf = read_config ("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
                                                 "OTEL_EXPORTER_OTLP_ENDPOINT=http://c",
                                                 NULL);
  g_autoptr (AmpsConfig) unused = read_config ("OTEL_EXPORTER_OTLP_PROTOCOL=grpc", NULL);
  g_autoptr (AmpsConfig) off =
      read_config ("OTEL_EXPORTER_OTLP_PROTOCOL=grpc\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c\n"
                   "OTEL_SDK_DISABLED=true",
                   NULL);

  g_assert_true (g_str_has_prefix (amps_config_get_warnings (protobuf)[0],
                                   "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf: "));
  g_assert_null (amps_config_get_warnings (protobuf)[1]);
  g_assert_null (amps_config_get_warnings (unused)[0]);
  g_assert_null (amps_config_get_warnings (off)[0]);
}

static void
test_shown (void)
{
  g_autoptr (AmpsConfig) config =
      read_config ("OTEL_EXPORTER_OTLP_HEADERS=Authorization=Secret", NULL);
  g_autofree char *text = amps_config_to_string (config);

  g_assert_nonnull (strstr (text, "OTEL_EXPORTER_OTLP_HEADERS=***\n"));
  g_assert_null (strstr (text, "Secret"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-otlp/ratio", test_ratio);
  g_test_add_func ("/config-otlp/url", test_url);
  g_test_add_func ("/config-otlp/bad", test_bad);
  g_test_add_func ("/config-otlp/protocol", test_protocol);
  g_test_add_func ("/config-otlp/shown", test_shown);
  return g_test_run ();
}
