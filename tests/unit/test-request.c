/* SPDX-License-Identifier: MIT */
#include "base/amps-clock.h"
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "server/amps-request.h"

#include <string.h>

#define EVENT(data)                                                                                \
  "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":" data "}"

static AmpsRequest *
parse (const char *body, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (body, strlen (body));

  return amps_request_parse (bytes, AMPS_EVENT_VALIDATION_STRICT, error);
}

static AmpsRequest *
parse_well (const char *body)
{
  g_autoptr (GError) error = NULL;
  AmpsRequest *request = parse (body, &error);

  g_assert_no_error (error);
  g_assert_nonnull (request);
  return request;
}

static void
assert_bytes (GBytes *bytes, const char *expected)
{
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  g_assert_cmpstr (text, ==, expected);
}

static void
test_plain (void)
{
  g_autoptr (AmpsRequest) request = parse_well ("{\"identifier\":\"a\\u00e4/\\\"b\"}");

  g_assert_cmpuint (request->identifiers->len, ==, 1);
  g_assert_cmpstr (request->identifiers->pdata[0], ==, "a\u00e4/\"b");
  g_assert_false (request->is_list);
  g_assert_false (request->reschedule);
  g_assert_cmpint (request->delay, ==, 0);
  g_assert_cmpint (request->extend, ==, 0);
  g_assert_null (request->reason);
  g_assert_null (request->publish);
}

static void
test_all (void)
{
  g_autoptr (AmpsRequest) request =
      parse_well (" { \"reschedule\" : true, \"unknown\": [{}], \"delay\": \"500ms\",\n"
                  "\"extend\":\"2s\", \"reason\": \"no\", \"identifiers\": [\"a\", \"b\"] } ");

  g_assert_cmpuint (request->identifiers->len, ==, 2);
  g_assert_cmpstr (request->identifiers->pdata[1], ==, "b");
  g_assert_true (request->is_list);
  g_assert_true (request->reschedule);
  g_assert_cmpint (request->delay, ==, AMPS_MILLISECONDS (500));
  g_assert_cmpint (request->extend, ==, AMPS_SECONDS (2));
  g_assert_cmpstr (request->reason, ==, "no");
}

/* 10 MiB of it would be in the log and in the dead letter. */
static void
test_long_reason (void)
{
  g_autofree char *reason = g_strnfill (10 * 1024 * 1024, 'x');
  g_autofree char *body = g_strdup_printf ("{\"identifier\":\"a\",\"reason\":\"%s\"}", reason);
  g_autoptr (AmpsRequest) request = parse_well (body);

  g_assert_cmpuint (strlen (request->reason), ==, AMPS_FOREIGN_TEXT_MAX);
  g_assert_true (g_str_has_suffix (request->reason, "x…"));
}

static void
test_null (void)
{
  g_autoptr (AmpsRequest) request =
      parse_well ("{\"identifier\":\"a\",\"identifiers\":null,\"reschedule\":null,"
                  "\"delay\":null,\"extend\":null,\"reason\":null,\"publish\":null}");

  g_assert_false (request->is_list);
  g_assert_null (request->publish);
}

static void
test_publish (void)
{
  g_autoptr (AmpsRequest) one = parse_well (
      "{\"publish\": {\"data\":12345678901234567890.10, \"x\":\"}\\\"\"} ,\"identifier\":\"a\"}");
  g_autoptr (AmpsRequest) many =
      parse_well ("{\"identifier\":\"a\",\"publish\":[" EVENT ("1.0") " , " EVENT ("2e0") "]}");

  g_assert_cmpuint (one->publish->len, ==, 1);
  assert_bytes (one->publish->pdata[0], "{\"data\":12345678901234567890.10, \"x\":\"}\\\"\"}");
  g_assert_cmpuint (many->publish->len, ==, 2);
  assert_bytes (many->publish->pdata[1], EVENT ("2e0"));
}

/* The setting decides about these events, too. */
static void
test_publish_nonconforming (void)
{
  static const char *const bodies[] = {
    "{\"identifier\":\"a\",\"publish\":[{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"/s\","
    "\"type\":\"t\",\"correlationId\":{}}]}",
    "{\"identifier\":\"a\",\"publish\":[" EVENT ("\"\\ud83d\"") "]}",
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (GBytes) bytes = g_bytes_new_static (bodies[i], strlen (bodies[i]));
      g_autoptr (AmpsRequest) request =
          amps_request_parse (bytes, AMPS_EVENT_VALIDATION_LENIENT, NULL);

      g_assert_nonnull (request);
      g_assert_cmpuint (request->publish->len, ==, 1);
      g_assert_null (parse (bodies[i], NULL));
    }
}

static void
test_invalid (void)
{
  static const struct {
    const char *body;
    const char *named;
  } cases[] = {
    { "", "JSON" },
    { "nonsense", "JSON" },
    { "{\"identifier\":\"a\"", "JSON" },
    { "[]", "object" },
    { "\"a\"", "object" },
    { "{}", "identifier" },
    { "{\"identifier\":\"\"}", "identifier" },
    { "{\"identifier\":7}", "identifier" },
    { "{\"identifier\":[\"a\"]}", "identifier" },
    { "{\"identifier\":\"a\",\"identifiers\":[\"b\"]}", "identifiers" },
    { "{\"identifiers\":[]}", "identifiers" },
    { "{\"identifiers\":\"a\"}", "identifiers" },
    { "{\"identifiers\":[\"a\",7]}", "identifiers" },
    { "{\"identifier\":\"a\",\"reschedule\":\"yes\"}", "reschedule" },
    { "{\"identifier\":\"a\",\"reschedule\":1}", "reschedule" },
    { "{\"identifier\":\"a\",\"reschedule\":true,\"delay\":5}", "delay" },
    { "{\"identifier\":\"a\",\"reschedule\":true,\"delay\":\"soon\"}", "delay" },
    { "{\"identifier\":\"a\",\"reschedule\":true,\"delay\":\"-5s\"}", "delay" },
    { "{\"identifier\":\"a\",\"delay\":\"5s\"}", "reschedule" },
    { "{\"identifier\":\"a\",\"extend\":true}", "extend" },
    { "{\"identifier\":\"a\",\"reason\":{}}", "reason" },
    { "{\"identifier\":\"a\",\"publish\":\"x\"}", "publish" },
    { "{\"identifier\":\"a\",\"identi\\u0066ier\":\"b\"}", "twice" },
    { "{\"identifier\":null,\"identifier\":\"b\"}", "twice" },
    { "{\"identifier\":\"b\",\"identifier\":null}", "twice" },
    { "{\"identifier\":\"b\",\"reason\":\"x\",\"reason\":\"x\"}", "twice" },
    { "{\"identifier\":\"b\",\"reschedule\":true,\"reschedule\":false}", "twice" },
    { "{\"identifiers\":[\"a\",\"b\\u0000\"]}", "identifiers" },
    { "{\"identifier\":\"a\\u0000b\"}", "identifier" },
    { "{\"identifier\":\"a\",\"reschedule\":true,\"publish\":{}}", "publish" },
    { "{\"identifiers\":[\"a\"],\"publish\":{}}", "publish" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", cases[i].body);
      g_assert_null (parse (cases[i].body, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, cases[i].named));
    }
}

static char *
make_list (unsigned int length)
{
  GString *body = g_string_new ("{\"identifiers\":[\"a\"");

  for (unsigned int i = 1; i < length; i++)
    g_string_append (body, ",\"a\"");
  g_string_append (body, "]}");
  return g_string_free (body, FALSE);
}

static void
test_long_list (void)
{
  g_autofree char *longest = make_list (10000);
  g_autofree char *longer = make_list (10001);
  g_autoptr (AmpsRequest) request = parse_well (longest);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (request->identifiers->len, ==, 10000);
  g_assert_null (parse (longer, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
}

static void
test_deep (void)
{
  const gsize depth = 100000;
  g_autofree char *opening = g_strnfill (depth, '[');
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (opening, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/request/plain", test_plain);
  g_test_add_func ("/request/all", test_all);
  g_test_add_func ("/request/long-reason", test_long_reason);
  g_test_add_func ("/request/null", test_null);
  g_test_add_func ("/request/publish", test_publish);
  g_test_add_func ("/request/publish-nonconforming", test_publish_nonconforming);
  g_test_add_func ("/request/invalid", test_invalid);
  g_test_add_func ("/request/long-list", test_long_list);
  g_test_add_func ("/request/deep", test_deep);
  return g_test_run ();
}
