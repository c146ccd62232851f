/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "event/amps-cloudevent.h"
#include "event/amps-json-scanner.h"

#include <string.h>

/* An event with a place for more members. */
#define EVENT(more)                                                                                \
  "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"" more "}"

#define TRACEPARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

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
  { EVENT (",\"data\":null,\"data_base64\":\"\""), "“data” is there together with “data_base64”" },
  { EVENT (",\"data\":1,\"data_base64\":\"\""), "“data” is there together with “data_base64”" },
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
  { EVENT (",\"a\\u0000b\":\"x\""), "“a\\u0000b” is not an attribute's name" },
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
  { EVENT ("") "x", "after the end" },
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
          amps_cloud_event_scan (valid[i], strlen (valid[i]), AMPS_EVENT_VALIDATION_STRICT, &error);

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
      g_autoptr (AmpsCloudEvent) event = amps_cloud_event_scan (
          invalid[i].json, strlen (invalid[i].json), AMPS_EVENT_VALIDATION_STRICT, &error);

      g_assert_null (event);
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, invalid[i].names));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_cmpuint (strlen (error->message), <, 160);
    }
}

/* What CloudEvents forbids: a strict check does too, a lenient one notes it. */
static const struct {
  const char *json;
  AmpsEventFault fault;
  const char *example;
} nonconforming[] = {
  { EVENT (",\"correlationId\":\"x\""), AMPS_EVENT_FAULT_NAME, "correlationId" },
  { EVENT (",\"under_score\":null"), AMPS_EVENT_FAULT_NAME, "under_score" },
  { EVENT (",\"\":1"), AMPS_EVENT_FAULT_NAME, "" },
  { EVENT (",\"a\\u0000b\":1"), AMPS_EVENT_FAULT_NAME, "a\\u0000b" },
  { EVENT (",\"a\\u001b[1m\":1"), AMPS_EVENT_FAULT_NAME, "a?[1m" },
  { EVENT (",\"object\":{\"a\":[1]}"), AMPS_EVENT_FAULT_TYPE, "object" },
  { EVENT (",\"list\":[]"), AMPS_EVENT_FAULT_TYPE, "list" },
  { EVENT (",\"float\":1.5"), AMPS_EVENT_FAULT_TYPE, "float" },
  { EVENT (",\"large\":2147483648"), AMPS_EVENT_FAULT_TYPE, "large" },
  { EVENT (",\"time\":1714564800"), AMPS_EVENT_FAULT_TYPE, "time" },
  { EVENT (",\"traceparent\":1"), AMPS_EVENT_FAULT_TYPE, "traceparent" },
  { EVENT (",\"time\":\"yesterday\""), AMPS_EVENT_FAULT_FORMAT, "time" },
  { EVENT (",\"subject\":\"\""), AMPS_EVENT_FAULT_FORMAT, "subject" },
  { EVENT (",\"datacontenttype\":\"json\""), AMPS_EVENT_FAULT_FORMAT, "datacontenttype" },
  { EVENT (",\"dataschema\":\"/relative\""), AMPS_EVENT_FAULT_FORMAT, "dataschema" },
  { "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"a b\",\"type\":\"t\"}",
    AMPS_EVENT_FAULT_FORMAT, "source" },
  { EVENT (",\"text\":\"a\\nb\""), AMPS_EVENT_FAULT_CHARACTER, "text" },
  { EVENT (",\"text\":\"\\u0000\""), AMPS_EVENT_FAULT_CHARACTER, "text" },
  { "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\\u007f\"}",
    AMPS_EVENT_FAULT_CHARACTER, "type" },
  { EVENT (",\"data\":\"\\ud83d\""), AMPS_EVENT_FAULT_CHARACTER, "data" },
  { EVENT (",\"data\":[\"\\udc00\\ud83d\\u0041\"]"), AMPS_EVENT_FAULT_CHARACTER, "data" },
  { EVENT (",\"text\":\"\\ud83d\""), AMPS_EVENT_FAULT_CHARACTER, "text" },
  { "{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}",
    AMPS_EVENT_FAULT_VERSION, "specversion" },
  { "{\"specversion\":\"1.1\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}",
    AMPS_EVENT_FAULT_VERSION, "specversion" },
  { "{\"specversion\":\"1.0-rc1\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}",
    AMPS_EVENT_FAULT_VERSION, "specversion" },
  { EVENT (",\"data_base64\":\"?\""), AMPS_EVENT_FAULT_BASE64, "data_base64" },
  { EVENT (",\"data_base64\":{}"), AMPS_EVENT_FAULT_BASE64, "data_base64" },
  { EVENT (",\"data\":1,\"data_base64\":\"\""), AMPS_EVENT_FAULT_BOTH, "data" },
  { EVENT (",\"a\":1,\"a\":2"), AMPS_EVENT_FAULT_TWICE, "a" },
  { EVENT (",\"data\":1,\"data\":2"), AMPS_EVENT_FAULT_TWICE, "data" },
  { EVENT (",\"time\":null,\"time\":null"), AMPS_EVENT_FAULT_TWICE, "time" },
  { EVENT (",\"id\":\"1\""), AMPS_EVENT_FAULT_TWICE, "id" },
  { EVENT (",\"t\\u0079pe\":\"\\u0074\""), AMPS_EVENT_FAULT_TWICE, "type" },
};

static void
test_nonconforming (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (nonconforming); i++)
    {
      const char *json = nonconforming[i].json;
      g_autoptr (GError) error = NULL;
      g_autoptr (AmpsCloudEvent) event =
          amps_cloud_event_scan (json, strlen (json), AMPS_EVENT_VALIDATION_LENIENT, &error);

      g_test_message ("%s", json);
      g_assert_no_error (error);
      g_assert_cmpstr (event->id, ==, "1");
      for (unsigned int fault = 0; fault < AMPS_N_EVENT_FAULTS; fault++)
        g_assert_cmpstr (amps_event_faults_get_example (event->faults, fault), ==,
                         fault == nonconforming[i].fault ? nonconforming[i].example : NULL);

      g_assert_null (
          amps_cloud_event_scan (json, strlen (json), AMPS_EVENT_VALIDATION_STRICT, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
    }
}

static void
test_conforming_has_no_faults (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (valid); i++)
    {
      g_autoptr (AmpsCloudEvent) event =
          amps_cloud_event_scan (valid[i], strlen (valid[i]), AMPS_EVENT_VALIDATION_LENIENT, NULL);

      g_assert_nonnull (event);
      g_assert_null (event->faults);
    }
}

/* What AMPS can't deliver, or not without guessing. */
static void
test_not_even_lenient (void)
{
  static const struct {
    const char *json;
    const char *names;
  } cases[] = {
    { "{}", "“specversion” is missing" },
    { "[]", "not a JSON object" },
    { EVENT ("") "x", "after the end" },
    { EVENT (",\"data\":01"), "at byte" },
    { EVENT (",\"data\":\"\xff\""), "UTF-8" },
    { EVENT (",\"data\":\"\\ud8\""), "escape" },
    { "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"/s\",\"type\":\"t\"}", "“id” is empty" },
    { "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"\",\"type\":\"t\"}",
      "“source” is empty" },
    { "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"\"}", "“type” is empty" },
    { "{\"specversion\":\"1.0\",\"id\":null,\"source\":\"/s\",\"type\":\"t\"}", "“id” is missing" },
    { "{\"specversion\":\"1.0\",\"id\":7,\"source\":\"/s\",\"type\":\"t\"}",
      "“id” is not a string" },
    { "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":{},\"type\":\"t\"}",
      "“source” is not a string" },
    { "{\"specversion\":\"1.0\",\"id\":\"a\\u0000\",\"source\":\"/s\",\"type\":\"t\"}", "“id”" },
    { "{\"specversion\":\"1.0\",\"id\":\"\\ud83d\",\"source\":\"/s\",\"type\":\"t\"}",
      "“id” contains half" },
    { "{\"specversion\":\"0.2\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}",
      "“specversion” is neither 1.x nor 0.3" },
    { "{\"specversion\":\"2.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", "neither" },
    { "{\"specversion\":\"1\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", "neither" },
    { "{\"specversion\":\"1.\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", "neither" },
    { "{\"specversion\":\"1.x\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", "neither" },
    { "{\"specversion\":1.0,\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}", "not a string" },
    { EVENT (",\"id\":\"2\""), "“id” is there twice, with different values" },
    { EVENT (",\"id\":null"), "“id” is there twice, with different values" },
    { EVENT (",\"\\u0069d\":7"), "“id” is not a string" },
    { EVENT (",\"source\":\"/S\""), "“source” is there twice, with different values" },
    { EVENT (",\"type\":\"T\""), "“type” is there twice, with different values" },
    { EVENT (",\"specversion\":\"1.0.0\""), "“specversion” is there twice, with different values" },
    { "{\"id\":null,"
      "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}",
      "“id” is there twice, with different values" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (amps_cloud_event_scan (cases[i].json, strlen (cases[i].json),
                                            AMPS_EVENT_VALIDATION_LENIENT, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].names));
    }
}

/* It becomes a header of HTTP. */
static void
test_trace_context (void)
{
  static const struct {
    const char *members;
    const char *traceparent;
    const char *tracestate;
  } cases[] = {
    { ",\"traceparent\":\"" TRACEPARENT "\"", TRACEPARENT, NULL },
    { ",\"traceparent\":\"cc"
      "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-new\"",
      "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-new", NULL },
    { ",\"traceparent\":\"" TRACEPARENT "-new\"", NULL, NULL },
    { ",\"traceparent\":\"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"", NULL, NULL },
    { ",\"traceparent\":\"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01\"", NULL, NULL },
    { ",\"traceparent\":\"00-00000000000000000000000000000000-b7ad6b7169203331-01\"", NULL, NULL },
    { ",\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01\"", NULL, NULL },
    { ",\"traceparent\":\"00-1-2-01\"", NULL, NULL },
    { ",\"traceparent\":\"\"", NULL, NULL },
    { ",\"traceparent\":\"x\\r\\nEvil: 1\"", NULL, NULL },
    { ",\"traceparent\":7", NULL, NULL },
    { ",\"traceparent\":\"" TRACEPARENT "\",\"traceparent\":\"" TRACEPARENT "\"", NULL, NULL },
    { ",\"tracestate\":\"k=v\"", NULL, "k=v" },
    { ",\"tracestate\":\"k=\\r\\nv\"", NULL, NULL },
    { ",\"tracestate\":\"k=ä\"", NULL, NULL },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *json = g_strdup_printf (
          "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"%s}",
          cases[i].members);
      g_autoptr (AmpsCloudEvent) event =
          amps_cloud_event_scan (json, strlen (json), AMPS_EVENT_VALIDATION_LENIENT, NULL);

      g_test_message ("%s", json);
      g_assert_nonnull (event);
      g_assert_cmpstr (event->traceparent, ==, cases[i].traceparent);
      g_assert_cmpstr (event->tracestate, ==, cases[i].tracestate);
    }
}

static void
test_tracestate_length (void)
{
  for (gsize length = 512; length <= 513; length++)
    {
      g_autofree char *state = g_strnfill (length, 'x');
      g_autofree char *json =
          g_strdup_printf ("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\","
                           "\"type\":\"t\",\"tracestate\":\"%s\"}",
                           state);
      g_autoptr (AmpsCloudEvent) event =
          amps_cloud_event_scan (json, strlen (json), AMPS_EVENT_VALIDATION_STRICT, NULL);

      g_assert_cmpint (event->tracestate != NULL, ==, length == 512);
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

          g_assert_null (amps_cloud_event_scan (part, cut, AMPS_EVENT_VALIDATION_STRICT, NULL));
        }
    }
}

static void
test_attributes (void)
{
  const char json[] = EVENT (",\"traceparent\":\"" TRACEPARENT "\",\"tracestate\":\"k=\\\"v\\\"\"");
  g_autoptr (AmpsCloudEvent) event =
      amps_cloud_event_scan (json, strlen (json), AMPS_EVENT_VALIDATION_STRICT, NULL);
  g_autoptr (AmpsCloudEvent) escaped = amps_cloud_event_scan (
      valid[G_N_ELEMENTS (valid) - 1], strlen (valid[G_N_ELEMENTS (valid) - 1]),
      AMPS_EVENT_VALIDATION_STRICT, NULL);

  g_assert_cmpstr (event->id, ==, "1");
  g_assert_cmpstr (event->source, ==, "/s");
  g_assert_cmpstr (event->type, ==, "t");
  g_assert_cmpstr (event->traceparent, ==, TRACEPARENT);
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
  g_autoptr (AmpsCloudEvent) event =
      amps_cloud_event_scan (deepest, strlen (deepest), AMPS_EVENT_VALIDATION_STRICT, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (event);
  g_assert_null (
      amps_cloud_event_scan (too_deep, strlen (too_deep), AMPS_EVENT_VALIDATION_STRICT, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_nonnull (strstr (error->message, "too deep"));
  g_assert_null (
      amps_cloud_event_scan (absurd, strlen (absurd), AMPS_EVENT_VALIDATION_STRICT, NULL));
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
  g_autoptr (AmpsCloudEvent) event =
      amps_cloud_event_scan (json, strlen (json), AMPS_EVENT_VALIDATION_STRICT, NULL);

  g_assert_nonnull (event);
  json[strlen (json) - 100] = '\x01';
  g_assert_null (amps_cloud_event_scan (json, strlen (json), AMPS_EVENT_VALIDATION_STRICT, NULL));
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
  event = amps_cloud_event_scan (json->str, json->len, AMPS_EVENT_VALIDATION_STRICT, &error);
  g_assert_no_error (error);
  g_assert_nonnull (event);

  g_string_truncate (json, json->len - 1);
  g_string_append (json, ",\"x4711\":1}");
  g_assert_null (
      amps_cloud_event_scan (json->str, json->len, AMPS_EVENT_VALIDATION_STRICT, &error));
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
  g_autoptr (GPtrArray) events =
      amps_cloud_event_split_batch (batch, AMPS_EVENT_VALIDATION_STRICT, NULL);
  g_autoptr (GPtrArray) none =
      amps_cloud_event_split_batch (empty, AMPS_EVENT_VALIDATION_STRICT, NULL);
  const char *const bad[][2] = {
    { "[" EVENT ("") ",{}]", "event 1: “specversion” is missing" },
    { "[" EVENT ("") ",{\"id\":.5}]", "event 1: not JSON: an unexpected character at byte 63" },
    { "[7]", "event 0: not a JSON object" },
    { EVENT (""), "not a JSON array" },
    { "[" EVENT ("") ",]", "comma" },
    { "[" EVENT (""), "at byte" },
    { "[" EVENT ("") EVENT ("") "]", "comma" },
    { "[] x", "after" },
    { "", "not a JSON array" },
  };
  g_autofree char *deepest = nest (AMPS_JSON_MAX_DEPTH - 1);
  g_autofree char *deep = g_strdup_printf ("[%s]", deepest);
  g_autoptr (GBytes) deep_batch = g_bytes_new_static (deep, strlen (deep));
  g_autoptr (GPtrArray) deep_events =
      amps_cloud_event_split_batch (deep_batch, AMPS_EVENT_VALIDATION_STRICT, NULL);

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

      g_assert_null (amps_cloud_event_split_batch (bytes, AMPS_EVENT_VALIDATION_STRICT, &error));
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
  events = amps_cloud_event_split_batch (longest, AMPS_EVENT_VALIDATION_STRICT, NULL);
  g_assert_cmpuint (events->len, ==, 10000);

  g_string_truncate (json, json->len - 1);
  g_string_append (json, "," EVENT ("") "]");
  longer = g_bytes_new (json->str, json->len);
  g_assert_null (amps_cloud_event_split_batch (longer, AMPS_EVENT_VALIDATION_STRICT, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cloudevent/valid", test_valid);
  g_test_add_func ("/cloudevent/invalid", test_invalid);
  g_test_add_func ("/cloudevent/nonconforming", test_nonconforming);
  g_test_add_func ("/cloudevent/conforming-has-no-faults", test_conforming_has_no_faults);
  g_test_add_func ("/cloudevent/not-even-lenient", test_not_even_lenient);
  g_test_add_func ("/cloudevent/trace-context", test_trace_context);
  g_test_add_func ("/cloudevent/tracestate-length", test_tracestate_length);
  g_test_add_func ("/cloudevent/truncated", test_truncated);
  g_test_add_func ("/cloudevent/attributes", test_attributes);
  g_test_add_func ("/cloudevent/depth", test_depth);
  g_test_add_func ("/cloudevent/large", test_large);
  g_test_add_func ("/cloudevent/many-attributes", test_many_attributes);
  g_test_add_func ("/cloudevent/batch", test_batch);
  g_test_add_func ("/cloudevent/long-batch", test_long_batch);
  return g_test_run ();
}
