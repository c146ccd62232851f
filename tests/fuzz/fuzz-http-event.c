/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "http/amps-http-event.h"

#include <string.h>

/* What AMPS makes of headers and a body is an event, and the same one if each
 * character of its attributes is encoded in another way. */

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* Returns: with @length, bytes of the head */
static SoupMessageHeaders *
parse_head (const char *text, gsize size, gsize *length)
{
  SoupMessageHeaders *headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  const char *end = size > 0 ? g_strstr_len (text, (gssize) size, "\r\n\r\n") : NULL;
  g_autofree char *head = NULL;

  *length = 0;
  if (end == NULL)
    return headers;

  *length = (gsize) (end - text) + 4;
  /* libsoup skips what would be the first line. */
  head = g_strdup_printf ("\r\n%.*s", (int) (*length - 2), text);
  if (!soup_headers_parse (head, (int) strlen (head), headers))
    soup_message_headers_clear (headers);
  return headers;
}

/* With all that is text, percent-encoded. */
static SoupMessageHeaders *
encode_again (SoupMessageHeaders *headers)
{
  SoupMessageHeaders *again = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  SoupMessageHeadersIter iter;
  const char *name, *value;

  soup_message_headers_iter_init (&iter, headers);
  while (soup_message_headers_iter_next (&iter, &name, &value))
    {
      gboolean is_attribute = g_ascii_strncasecmp (name, "ce-", 3) == 0;
      g_autofree char *decoded =
          is_attribute ? amps_cloud_event_decode_header (value, NULL) : g_strdup (value);
      g_autoptr (GString) encoded = g_string_new (NULL);

      for (const char *at = decoded; at != NULL && *at != '\0'; at++)
        g_string_append_printf (encoded, is_attribute ? "%%%02X" : "%c", (guchar) *at);
      soup_message_headers_append (again, name, encoded->str);
    }

  return again;
}

static gboolean
is_binary (SoupMessageHeaders *headers)
{
  const char *type = soup_message_headers_get_one (headers, "Content-Type");

  return amps_http_event_is_event (headers) &&
         (type == NULL || g_ascii_strncasecmp (type, "application/cloudevents", 23) != 0);
}

static void
check_event (GBytes *event, SoupMessageHeaders *headers, AmpsEventValidation validation)
{
  gsize length;
  const char *json = g_bytes_get_data (event, &length);
  const char *id = soup_message_headers_get_one (headers, "ce-id");
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsCloudEvent) scanned = amps_cloud_event_scan (json, length, validation, &error);

  g_assert_no_error (error);
  if (id != NULL)
    {
      g_autofree char *decoded = amps_cloud_event_decode_header (id, NULL);

      g_assert_cmpstr (scanned->id, ==, decoded);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gsize length;
  SoupMessageHeaders *headers = parse_head ((const char *) data, size, &length);
  g_autoptr (GBytes) body = g_bytes_new_static (data + length, size - length);

  for (unsigned int validation = AMPS_EVENT_VALIDATION_LENIENT;
       validation <= AMPS_EVENT_VALIDATION_STRICT; validation++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) events = amps_http_event_parse (headers, body, validation, &error);

      if (events == NULL)
        g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
      if (events == NULL || !is_binary (headers))
        continue;

      SoupMessageHeaders *encoded = encode_again (headers);
      g_autoptr (GPtrArray) again = amps_http_event_parse (encoded, body, validation, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (events->len, ==, 1);
      check_event (g_ptr_array_index (events, 0), headers, validation);
      g_assert_true (g_bytes_equal (g_ptr_array_index (events, 0), g_ptr_array_index (again, 0)));
      soup_message_headers_unref (encoded);
    }

  soup_message_headers_unref (headers);
  return 0;
}
