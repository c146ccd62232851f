/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "telemetry/amps-otlp-resource.h"

#define REST                                                                                       \
  "service.version|" AMPS_VERSION "|service.instance.id|me|telemetry.sdk.name|amps|"               \
  "telemetry.sdk.language|c|telemetry.sdk.version|" AMPS_VERSION

static void
assert_resource (const char *settings, const char *expected)
{
  static const char *const none[] = { NULL };
  g_autofree char *text = g_strconcat ("BROKER_SUBJECT=jobs\nWORKER_ID=me\n", settings, NULL);
  g_auto (GStrv) environment = g_strsplit (text, "\n", -1);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsConfig) config =
      amps_config_new ((const char *const *) environment, NULL, none, &error);
  g_auto (GStrv) pairs = NULL;
  g_autofree char *joined = NULL;

  g_assert_no_error (error);
  pairs = amps_otlp_resource_new (config);
  joined = g_strjoinv ("|", pairs);
  g_assert_cmpstr (joined, ==, expected);
}

static void
test_resource (void)
{
  assert_resource ("", "service.name|amps|" REST);
  assert_resource ("OTEL_SERVICE_NAME=mail", "service.name|mail|" REST);
  assert_resource ("OTEL_RESOURCE_ATTRIBUTES=service.name=mail,k8s.pod.name=p%201",
                   "service.name|mail|k8s.pod.name|p 1|" REST);
  assert_resource ("OTEL_SERVICE_NAME=one\nOTEL_RESOURCE_ATTRIBUTES=service.name=two",
                   "service.name|one|" REST);
  assert_resource (
      "OTEL_RESOURCE_ATTRIBUTES=service.instance.id=i",
      "service.name|amps|service.instance.id|i|service.version|" AMPS_VERSION
      "|telemetry.sdk.name|amps|telemetry.sdk.language|c|telemetry.sdk.version|" AMPS_VERSION);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/otlp-resource/resource", test_resource);
  return g_test_run ();
}
