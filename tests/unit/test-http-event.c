/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "http/amps-http-event.h"

#include <string.h>

#define EVENT                                                                                      \
  "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":1.50}"

typedef struct {
  SoupMessageHeaders *headers;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fixture->headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  soup_message_headers_unref (fixture->headers);
}

static GPtrArray *
parse (Fixture *fixture, const char *body, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (body, strlen (body));

  return amps_http_event_parse (fixture->headers, bytes, AMPS_EVENT_VALIDATION_STRICT, error);
}

static void
set_binary (Fixture *fixture)
{
  soup_message_headers_append (fixture->headers, "Ce-Specversion", "1.0");
  soup_message_headers_append (fixture->headers, "CE-ID", "a%20b");
  soup_message_headers_append (fixture->headers, "ce-source", "/s");
  soup_message_headers_append (fixture->headers, "ce-type", "t");
  soup_message_headers_append (fixture->headers, "Content-Type", "application/json");
}

static void
test_is_event (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_false (amps_http_event_is_event (fixture->headers));
  soup_message_headers_append (fixture->headers, "Content-Type", "application/json");
  g_assert_false (amps_http_event_is_event (fixture->headers));
  soup_message_headers_replace (fixture->headers, "Content-Type",
                                "Application/CloudEvents+json; charset=utf-8");
  g_assert_true (amps_http_event_is_event (fixture->headers));
  soup_message_headers_replace (fixture->headers, "Content-Type", "text/plain");
  soup_message_headers_append (fixture->headers, "cE-Id", "1");
  g_assert_true (amps_http_event_is_event (fixture->headers));
}

/* Whatever the first AMPS's SDK calls it, the bytes stay what they are. */
static void
test_structured (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const types[] = { NULL, "text/plain", "application/json",
                                       "application/cloudevents+json" };

  for (size_t i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (GPtrArray) events = NULL;
      g_autoptr (GError) error = NULL;

      if (types[i] != NULL)
        soup_message_headers_replace (fixture->headers, "Content-Type", types[i]);
      events = parse (fixture, EVENT, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (events->len, ==, 1);
      g_assert_cmpmem (g_bytes_get_data (events->pdata[0], NULL),
                       g_bytes_get_size (events->pdata[0]), EVENT, strlen (EVENT));
    }
}

static void
test_structured_wins (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) events = NULL;

  set_binary (fixture);
  soup_message_headers_replace (fixture->headers, "Content-Type", "application/cloudevents+json");
  events = parse (fixture, EVENT, NULL);
  g_assert_cmpmem (g_bytes_get_data (events->pdata[0], NULL), g_bytes_get_size (events->pdata[0]),
                   EVENT, strlen (EVENT));
}

static void
test_batch (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (GError) error = NULL;

  soup_message_headers_append (fixture->headers, "Content-Type",
                               "application/cloudevents-batch+json");
  events = parse (fixture, "[" EVENT " , " EVENT "]", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (events->len, ==, 2);
  g_assert_cmpmem (g_bytes_get_data (events->pdata[1], NULL), g_bytes_get_size (events->pdata[1]),
                   EVENT, strlen (EVENT));

  g_assert_null (parse (fixture, "not a batch", &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
}

static void
test_binary (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *event = NULL;

  set_binary (fixture);
  events = parse (fixture, "[1,2]", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (events->len, ==, 1);
  event =
      g_strndup (g_bytes_get_data (events->pdata[0], NULL), g_bytes_get_size (events->pdata[0]));
  g_assert_nonnull (strstr (event, "\"id\":\"a b\""));
  g_assert_nonnull (strstr (event, "\"data\":[1,2]"));
}

static void
test_binary_invalid (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) missing = NULL;
  g_autoptr (GError) encoding = NULL;

  set_binary (fixture);
  soup_message_headers_remove (fixture->headers, "ce-type");
  g_assert_null (parse (fixture, "1", &missing));
  g_assert_error (missing, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_nonnull (strstr (missing->message, "type"));

  soup_message_headers_append (fixture->headers, "ce-type", "%ff");
  g_assert_null (parse (fixture, "1", &encoding));
  g_assert_error (encoding, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_nonnull (strstr (encoding->message, "ce-type"));
}

/* Its name is part of the error, and that of answers. */
static void
test_header_name (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  soup_message_headers_append (fixture->headers, "ce-\xff\x1b", "%ff");
  g_assert_null (parse (fixture, "1", &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_nonnull (strstr (error->message, "ce-\xef\xbf\xbd\\u001b"));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/http-event/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("is-event", test_is_event);
  ADD ("structured", test_structured);
  ADD ("structured-wins", test_structured_wins);
  ADD ("batch", test_batch);
  ADD ("binary", test_binary);
  ADD ("binary-invalid", test_binary_invalid);
  ADD ("header-name", test_header_name);
  return g_test_run ();
}
