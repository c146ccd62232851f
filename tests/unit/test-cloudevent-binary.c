/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "event/amps-cloudevent.h"
#include "event/amps-json-scanner.h"

#include <string.h>

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
          attributes, G_N_ELEMENTS (attributes), cases[i].content_type, data,
          AMPS_EVENT_VALIDATION_STRICT, &error);
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
    { { "datacontenttype", "text/plain" }, "text/html", "“datacontenttype” differs" },
    { { "datacontenttype", "text/plain;charset=x" }, "text/plain;charset=y", "differs" },
    { { "datacontenttype", "1", TRUE }, "1", "“datacontenttype” differs" },
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
                                                   cases[i].content_type, data,
                                                   AMPS_EVENT_VALIDATION_STRICT, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].names));
    }

  g_assert_null (amps_cloud_event_from_binary (attributes, 3, NULL, data,
                                               AMPS_EVENT_VALIDATION_STRICT, &missing));
  g_assert_cmpstr (missing->message, ==, "“type” is missing");
}

/* Numbers and booleans stay what they are; some SDKs say the content type twice. */
static void
test_binary_joined (void)
{
  static const struct {
    AmpsAttribute attribute;
    const char *content_type;
    const char *expected;
  } cases[] = {
    { { "flag", "true", TRUE }, NULL, ",\"flag\":true,\"data\":1}" },
    { { "count", "-42", TRUE }, NULL, ",\"count\":-42,\"data\":1}" },
    { { "count", "42", FALSE }, NULL, ",\"count\":\"42\",\"data\":1}" },
    { { "id", "1", FALSE }, NULL, ",\"type\":\"t\",\"data\":1}" },
    { { "datacontenttype", "application/json" },
      "application/json",
      ",\"datacontenttype\":\"application/json\",\"data\":1}" },
    { { "datacontenttype", "application/json" },
      "Application/JSON; charset=utf-8",
      ",\"datacontenttype\":\"Application/JSON; charset=utf-8\",\"data\":1}" },
    { { "datacontenttype", "text/plain;charset=utf-8" },
      "text/plain",
      ",\"datacontenttype\":\"text/plain;charset=utf-8\",\"data\":\"1\"}" },
    { { "datacontenttype", "text/plain; charset=UTF-8" },
      "text/plain;charset=utf-8",
      ",\"datacontenttype\":\"text/plain;charset=utf-8\",\"data\":\"1\"}" },
    { { "datacontenttype", "text/plain" },
      NULL,
      ",\"datacontenttype\":\"text/plain\",\"data\":\"1\"}" },
  };
  AmpsAttribute attributes[] = {
    { "specversion", "1.0" }, { "id", "1" }, { "source", "/s" }, { "type", "t" }, { 0 },
  };
  g_autoptr (GBytes) data = g_bytes_new_static ("1", 1);

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) event = NULL;
      g_autofree char *text = NULL;

      attributes[4] = cases[i].attribute;
      event = amps_cloud_event_from_binary (attributes, G_N_ELEMENTS (attributes),
                                            cases[i].content_type, data,
                                            AMPS_EVENT_VALIDATION_STRICT, &error);
      g_assert_no_error (error);
      text = g_strndup (g_bytes_get_data (event, NULL), g_bytes_get_size (event));
      g_test_message ("%s", text);
      g_assert_true (g_str_has_suffix (text, cases[i].expected));
    }
}

/* An attribute that a lenient check lets pass must not take the place of another. */
static void
test_binary_lenient (void)
{
  static const struct {
    AmpsAttribute attribute;
    const char *expected; /* NULL: no event */
  } cases[] = {
    { { "under_score", "x" }, ",\"under_score\":\"x\",\"data\":1}" },
    { { "a\":1,\"b", "x" }, ",\"a\\\":1,\\\"b\":\"x\",\"data\":1}" },
    { { "subject", "a\nb" }, ",\"subject\":\"a\\u000ab\",\"data\":1}" },
    { { "large", "4294967296", TRUE }, ",\"large\":4294967296,\"data\":1}" },
    { { "data", "x" }, NULL },
    { { "data_base64", "x" }, NULL },
    { { "id", "2" }, NULL },
    { { "id", "1", TRUE }, NULL },
    { { "\xff", "x" }, NULL },
  };
  AmpsAttribute attributes[] = {
    { "specversion", "1.0" }, { "id", "1" }, { "source", "/s" }, { "type", "t" }, { 0 },
  };
  g_autoptr (GBytes) data = g_bytes_new_static ("1", 1);

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) event = NULL;
      g_autofree char *text = NULL;

      attributes[4] = cases[i].attribute;
      event = amps_cloud_event_from_binary (attributes, G_N_ELEMENTS (attributes), NULL, data,
                                            AMPS_EVENT_VALIDATION_LENIENT, NULL);
      g_assert_cmpint (event != NULL, ==, cases[i].expected != NULL);
      if (event == NULL)
        continue;
      text = g_strndup (g_bytes_get_data (event, NULL), g_bytes_get_size (event));
      g_assert_true (g_str_has_suffix (text, cases[i].expected));
    }
}

/* Data with half of a surrogate pair is still JSON. */
static void
test_binary_half (void)
{
  static const AmpsAttribute attributes[] = {
    { "specversion", "1.0" }, { "id", "1" }, { "source", "/s" }, { "type", "t" }
  };
  g_autoptr (GBytes) data = g_bytes_new_static ("\"\\ud83d\"", 8);

  for (unsigned int validation = AMPS_EVENT_VALIDATION_LENIENT;
       validation <= AMPS_EVENT_VALIDATION_STRICT; validation++)
    {
      g_autoptr (GBytes) event = amps_cloud_event_from_binary (
          attributes, G_N_ELEMENTS (attributes), NULL, data, validation, NULL);
      g_autofree char *text = g_strndup (g_bytes_get_data (event, NULL), g_bytes_get_size (event));

      g_assert_true (g_str_has_suffix (text, validation == AMPS_EVENT_VALIDATION_STRICT
                                                 ? ",\"data_base64\":\"Ilx1ZDgzZCI=\"}"
                                                 : ",\"data\":\"\\ud83d\"}"));
    }
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
      g_autoptr (GBytes) event = amps_cloud_event_from_binary (
          attributes, G_N_ELEMENTS (attributes), NULL, data, AMPS_EVENT_VALIDATION_STRICT, NULL);
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
  g_test_add_func ("/cloudevent-binary/valid", test_binary);
  g_test_add_func ("/cloudevent-binary/invalid", test_binary_invalid);
  g_test_add_func ("/cloudevent-binary/joined", test_binary_joined);
  g_test_add_func ("/cloudevent-binary/lenient", test_binary_lenient);
  g_test_add_func ("/cloudevent-binary/half", test_binary_half);
  g_test_add_func ("/cloudevent-binary/depth", test_binary_depth);
  g_test_add_func ("/cloudevent-binary/header/decode", test_decode_header);
  g_test_add_func ("/cloudevent-binary/header/round-trip", test_header_round_trip);
  return g_test_run ();
}
