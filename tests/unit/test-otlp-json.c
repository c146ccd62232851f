/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "telemetry/amps-otlp-json.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"

static AmpsTraceContext
make_context (const char *span_id, const char *flags)
{
  g_autofree char *text = g_strdup_printf ("00-" TRACE "-%s-%s", span_id, flags);
  AmpsTraceContext context;

  g_assert_true (amps_trace_context_parse (&context, text));
  return context;
}

static void
assert_span (const AmpsSpan *span, const char *expected)
{
  g_autoptr (GString) json = g_string_new (NULL);

  amps_otlp_json_add_span (json, span);
  g_assert_cmpstr (json->str, ==, expected);
}

static void
test_least (void)
{
  AmpsSpan span = {
    .context = make_context ("b7ad6b7169203331", "01"),
    .operation = "POST",
    .kind = AMPS_SPAN_CLIENT,
    .begun = 1544712660000001,
    .ended = 1544712661000002,
  };

  assert_span (&span, "{\"traceId\":\"" TRACE "\",\"spanId\":\"b7ad6b7169203331\",\"flags\":257,"
                      "\"name\":\"POST\",\"kind\":3,"
                      "\"startTimeUnixNano\":\"1544712660000001000\","
                      "\"endTimeUnixNano\":\"1544712661000002000\",\"attributes\":[]}");
}

static void
test_most (void)
{
  AmpsTraceContext parent = make_context ("00f067aa0ba902b7", "01");
  AmpsTraceContext links[] = { make_context ("0000000000000001", "01"),
                               make_context ("0000000000000002", "00") };
  AmpsSpan span = {
    .context = make_context ("b7ad6b7169203331", "03"),
    .parent = &parent,
    .remote = TRUE,
    .tracestate = "a=1",
    .operation = "process",
    .target = "mail",
    .kind = AMPS_SPAN_CONSUMER,
    .begun = 2,
    .ended = 1,
    .links = links,
    .n_links = 2,
  };

  amps_span_add_text (&span, "text", "x");
  amps_span_add_text (&span, "nothing", NULL);
  amps_span_add_number (&span, "number", G_MININT64);
  amps_span_fail (&span, "timeout");
  assert_span (&span,
               "{\"traceId\":\"" TRACE "\",\"spanId\":\"b7ad6b7169203331\","
               "\"parentSpanId\":\"00f067aa0ba902b7\",\"traceState\":\"a=1\",\"flags\":771,"
               "\"name\":\"process mail\",\"kind\":5,\"startTimeUnixNano\":\"2000\","
               "\"endTimeUnixNano\":\"2000\",\"attributes\":["
               "{\"key\":\"text\",\"value\":{\"stringValue\":\"x\"}},"
               "{\"key\":\"number\",\"value\":{\"intValue\":\"-9223372036854775808\"}},"
               "{\"key\":\"error.type\",\"value\":{\"stringValue\":\"timeout\"}}],\"links\":["
               "{\"traceId\":\"" TRACE "\",\"spanId\":\"0000000000000001\",\"flags\":1},"
               "{\"traceId\":\"" TRACE "\",\"spanId\":\"0000000000000002\",\"flags\":0}],"
               "\"status\":{\"code\":2}}");
}

static void
test_not_failed (void)
{
  AmpsSpan span = { .operation = "x" };

  amps_span_fail (&span, NULL);
  g_assert_false (span.failed);
  g_assert_cmpuint (span.n_attributes, ==, 0);
}

/* The whole request as another parser reads it: the text of the one attribute. */
static char *
send_through_parser (const char *text)
{
  const char *const resource[] = { "service.name", text, "service.version", "1", NULL };
  AmpsSpan span = { .operation = "x", .target = text, .kind = AMPS_SPAN_CLIENT };
  g_autoptr (GString) json = g_string_new (NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (JsonNode) found = NULL;
  g_autoptr (GError) error = NULL;

  amps_span_add_text (&span, "key", text);
  amps_otlp_json_begin (json, resource);
  amps_otlp_json_add_span (json, &span);
  g_string_append_c (json, ',');
  amps_otlp_json_add_span (json, &span);
  amps_otlp_json_end (json);
  json_parser_load_from_data (parser, json->str, (gssize) json->len, &error);
  g_assert_no_error (error);
  found = json_path_query ("$.resourceSpans[0].scopeSpans[0].spans[1].attributes[0].value"
                           ".stringValue",
                           json_parser_get_root (parser), &error);
  g_assert_no_error (error);
  return g_strdup (json_array_get_string_element (json_node_get_array (found), 0));
}

static void
test_text (void)
{
  static const char *const texts[] = { "",          "x",        "\"", "\\", "a\nb\tc\x01\x7f",
                                       "ä€🙂", "</script>" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *text = send_through_parser (texts[i]);

      g_assert_cmpstr (text, ==, texts[i]);
    }
}

/* A whole character less, rather than half of one more. */
static void
test_long_text (void)
{
  g_autofree char *a = g_strnfill (AMPS_OTLP_MAX_TEXT - 1, 'a');
  g_autofree char *fits = g_strconcat (a, "b", NULL);
  g_autofree char *cut = g_strconcat (a, "bc", NULL);
  g_autofree char *split = g_strconcat (a, "ä", NULL);
  g_autofree char *from_fits = send_through_parser (fits);
  g_autofree char *from_cut = send_through_parser (cut);
  g_autofree char *from_split = send_through_parser (split);
  g_autofree char *from_junk = send_through_parser ("a\xff");

  g_assert_cmpstr (from_fits, ==, fits);
  g_assert_cmpstr (from_cut, ==, fits);
  g_assert_cmpstr (from_split, ==, a);
  g_assert_cmpstr (from_junk, ==, "");
}

static void
test_rejected (void)
{
  static const struct {
    const char *answer;
    guint64 n_rejected;
  } cases[] = {
    { "", 0 },
    { "{}", 0 },
    { "{\"partialSuccess\":{}}", 0 },
    { "{\"partialSuccess\":null}", 0 },
    { "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"no\"}}", 3 },
    { " {\"partialSuccess\": {\"rejectedSpans\": 4}} ", 4 },
    { "{\"partialSuccess\":{\"rejectedSpans\":\"-1\"}}", 0 },
    { "{\"partialSuccess\":{\"rejectedSpans\":\"99999999999999999999\"}}", 0 },
    { "{\"partialSuccess\":{\"rejectedSpans\":[1]}}", 0 },
    { "[1]", 0 },
    { "<html>", 0 },
    { "\x0a\x02\x08\x03", 0 },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].answer);
      g_assert_cmpuint (amps_otlp_json_read_rejected (cases[i].answer, strlen (cases[i].answer)),
                        ==, cases[i].n_rejected);
    }
  g_assert_cmpuint (amps_otlp_json_read_rejected (NULL, 0), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/otlp-json/least", test_least);
  g_test_add_func ("/otlp-json/most", test_most);
  g_test_add_func ("/otlp-json/not-failed", test_not_failed);
  g_test_add_func ("/otlp-json/text", test_text);
  g_test_add_func ("/otlp-json/long-text", test_long_text);
  g_test_add_func ("/otlp-json/rejected", test_rejected);
  return g_test_run ();
}
