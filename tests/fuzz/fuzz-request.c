/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "event/amps-json-scanner.h"
#include "server/amps-request.h"

#include <string.h>

/* What AMPS understands of a call, written down in other words, it understands in
 * the same way. */

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* Each character as an escape. */
static void
append_text (GString *json, const char *text)
{
  g_autofree gunichar2 *units = g_utf8_to_utf16 (text, -1, NULL, NULL, NULL);

  g_assert_nonnull (units);
  g_string_append_c (json, '"');
  for (const gunichar2 *unit = units; *unit != 0; unit++)
    g_string_append_printf (json, "\\u%04x", *unit);
  g_string_append_c (json, '"');
}

static void
append_list (GString *json, GPtrArray *identifiers)
{
  g_string_append_c (json, '[');
  for (unsigned int i = 0; i < identifiers->len; i++)
    {
      g_string_append (json, i > 0 ? "," : "");
      append_text (json, g_ptr_array_index (identifiers, i));
    }
  g_string_append_c (json, ']');
}

static void
append_events (GString *json, GPtrArray *events)
{
  g_string_append (json, ",\"publish\":[");
  for (unsigned int i = 0; i < events->len; i++)
    {
      gsize size;
      const char *event = g_bytes_get_data (g_ptr_array_index (events, i), &size);

      g_string_append (json, i > 0 ? "," : "");
      g_string_append_len (json, event, (gssize) size);
    }
  g_string_append_c (json, ']');
}

static GBytes *
write_again (const AmpsRequest *request)
{
  GString *json = g_string_new ("{\"unknown\":{\"identifier\":1}");

  g_string_append_printf (json, ",\"reschedule\":%s,\"delay\":\"%" G_GINT64_FORMAT "us\"",
                          request->reschedule ? "true" : "false", request->delay);
  g_string_append_printf (json, ",\"extend\":\"%" G_GINT64_FORMAT "us\"", request->extend);
  if (request->reason != NULL)
    {
      g_string_append (json, ",\"reason\":");
      append_text (json, request->reason);
    }
  if (request->publish != NULL)
    append_events (json, request->publish);
  g_string_append (json, request->is_list ? ",\"identifiers\":" : ",\"identifier\":");
  if (request->is_list)
    append_list (json, request->identifiers);
  else
    append_text (json, g_ptr_array_index (request->identifiers, 0));
  g_string_append_c (json, '}');
  return g_string_free_to_bytes (json);
}

static void
assert_same (const AmpsRequest *first, const AmpsRequest *second)
{
  g_assert_cmpint (first->is_list, ==, second->is_list);
  g_assert_cmpint (first->reschedule, ==, second->reschedule);
  g_assert_cmpint (ABS (first->delay - second->delay), <=, 1);
  g_assert_cmpint (ABS (first->extend - second->extend), <=, 1);
  g_assert_cmpstr (first->reason, ==, second->reason);
  g_assert_cmpuint (first->identifiers->len, ==, second->identifiers->len);
  for (unsigned int i = 0; i < first->identifiers->len; i++)
    {
      g_assert_cmpstr (g_ptr_array_index (first->identifiers, i), ==,
                       g_ptr_array_index (second->identifiers, i));
      g_assert_cmpuint (strlen (g_ptr_array_index (first->identifiers, i)), >, 0);
    }
  g_assert_cmpuint (first->publish != NULL ? first->publish->len : 0, ==,
                    second->publish != NULL ? second->publish->len : 0);
  for (unsigned int i = 0; first->publish != NULL && i < first->publish->len; i++)
    g_assert_true (g_bytes_equal (g_ptr_array_index (first->publish, i),
                                  g_ptr_array_index (second->publish, i)));
}

/* A single event is looked into by who publishes it. */
static gboolean
has_events_only (const AmpsRequest *request)
{
  for (unsigned int i = 0; request->publish != NULL && i < request->publish->len; i++)
    {
      gsize size;
      const char *json = g_bytes_get_data (g_ptr_array_index (request->publish, i), &size);
      g_autoptr (AmpsCloudEvent) event =
          amps_cloud_event_scan (json, size, AMPS_EVENT_VALIDATION_STRICT, NULL);

      if (event == NULL)
        return FALSE;
    }

  return request->publish == NULL || request->publish->len > 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) body = g_bytes_new_static (data, size);
  g_autoptr (GBytes) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsRequest) strict = amps_request_parse (body, AMPS_EVENT_VALIDATION_STRICT, &error);
  g_autoptr (AmpsRequest) lenient = amps_request_parse (body, AMPS_EVENT_VALIDATION_LENIENT, NULL);
  g_autoptr (AmpsRequest) second = NULL;

  if (strict == NULL)
    {
      g_assert_true (error->domain == AMPS_ERROR && g_utf8_validate (error->message, -1, NULL));
      return 0;
    }

  g_assert_true (amps_json_check ((const char *) data, size, NULL));
  g_assert_nonnull (lenient);
  assert_same (strict, lenient);
  if (!has_events_only (strict))
    return 0;

  again = write_again (strict);
  second = amps_request_parse (again, AMPS_EVENT_VALIDATION_STRICT, &error);
  g_assert_no_error (error);
  assert_same (strict, second);
  return 0;
}
