/* SPDX-License-Identifier: MIT */
#include "base/amps-pairs.h"
#include "event/amps-json-scanner.h"
#include "telemetry/amps-otlp-json.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* Whatever an event calls itself, what is sent is JSON and of a limited size, and another
 * parser finds the same text in it. Any answer of a collector can be read. */

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static char *
get_name (JsonNode *root)
{
  g_autoptr (JsonNode) found =
      json_path_query ("$.resourceSpans[0].scopeSpans[0].spans[0].name", root, NULL);

  return g_strdup (json_array_get_string_element (json_node_get_array (found), 0));
}

static void
check_request (const char *text)
{
  static const char *const none[] = { NULL };
  g_auto (GStrv) pairs = amps_pairs_parse (text);
  AmpsTraceContext places[2] = { 0 };
  AmpsSpan span = { .operation = "process",
                    .target = text,
                    .tracestate = text,
                    .begun = 1,
                    .parent = strlen (text) % 2 == 0 ? &places[0] : NULL,
                    .remote = TRUE,
                    .links = places,
                    .n_links = strlen (text) % 3 };
  g_autoptr (GString) json = g_string_new (NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;

  /* They are places in a trace, whatever is in them. */
  memcpy (places, text, MIN (strlen (text), sizeof places));
  amps_span_add_text (&span, "text", text);
  amps_span_add_number (&span, "number", text[0]);
  amps_span_fail (&span, text);
  amps_otlp_json_begin (json, none);
  amps_otlp_json_add_span (json, &span);
  amps_otlp_json_end (json);
  g_assert_cmpuint (json->len, <, 4 * 6 * AMPS_OTLP_MAX_TEXT + 2048);
  g_assert_true (amps_json_check (json->str, json->len, &error));
  g_assert_no_error (error);
  json_parser_load_from_data (parser, json->str, (gssize) json->len, &error);
  g_assert_no_error (error);

  name = get_name (json_parser_get_root (parser));
  g_assert_true (g_str_has_prefix (name, "process "));
  if (g_utf8_validate (text, -1, NULL) && strlen (text) <= AMPS_OTLP_MAX_TEXT)
    g_assert_cmpstr (name + strlen ("process "), ==, text);

  if (pairs == NULL)
    return;
  g_string_truncate (json, 0);
  amps_otlp_json_begin (json, (const char *const *) pairs);
  amps_otlp_json_end (json);
  g_assert_true (amps_json_check (json->str, json->len, &error));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup (size > 0 ? (const char *) data : "", size);
  g_autofree char *answer = g_memdup2 (data, size);

  amps_otlp_json_read_rejected (answer, size);
  check_request (text);
  return 0;
}
