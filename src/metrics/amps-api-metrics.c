/* SPDX-License-Identifier: MIT */
#include "amps-api-metrics.h"

#define LABEL(name, label) label,
static const char *const calls[] = { AMPS_API_CALLS (LABEL) };
#undef LABEL

static const struct {
  unsigned int status; /* 0 for all others */
  const char *name;
} codes[] = {
  { 200, "200" }, { 202, "202" }, { 207, "207" }, { 400, "400" }, { 401, "401" },
  { 403, "403" }, { 404, "404" }, { 405, "405" }, { 409, "409" }, { 413, "413" },
  { 415, "415" }, { 500, "500" }, { 503, "503" }, { 0, "other" },
};
G_STATIC_ASSERT (G_N_ELEMENTS (codes) == AMPS_N_API_CODES);

/**
 * amps_api_metrics_count:
 * @self: the figures
 * @call: what was called
 * @status: the HTTP status of the answer
 */
void
amps_api_metrics_count (AmpsApiMetrics *self, AmpsApiCall call, unsigned int status)
{
  unsigned int code = 0;

  while (codes[code].status != 0 && codes[code].status != status)
    code++;
  self->counts[call][code]++;
}

/**
 * amps_api_metrics_append:
 * @self: the figures
 * @text: gets them
 * @format: what they are written in
 *
 * Writes only what has occurred: most pairs never do.
 */
void
amps_api_metrics_append (const AmpsApiMetrics *self, GString *text, AmpsMetricsFormat format)
{
  amps_metrics_text_append_header (text, format, "amps_api_requests_total", "counter",
                                   "Requests to the API that were answered.");
  for (unsigned int call = 0; call < AMPS_N_API_CALLS; call++)
    for (unsigned int code = 0; code < AMPS_N_API_CODES; code++)
      {
        if (self->counts[call][code] > 0)
          g_string_append_printf (
              text, "amps_api_requests_total{call=\"%s\",code=\"%s\"} %" G_GUINT64_FORMAT "\n",
              calls[call], codes[code].name, self->counts[call][code]);
      }
}
