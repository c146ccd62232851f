/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-otlp-resource.h"

#include "base/amps-pairs.h"

static const char *
find_pair (char **pairs, const char *name)
{
  for (char **pair = pairs; pair != NULL && *pair != NULL; pair += 2)
    {
      if (g_str_equal (pair[0], name))
        return pair[1];
    }

  return NULL;
}

/* @value: unless the user says something else */
static void
add_resource (GStrvBuilder *resource, char **given, const char *name, const char *value)
{
  if (find_pair (given, name) != NULL)
    return;

  g_strv_builder_add (resource, name);
  g_strv_builder_add (resource, value);
}

/**
 * amps_otlp_resource_new:
 * @config: the settings
 *
 * Says whose spans they are, by the conventions for resources,
 * https://opentelemetry.io/docs/specs/semconv/resource/
 *
 * Returns: (transfer full): a name, its value, the next name and so on
 */
char **
amps_otlp_resource_new (AmpsConfig *config)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);

  g_autoptr (GStrvBuilder) resource = g_strv_builder_new ();
  const char *text = amps_config_get_resource_attributes (config);
  const char *service = amps_config_get_service_name (config);
  g_auto (GStrv) given = text != NULL ? amps_pairs_parse (text) : NULL;

  /* The variable of its own wins. */
  if (service == NULL)
    service = find_pair (given, "service.name");
  g_strv_builder_add (resource, "service.name");
  g_strv_builder_add (resource, service != NULL ? service : "amps");
  for (char **pair = given; pair != NULL && *pair != NULL; pair += 2)
    {
      if (g_str_equal (pair[0], "service.name"))
        continue;
      g_strv_builder_add (resource, pair[0]);
      g_strv_builder_add (resource, pair[1]);
    }

  add_resource (resource, given, "service.version", AMPS_VERSION);
  add_resource (resource, given, "service.instance.id", amps_config_get_worker_id (config));
  add_resource (resource, given, "telemetry.sdk.name", "amps");
  add_resource (resource, given, "telemetry.sdk.language", "c");
  add_resource (resource, given, "telemetry.sdk.version", AMPS_VERSION);
  return g_strv_builder_end (resource);
}
