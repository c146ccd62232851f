/* SPDX-License-Identifier: MIT */
#include "amps-http-event.h"

#include "base/amps-foreign-text.h"
#include "event/amps-cloudevent.h"

#include <string.h>

#define ATTRIBUTE_PREFIX "ce-"
#define BATCH_TYPE "application/cloudevents-batch"
#define STRUCTURED_TYPE "application/cloudevents"

static gboolean
has_type (SoupMessageHeaders *headers, const char *type)
{
  const char *content_type = soup_message_headers_get_one (headers, "Content-Type");

  return content_type != NULL && g_ascii_strncasecmp (content_type, type, strlen (type)) == 0;
}

static gboolean
is_attribute (const char *header)
{
  return g_ascii_strncasecmp (header, ATTRIBUTE_PREFIX, strlen (ATTRIBUTE_PREFIX)) == 0;
}

static gboolean
has_attributes (SoupMessageHeaders *headers)
{
  SoupMessageHeadersIter iter;
  const char *name, *value;

  soup_message_headers_iter_init (&iter, headers);
  while (soup_message_headers_iter_next (&iter, &name, &value))
    if (is_attribute (name))
      return TRUE;
  return FALSE;
}

/**
 * amps_http_event_is_event:
 * @headers: of a request or an answer
 *
 * Returns: whether it calls itself a CloudEvent, in structured, batched or
 *   binary mode
 */
gboolean
amps_http_event_is_event (SoupMessageHeaders *headers)
{
  return has_type (headers, STRUCTURED_TYPE) || has_attributes (headers);
}

static GBytes *
parse_binary (SoupMessageHeaders *headers, GBytes *body, AmpsEventValidation validation,
              GError **error)
{
  g_autoptr (GArray) attributes = amps_cloud_event_new_attributes ();
  SoupMessageHeadersIter iter;
  const char *header, *encoded;

  soup_message_headers_iter_init (&iter, headers);
  while (soup_message_headers_iter_next (&iter, &header, &encoded))
    {
      if (!is_attribute (header))
        continue;

      char *value = amps_cloud_event_decode_header (encoded, error);

      if (value == NULL)
        {
          g_autofree char *readable = amps_foreign_text_dup (header, -1);

          g_prefix_error (error, "header “%s”: ", readable);
          return NULL;
        }
      AmpsAttribute attribute = { g_ascii_strdown (header + strlen (ATTRIBUTE_PREFIX), -1), value,
                                  FALSE };
      g_array_append_val (attributes, attribute);
    }

  return amps_cloud_event_from_binary (
      (const AmpsAttribute *) (gpointer) attributes->data, attributes->len,
      soup_message_headers_get_one (headers, "Content-Type"), body, validation, error);
}

/**
 * amps_http_event_parse:
 * @headers: of a request or an answer
 * @body: its body
 * @validation: what an event must be
 * @error: return location: %AMPS_ERROR_INVALID_EVENT
 *
 * Takes the events out of an HTTP message: binary mode is turned into
 * structured mode, a batch is split. A body that says nothing of its mode is
 * taken for an event in structured mode, which is not looked into here.
 *
 * Returns: (transfer full) (nullable) (element-type GBytes): events in
 *   structured mode
 */
GPtrArray *
amps_http_event_parse (SoupMessageHeaders *headers, GBytes *body, AmpsEventValidation validation,
                       GError **error)
{
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (GBytes) event = NULL;

  if (has_type (headers, BATCH_TYPE))
    return amps_cloud_event_split_batch (body, validation, error);

  if (has_type (headers, STRUCTURED_TYPE) || !has_attributes (headers))
    event = g_bytes_ref (body);
  else
    event = parse_binary (headers, body, validation, error);
  if (event == NULL)
    return NULL;

  events = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_ptr_array_add (events, g_steal_pointer (&event));
  return g_steal_pointer (&events);
}
