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
  EVENT (",\"data\":1,\"data_base64\":null"),
  EVENT (",\"datacontenttype\":\"application/json; charset=utf-8\""),
  EVENT (",\"dataschema\":\"https://example.com/schema\""),
  EVENT (",\"subject\":\"ümläut\""),
  EVENT (",\"subject\":null"),
  EVENT (",\"time\":\"2018-04-05T17:31:00Z\""),
  EVENT (",\"time\":\"2016-12-31T23:59:60.123456789+01:30\""),
  EVENT (",\"time\":\"2020-02-29t00:00:00z\""),
  EVENT (",\"count\":-2147483648,\"flag\":true,\"text\":\"x\""),
  "{\"type\":\"t\",\"source\":\"urn:x:%20y\",\"\\u0069d\":\"\\u0041\",\"specversion\":\"1.0.2\"}",
};

static const struct {
  const char *json;
  const char *names; /* what the error must speak of */
} invalid[] = {
  { "", "not an object" },
  { "[]", "not an object" },
  { "null", "not an object" },
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
  { EVENT (",\"data\":1,\"data_base64\":\"\""), "both" },
  { EVENT (",\"data_base64\":\"a\""), "data_base64" },
  { EVENT (",\"data_base64\":\"a b=\""), "data_base64" },
  { EVENT (",\"data_base64\":\"====\""), "data_base64" },
  { EVENT (",\"data_base64\":7"), "data_base64" },
  { EVENT (",\"Upper\":\"x\""), "“Upper”" },
  { EVENT (",\"under_score\":\"x\""), "“under_score”" },
  { EVENT (",\"\":\"x\""), "“”" },
  { EVENT (",\"object\":{}"), "“object”" },
  { EVENT (",\"number\":1.5"), "“number”" },
  { EVENT (",\"number\":2147483648"), "“number”" },
  { EVENT (",\"subject\":\"\""), "“subject”" },
  { EVENT (",\"datacontenttype\":\"json\""), "“datacontenttype”" },
  { EVENT (",\"dataschema\":\"/relative\""), "“dataschema”" },
  { EVENT (",\"time\":\"yesterday\""), "“time”" },
  { EVENT (",\"time\":\"2021-02-29T00:00:00Z\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T24:00:00Z\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T00:00:00\""), "“time”" },
  { EVENT (",\"time\":\"2021-01-01T00:00:00.Z\""), "“time”" },
  { EVENT (",\"traceparent\":1"), "“traceparent”" },
  { EVENT ("") "x", "behind the end" },
  { "\xef\xbb\xbf" EVENT (""), "not an object" },
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
  g_autoptr (AmpsCloudEvent) escaped = amps_cloud_event_scan (valid[17], strlen (valid[17]), NULL);

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

static void
test_batch (void)
{
  const char json[] = "[ " EVENT ("") " ,\n" EVENT (",\"data\":1.0") "]";
  g_autoptr (GBytes) batch = g_bytes_new_static (json, strlen (json));
  g_autoptr (GBytes) empty = g_bytes_new_static (" [ ] ", 5);
  g_autoptr (GPtrArray) events = amps_cloud_event_split_batch (batch, NULL);
  g_autoptr (GPtrArray) none = amps_cloud_event_split_batch (empty, NULL);
  const char *const bad[][2] = {
    { "[" EVENT ("") ",{}]", "event 1" }, { "[7]", "event 0" },          { EVENT (""), "array" },
    { "[" EVENT ("") ",]", "comma" },     { "[" EVENT (""), "at byte" }, { "[] x", "behind" },
  };

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

  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_autoptr (GError) error = NULL;

  g_assert_null (amps_cloud_event_from_binary (attributes, 3, NULL, nothing, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_nonnull (strstr (error->message, "“type”"));
}

static void
test_decode_header (void)
{
  const char *const cases[][2] = {
    { "plain", "plain" }, { "Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀" },
    { "%e2%82%ac", "€" }, { "\"a \\\"quoted\\\" one\"", "a \"quoted\" one" },
    { "100%", "100%" },   { "%2g", "%2g" },
    { "", "" },           { "\"", "\"" },
  };
  g_autoptr (GError) error = NULL;

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = amps_cloud_event_decode_header (cases[i][0], NULL);

      g_assert_cmpstr (text, ==, cases[i][1]);
    }

  g_assert_null (amps_cloud_event_decode_header ("%C3%28", &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
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
  g_test_add_func ("/cloudevent/batch", test_batch);
  g_test_add_func ("/cloudevent/binary", test_binary);
  g_test_add_func ("/cloudevent/decode-header", test_decode_header);
  return g_test_run ();
}
