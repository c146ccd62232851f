/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-config-private.h"

#include <glib/gi18n-lib.h>

/* Settings that OpenTelemetry has in common for all programs. What they mean is in
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */

#define SIGNAL_PATH "v1/traces"

/* In the order of their words. */
enum {
  PROTOCOL_JSON,
  PROTOCOL_PROTOBUF,
  PROTOCOL_GRPC,
};

enum {
  EXPORTER_OTLP,
  EXPORTER_NONE,
};

static gboolean
is_off (AmpsConfig *self)
{
  return amps_config_get_number (self, VARIABLE_OTEL_SDK_DISABLED) != 0 ||
         amps_config_get_number (self, VARIABLE_OTEL_TRACES_EXPORTER) == EXPORTER_NONE;
}

/**
 * amps_config_dup_traces_url:
 * @self: the settings
 *
 * Returns: (transfer full) (nullable): where spans are sent; %NULL if none are recorded
 */
char *
amps_config_dup_traces_url (AmpsConfig *self)
{
  const char *whole = amps_config_get_text (self, VARIABLE_OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
  const char *base = amps_config_get_text (self, VARIABLE_OTEL_EXPORTER_OTLP_ENDPOINT);

  if (is_off (self))
    return NULL;
  if (whole != NULL || base == NULL)
    return g_strdup (whole);

  return g_strconcat (base, g_str_has_suffix (base, "/") ? "" : "/", SIGNAL_PATH, NULL);
}

/**
 * amps_config_get_trace_ratio:
 * @self: the settings
 *
 * Returns: the share of traces that a sampler by ratio records, from 0 to 1
 */
double
amps_config_get_trace_ratio (AmpsConfig *self)
{
  return g_ascii_strtod (amps_config_get_text (self, VARIABLE_OTEL_TRACES_SAMPLER_ARG), NULL);
}

/* For the settings, which may not be valid yet. A collector takes JSON wherever it takes
 * protobuf (OTLP 1.x, OTLP/HTTP Request), but not where it speaks gRPC.
 * Returns: (transfer full) (nullable): what is wrong with the protocol */
char *
amps_config_find_otlp_problem (AmpsConfig *self, gboolean *fatal)
{
  gint64 protocol = amps_config_get_number (self, VARIABLE_OTEL_EXPORTER_OTLP_PROTOCOL);
  g_autofree char *url = amps_config_dup_traces_url (self);

  *fatal = protocol == PROTOCOL_GRPC;
  if (url == NULL || protocol == PROTOCOL_JSON)
    return NULL;
  if (protocol == PROTOCOL_PROTOBUF)
    return g_strdup ("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf: AMPS sends http/json, which "
                     "collectors take at the same address");

  return g_strdup (_ ("OTEL_EXPORTER_OTLP_PROTOCOL=grpc: AMPS sends only http/json; set that, and "
                      "set the endpoint to the collector's port for HTTP, which is usually 4318"));
}
