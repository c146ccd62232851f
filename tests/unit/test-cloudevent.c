/* SPDX-License-Identifier: MIT */
#include "core/amps-cloudevent.h"
#include "core/amps-error.h"
#include "core/amps-json-scanner.h"

#include <string.h>

/* An event with a place for more members. */
#define EVENT(more)                                                                                \
  "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"" more "}"

static const char *const valid[] = {
  EVENT (""),
  " \t\r\n" EVENT ("") "\n",
  EVENT (",\"data\":null"),
  EVENT (",\"data\":[1,-0,0.5,1e3,1E+9,1.0,12345678901234567890123,true,false,null,{}]"),
  EVENT (",\"data\":\"<>&\\u00e9\\ud83d\\ude00\\n\\/\""),
  EVENT (",\"data\":{\"a\":1,\"a\":2}"),
  EVENT (",\"data_base64\":\"aGVsbG8=\""),
  EVENT (",\"data_base64\":\"\\/w==\""),
  EVENT (",\"data_base64\":\"\\u002B\\u002fA=\""),
  EVENT (",\"data_base64\":\"\""),
  EVENT (",\"data\":1,\"data_base64\":null"),
  EVENT (",\"datacontenttype\":\"application/json; charset=utf-8\""),
  EVENT (",\"dataschema\":\"https://example.com/schema\""),
  EVENT (",\"subject\":\"ümläut\""),
  EVENT (",\"subject\":null"),
  EVENT (",\"time\":\"2018-04-05T17:31:00Z\""),
  EVENT (",\"time\":\"2016-12-31T23:59:60.123456789+01:30\""),
  EVENT (",\"time\":\"2020-02-29t00:00:00z\""),
  EVENT (",\"time\":\"0000-02-29T23:59:59-23:59\""),
  EVENT (",\"b\":1,\"a\":1,\"ab\":1,\"ba\":1,\"aa\":1,\"b1\":null"),
  EVENT (",\"extension\":\"\""),
  "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/orders/{id}?ä\",\"type\":\"t\"}",
  EVENT (",\"count\":-2147483648,\"flag\":true,\"text\":\"x\""),
  "{\"type\":\"t\",\"source\":\"urn:x:%20y\",\"\\u0069d\":\"\\u0041\",\"specversion\":\"1.0.2\"}",
};

static const struct {
  const char *json;
  const char *names; /* what the error must speak of */
} invalid[] = {
  { "", "not a JSON object" },
  { "[]", "not a JSON object" },
  { "null", "not a JSON object" },
  { "{}", "specversion" },
  { "{\"specversion\":\"1.0\"}", "“id”" },
  { "{\"specversion\":\"1.0\",\"id\":\"1\"}", "“source”" },
  { "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\"}", "“type”" },
  { "{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", "specversion" },
  { "{\"specversion\":1.0,\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", "specversion" },
  { "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"/s\",\"type\":\"t\"}", "“id”" },
  { "{\"specversion\":\"1.0\",\"id\":null,\"source\":\"/s\",\"type\":\"t\"}", "“id”" },
  { "{\"specversion\":\"1.0\",\"id\":7,\"source\":\"/s\",\"type\":\"t\"}", "“id”" },
  { "{\"specversion\":\"1.0\",\"id\":\"\\u0000\",\"source\":\"/s\",\"type\":\"t\"}", "“id”" },
  { "{\"specversion\":\"1.0\",\"id\":\"\\u007f\",\"source\":\"/s\",\"type\":\"t\"}", "“id”" },
  { "{\"specversion\":\"1.0\",\"id\":\"\xef\xbf\xbe\",\"source\":\"/s\",\"type\":\"t\"}", "“id”" },
  { "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"a b\",\"type\":\"t\"}", "“source”" },
  { "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"%zz\",\"type\":\"t\"}", "“source”" },
  { EVENT (",\"id\":\"2\""), "“id” is there twice" },
  { EVENT (",\"\\u0069d\":\"2\""), "“id” is there twice" },
  { EVENT (",\"id\":null"), "“id” is there twice" },
  { EVENT (",\"data\":1,\"data\":1"), "“data” is there twice" },
  { EVENT (",\"b\":1,\"a\":1,\"c\":1,\"a\":1"), "“a” is there twice" },
  { EVENT (",\"more\":1,\"x\":1,\"m\\u006fre\":null"), "“more” is there twice" },
  { EVENT (",\"data\":null,\"data_base64\":\"\""), "both" },
  { EVENT (",\"data\":1,\"data_base64\":\"\""), "both" },
  { EVENT (",\"data_base64\":\"a\""), "data_base64" },
  { EVENT (",\"data_base64\":\"a b=\""), "data_base64" },
  { EVENT (",\"data_base64\":\"====\""), "data_base64" },
  { EVENT (",\"data_base64\":7"), "data_base64" },
  { EVENT (",\"data_base64\":{}"), "data_base64" },
  { EVENT (",\"data_base64\":\"\\/a\""), "data_base64" },
  { EVENT (",\"data_base64\":\"\\u0000abc\""), "data_base64" },
  { EVENT (",\"data_base64\":\"ab=c\""), "data_base64" },
  { EVENT (",\"data_base64\":\"a===\""), "data_base64" },
  { EVENT (",\"data_base64\":\"ab-_\""), "data_base64" },
  { EVENT (",\"Upper\":\"x\""), "“Upper”" },
  { EVENT (",\"under_score\":\"x\""), "“under_score”" },
  { EVENT (",\"\":\"x\""), "“”" },
  { EVENT (",\"Upper\":null"), "“Upper”" },
  { EVENT (",\"a\\u0000b\":\"x\""), "U+0000" },
  { EVENT (",\"a\\u001b[1m\\n\\u202e\":\"x\""), "“a?[1m??”" },
  { EVENT (",\"0123456789012345678901234567890123456789\":1,"
           "\"0123456789012345678901234567890123456789\":1"),
    "“0123456789012345678901234567890123456789” is there twice" },
  { EVENT (",\"012345678901234567890123456789012345678ää\":1"),
    "“012345678901234567890123456789012345678…”" },
  { EVENT (",\"object\":{}"), "“object”" },
  { EVENT (",\"number\":1.5"), "“number”" },
  { EVENT (",\"number\":2147483648"), "“number”" },
  { EVENT (",\"number\":-2147483649"), "“number”" },
  { EVENT (",\"number\":1e3"), "“number”" },
  { EVENT (",\"array\":[]"), "“array”" },
  { EVENT (",\"text\":\"\\ufdd0\""), "“text”" },
  { EVENT (",\"text\":\"\xc2\x85\""), "“text”" },
  { EVENT (",\"text\":\"\\ud83f\\udfff\""), "“text”" },
  { EVENT (",\"subject\":\"\""), "“subject”" },
  { EVENT (",\"datacontenttype\":\"json\""), "“datacontenttype”" },
  { EVENT (",\"dataschema\":\"/relative\""), "“dataschema”" },
  { EVENT (",\"time\":\"yesterday\""), "“time”" },
  { EVENT (",\"time\":\"\""), "“time”" },
  { EVENT (",\"time\":\"0000-02-30T00:00:00Z\""), "“time”" },
  { EVENT (",\"time\":\"2100-02-29T00:00:00Z\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01 00:00:00Z\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T00:00:61Z\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T00:60:00Z\""), "“time”" },
  { EVENT (",\"time\":\"2021-13-01T00:00:00Z\""), "“time”" },
  { EVENT (",\"time\":\"2021-04-31T00:00:00Z\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T00:00:00+24:00\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T00:00:00+0100\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T00:00:00ZZ\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T00:00Z\""), "“time”" },
  { EVENT (",\"time\":\"2021-02-29T00:00:00Z\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T24:00:00Z\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T00:00:00\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T00:00:00.Z\""), "“time”" },
  { EVENT (",\"traceparent\":1"), "“traceparent”" },
  { EVENT ("") "x", "behind the end" },
  { "\xef\xbb\xbf" EVENT (""), "not a JSON object" },
  { EVENT (",\"data\":01"), "at byte" },
  { EVENT (",\"data\":+1"), "at byte" },
  { EVENT (",\"data\":.5"), "at byte" },
  { EVENT (",\"data\":1."), "at byte" },
  { EVENT (",\"data\":1e"), "at byte" },
  { EVENT (",\"data\":-"), "at byte" },
  { EVENT (",\"data\":NaN"), "at byte" },
  { EVENT (",\"data\":nul"), "at byte" },
  { EVENT (",\"data\":'x'"), "at byte" },
  { EVENT (",\"data\":[1,]"), "at byte" },
  { EVENT (",\"data\":[1 2]"), "at byte" },
  { EVENT (",\"data\":[}"), "at byte" },
  { EVENT (",\"data\":{\"a\"}"), "at byte" },
  { EVENT (",\"data\":{a:1}"), "at byte" },
  { EVENT (",\"data\":\"\t\""), "control character" },
  { EVENT (",\"data\":\"\\x\""), "escape" },
  { EVENT (",\"data\":\"\\u12g4\""), "escape" },
  { EVENT (",\"data\":\"\\ud800\""), "escape" },
  { EVENT (",\"data\":\"\\udc00\\ud800\""), "escape" },
  { EVENT (",\"data\":\"\\ud800\\u0041\""), "escape" },
  { EVENT (",\"data\":\"\xc0\x80\""), "UTF-8" },
  { EVENT (",\"data\":\"\xed\xa0\x80\""), "UTF-8" },
  { EVENT (",\"data\":\"\xf4\x90\x80\x80\""), "UTF-8" },
  { EVENT (",\"data\":\"\xe2\x82\""), "UTF-8" },
  { EVENT (",\"data\":\"\xff\""), "UTF-8" },
  { EVENT (","), "at byte" },
  { "{,", "at byte" },
  { "{\"id\":\"", "without an end" },
};

static void
test_valid (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (valid); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (AmpsCloudEvent) event =
          amps_cloud_event_scan (valid[i], strlen (valid[i]), &error);

      g_test_message ("%s", valid[i]);
      g_assert_no_error (error);
      g_assert_nonnull (event);
    }
}

static void
test_invalid (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (invalid); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (AmpsCloudEvent) event =
          amps_cloud_event_scan (invalid[i].json, strlen (invalid[i].json), &error);

      g_assert_null (event);
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, invalid[i].names));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_cmpuint (strlen (error->message), <, 160);
    }
}

/* Reading behind the end would be seen by AddressSanitizer and valgrind. */
static void
test_truncated (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (valid); i++)
    {
      g_autofree char *whole = g_strchomp (g_strdup (valid[i]));
      gsize length = strlen (whole);

      for (gsize cut = 0; cut < length; cut++)
        {
          g_autofree char *part = g_memdup2 (valid[i], cut);

          g_assert_null (amps_cloud_event_scan (part, cut, NULL));
        }
    }
}

static void
test_attributes (void)
{
  const char json[] = EVENT (",\"traceparent\":\"00-a-b-01\",\"tracestate\":\"k=\\\"v\\\"\"");
  g_autoptr (AmpsCloudEvent) event = amps_cloud_event_scan (json, strlen (json), NULL);
  g_autoptr (AmpsCloudEvent) escaped = amps_cloud_event_scan (
      valid[G_N_ELEMENTS (valid) - 1], strlen (valid[G_N_ELEMENTS (valid) - 1]), NULL);

  g_assert_cmpstr (event->id, ==, "1");
  g_assert_cmpstr (event->source, ==, "/s");
  g_assert_cmpstr (event->type, ==, "t");
  g_assert_cmpstr (event->traceparent, ==, "00-a-b-01");
  g_assert_cmpstr (event->tracestate, ==, "k=\"v\"");
  g_assert_cmpstr (escaped->id, ==, "A");
  g_assert_null (escaped->traceparent);
}

static char *
nest (unsigned int depth)
{
  g_autofree char *open = g_strnfill (depth, '[');
  g_autofree char *close = g_strnfill (depth, ']');

  return g_strconcat (
      "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":", open,
      close, "}", NULL);
}

static void
test_depth (void)
{
  g_autofree char *deepest = nest (AMPS_JSON_MAX_DEPTH - 1);
  g_autofree char *too_deep = nest (AMPS_JSON_MAX_DEPTH);
  g_autofree char *absurd = nest (100000);
  g_autoptr (AmpsCloudEvent) event = amps_cloud_event_scan (deepest, strlen (deepest), NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (event);
  g_assert_null (amps_cloud_event_scan (too_deep, strlen (too_deep), &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_nonnull (strstr (error->message, "too deep"));
  g_assert_null (amps_cloud_event_scan (absurd, strlen (absurd), NULL));
}

static void
test_large (void)
{
  gsize length = 20 * 1024 * 1024;
  g_autofree char *text = g_strnfill (length, 'x');
  g_autofree char *json =
      g_strdup_printf ("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
                       "\"data\":\"%s\"}",
                       text);
  g_autoptr (AmpsCloudEvent) event = amps_cloud_event_scan (json, strlen (json), NULL);

  g_assert_nonnull (event);
  json[strlen (json) - 100] = '\x01';
  g_assert_null (amps_cloud_event_scan (json, strlen (json), NULL));
}

/* What anybody may send must not cost more than its size. Comparing each of these
 * names with each other took hours. */
static void
test_many_attributes (void)
{
  GString *json = g_string_new ("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\"");
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 300000; i++)
    {
      char member[32];

      g_snprintf (member, sizeof member, ",\"x%d\":1",
                  (int) (i * G_GINT64_CONSTANT (7919) % 300000));
      g_string_append (json, member);
    }
  g_string_append (json, ",\"type\":\"t\"}");
  event = amps_cloud_event_scan (json->str, json->len, &error);
  g_assert_no_error (error);
  g_assert_nonnull (event);

  g_string_truncate (json, json->len - 1);
  g_string_append (json, ",\"x4711\":1}");
  g_assert_null (amps_cloud_event_scan (json->str, json->len, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_cmpstr (error->message, ==, "“x4711” is there twice");
  g_string_free (json, TRUE);
}

static void
test_batch (void)
{
  const char json[] = "[ " EVENT ("") " ,\n" EVENT (",\"data\":1.0") "]";
  g_autoptr (GBytes) batch = g_bytes_new_static (json, strlen (json));
  g_autoptr (GBytes) empty = g_bytes_new_static (" [ ] ", 5);
  g_autoptr (GPtrArray) events = amps_cloud_event_split_batch (batch, NULL);
  g_autoptr (GPtrArray) none = amps_cloud_event_split_batch (empty, NULL);
  const char *const bad[][2] = {
    { "[" EVENT ("") ",{}]", "event 1: “specversion” is missing" },
    { "[" EVENT ("") ",{\"id\":.5}]", "event 1: not JSON: an unexpected character at byte 63" },
    { "[7]", "event 0: not a JSON object" },
    { EVENT (""), "not a JSON array" },
    { "[" EVENT ("") ",]", "comma" },
    { "[" EVENT (""), "at byte" },
    { "[" EVENT ("") EVENT ("") "]", "comma" },
    { "[] x", "behind" },
    { "", "not a JSON array" },
  };
  g_autofree char *deepest = nest (AMPS_JSON_MAX_DEPTH - 1);
  g_autofree char *deep = g_strdup_printf ("[%s]", deepest);
  g_autoptr (GBytes) deep_batch = g_bytes_new_static (deep, strlen (deep));
  g_autoptr (GPtrArray) deep_events = amps_cloud_event_split_batch (deep_batch, NULL);

  /* The batch's own bracket counts for no event in it. */
  g_assert_nonnull (deep_events);

  g_assert_cmpuint (none->len, ==, 0);
  g_assert_cmpuint (events->len, ==, 2);
  g_assert_cmpmem (g_bytes_get_data (g_ptr_array_index (events, 1), NULL),
                   g_bytes_get_size (g_ptr_array_index (events, 1)), EVENT (",\"data\":1.0"),
                   strlen (EVENT (",\"data\":1.0")));

  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GBytes) bytes = g_bytes_new_static (bad[i][0], strlen (bad[i][0]));
      g_autoptr (GError) error = NULL;

      g_assert_null (amps_cloud_event_split_batch (bytes, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
      g_assert_nonnull (strstr (error->message, bad[i][1]));
    }
}

static void
test_long_batch (void)
{
  g_autoptr (GString) json = g_string_new ("[" EVENT (""));
  g_autoptr (GBytes) longest = NULL;
  g_autoptr (GBytes) longer = NULL;
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (GError) error = NULL;

  for (unsigned int i = 1; i < 10000; i++)
    g_string_append (json, "," EVENT (""));
  g_string_append_c (json, ']');
  longest = g_bytes_new (json->str, json->len);
  events = amps_cloud_event_split_batch (longest, NULL);
  g_assert_cmpuint (events->len, ==, 10000);

  g_string_truncate (json, json->len - 1);
  g_string_append (json, "," EVENT ("") "]");
  longer = g_bytes_new (json->str, json->len);
  g_assert_null (amps_cloud_event_split_batch (longer, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
}

static void
test_binary (void)
{
  const AmpsAttribute attributes[] = {
    { "specversion", "1.0" },
    { "id", "a\"b\\c" },
    { "source", "/s" },
    { "type", "t" },
  };
  const struct {
    const char *content_type;
    const char *data;
    gsize length;
    const char *expected;
  } cases[] = {
    { "application/json", "{\"n\": 1.0}", 10, ",\"data\":{\"n\": 1.0}}" },
    { "application/vnd.x+JSON; v=1", "[1]", 3, ",\"data\":[1]}" },
    { NULL, "7", 1, ",\"data\":7}" },
    { "application/json", "{oops", 5, ",\"data_base64\":\"e29vcHM=\"}" },
    { "text/plain", "a\n\"b\"", 5, ",\"data\":\"a\\u000a\\\"b\\\"\"}" },
    { "", "7", 1, ",\"type\":\"t\",\"data\":7}" },
    { NULL, "{oops", 5, ",\"type\":\"t\",\"data_base64\":\"e29vcHM=\"}" },
    { "application/json", " ", 1, ",\"data_base64\":\"IA==\"}" },
    { "text/json", "\"\xc3\xa9\" ", 5, ",\"data\":\"é\" }" },
    { "Text/HTML; Charset=\"UTF-8\"", "\xc3\xa9", 2, ",\"data\":\"é\"}" },
    { "text/plain;charset=iso-8859-1", "\xc3\xa9", 2, ",\"data_base64\":\"w6k=\"}" },
    { "text/plain", "a\0b", 3, ",\"data_base64\":\"YQBi\"}" },
    { "text/plain", "\xff", 1, ",\"data_base64\":\"/w==\"}" },
    { "image/png", "\0\1", 2, ",\"data_base64\":\"AAE=\"}" },
    { "image/png", "", 0, "\"datacontenttype\":\"image/png\"}" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) data = g_bytes_new_static (cases[i].data, cases[i].length);
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) event = amps_cloud_event_from_binary (
          attributes, G_N_ELEMENTS (attributes), cases[i].content_type, data, &error);
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      text = g_strndup (g_bytes_get_data (event, NULL), g_bytes_get_size (event));
      g_test_message ("%s", text);
      g_assert_true (g_str_has_suffix (text, cases[i].expected));
    }
}

static void
test_binary_invalid (void)
{
  const struct {
    AmpsAttribute attribute;
    const char *content_type;
    const char *names;
  } cases[] = {
    { { "subject", "" }, NULL, "“subject”" },
    { { "subject", "\xff" }, NULL, "“subject” is not UTF-8" },
    { { "subject", "a\nb" }, NULL, "“subject”" },
    { { "subject", "x" }, "\xff", "“datacontenttype” is not UTF-8" },
    { { "subject", "x" }, "json", "“datacontenttype”" },
    { { "datacontenttype", "text/plain" }, "text/plain", "“datacontenttype” is there twice" },
    { { "id", "2" }, NULL, "“id” is there twice" },
    { { "Id", "2" }, NULL, "“Id”" },
    { { "data", "x" }, NULL, "“data”" },
    { { "data_base64", "" }, NULL, "“data_base64”" },
    { { "a\":1,\"b", "x" }, NULL, "“a\":1,\"b”" },
    { { "", "x" }, NULL, "“”" },
    { { "\xff", "x" }, NULL, "name is not UTF-8" },
  };
  AmpsAttribute attributes[] = {
    { "specversion", "1.0" }, { "id", "1" }, { "source", "/s" }, { "type", "t" }, { 0 },
  };
  g_autoptr (GBytes) data = g_bytes_new_static ("1", 1);
  g_autoptr (GError) missing = NULL;

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      attributes[4] = cases[i].attribute;
      g_assert_null (amps_cloud_event_from_binary (attributes, G_N_ELEMENTS (attributes),
                                                   cases[i].content_type, data, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].names));
    }

  g_assert_null (amps_cloud_event_from_binary (attributes, 3, NULL, data, &missing));
  g_assert_cmpstr (missing->message, ==, "“type” is missing");
}

/* JSON that is as deep as an event may be does not fit into one. */
static void
test_binary_depth (void)
{
  const AmpsAttribute attributes[] = {
    { "specversion", "1.0" }, { "id", "1" }, { "source", "/s" }, { "type", "t" }
  };

  for (gsize depth = AMPS_JSON_MAX_DEPTH - 1; depth <= AMPS_JSON_MAX_DEPTH; depth++)
    {
      g_autofree char *open = g_strnfill (depth, '[');
      g_autofree char *close = g_strnfill (depth, ']');
      g_autofree char *json = g_strconcat (open, close, NULL);
      g_autoptr (GBytes) data = g_bytes_new_static (json, strlen (json));
      g_autoptr (GBytes) event =
          amps_cloud_event_from_binary (attributes, G_N_ELEMENTS (attributes), NULL, data, NULL);
      g_autofree char *text = NULL;

      g_assert_nonnull (event);
      text = g_strndup (g_bytes_get_data (event, NULL), g_bytes_get_size (event));
      g_assert_cmpint (strstr (text, "data_base64") == NULL, ==, depth < AMPS_JSON_MAX_DEPTH);
    }
}

static void
test_decode_header (void)
{
  const char *const cases[][2] = {
    { "plain", "plain" },
    { "Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀" },
    { "%e2%82%ac", "€" },
    { "\"a \\\"quoted\\\" one\"", "a \"quoted\" one" },
    { "100%", "100%" },
    { "%2g", "%2g" },
    { "", "" },
    { "\"", "\"" },
    { "\"\\%41\"", "A" },
    { "a \"b  c\" d", "a b  c d" },
    { "\"a\"\"b\"", "ab" },
    { "\"\"", "" },
    { "\"a\\\"", "\"a\\\"" },
    { "%2541", "%41" },
    { "a\\b", "a\\b" },
  };
  const char *const bad[] = { "%C3%28", "%C0%A0", "%ed%a0%80", "\xff", "\xEF\xBF\xBD", "a%00b" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = amps_cloud_event_decode_header (cases[i][0], NULL);

      g_assert_cmpstr (text, ==, cases[i][1]);
    }

  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (amps_cloud_event_decode_header (bad[i], &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
    }
}

/* As the HTTP binding wants a sender to do it. */
static char *
encode_header (const char *value)
{
  GString *text = g_string_new (NULL);

  for (const char *at = value; *at != '\0'; at++)
    {
      if (*at > ' ' && *at <= '~' && *at != '"' && *at != '%')
        g_string_append_c (text, *at);
      else
        g_string_append_printf (text, "%%%02X", (guchar) *at);
    }

  return g_string_free (text, FALSE);
}

static void
test_header_round_trip (void)
{
  for (int i = 0; i < 2000; i++)
    {
      GString *value = g_string_new (NULL);
      g_autofree char *encoded = NULL;
      g_autofree char *decoded = NULL;

      for (int n = g_test_rand_int_range (0, 12); n > 0; n--)
        {
          gunichar c = (gunichar) g_test_rand_int_range (1, n % 2 ? 0x80 : 0x110000);

          g_string_append_unichar (value, c >= 0xd800 && c <= 0xdfff ? '%' : c);
        }

      encoded = encode_header (value->str);
      decoded = amps_cloud_event_decode_header (encoded, NULL);
      g_assert_cmpstr (decoded, ==, value->str);
      g_string_free (value, TRUE);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cloudevent/valid", test_valid);
  g_test_add_func ("/cloudevent/invalid", test_invalid);
  g_test_add_func ("/cloudevent/truncated", test_truncated);
  g_test_add_func ("/cloudevent/attributes", test_attributes);
  g_test_add_func ("/cloudevent/depth", test_depth);
  g_test_add_func ("/cloudevent/large", test_large);
  g_test_add_func ("/cloudevent/many-attributes", test_many_attributes);
  g_test_add_func ("/cloudevent/batch", test_batch);
  g_test_add_func ("/cloudevent/long-batch", test_long_batch);
  g_test_add_func ("/cloudevent/binary/valid", test_binary);
  g_test_add_func ("/cloudevent/binary/invalid", test_binary_invalid);
  g_test_add_func ("/cloudevent/binary/depth", test_binary_depth);
  g_test_add_func ("/cloudevent/header/decode", test_decode_header);
  g_test_add_func ("/cloudevent/header/round-trip", test_header_round_trip);
  return g_test_run ();
}
