/* SPDX-License-Identifier: MIT */
#include "amps-cloudevent.h"

#include "amps-error.h"
#include "amps-event-attribute.h"
#include "amps-json-scanner.h"

#include <string.h>

/* Binary mode: the attributes travel as headers, the data as the body. */

static void
append_string (GString *json, const char *text)
{
  g_string_append_c (json, '"');
  for (const char *at = text; *at != '\0'; at++)
    {
      if (*at == '"' || *at == '\\')
        g_string_append_c (json, '\\');
      if ((guchar) *at < 0x20)
        g_string_append_printf (json, "\\u%04x", (unsigned int) *at);
      else
        g_string_append_c (json, *at);
    }
  g_string_append_c (json, '"');
}

static void
append_member (GString *json, const char *name, const char *text)
{
  g_string_append (json, json->len > 1 ? "," : "");
  append_string (json, name);
  g_string_append_c (json, ':');
  append_string (json, text);
}

/* The scan checks the rest; these two it could not tell from the data, or not name. */
static gboolean
append_attribute (GString *json, const char *name, const char *value, GError **error)
{
  if (!g_utf8_validate (name, -1, NULL))
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
                           "an attribute's name is not UTF-8");
      return FALSE;
    }

  if (!amps_event_attribute_check_name (name, strlen (name), error))
    return FALSE;

  if (!g_utf8_validate (value, -1, NULL))
    {
      amps_event_attribute_set_error (error, name, strlen (name), "is not UTF-8");
      return FALSE;
    }

  append_member (json, name, value);
  return TRUE;
}

/* JSON format, section 3.1.1: what is declared as JSON, and without a type all is. */
static gboolean
is_json_type (const char *content_type)
{
  gsize length;
  g_autofree char *type = NULL;

  if (content_type == NULL)
    return TRUE;

  length = strcspn (content_type, "; \t");
  type = g_ascii_strdown (content_type, (gssize) length);
  return g_str_has_suffix (type, "/json") || g_str_has_suffix (type, "+json");
}

/* Text in another charset would be read wrongly as a JSON string's. */
static gboolean
is_utf8_text_type (const char *content_type)
{
  g_autofree char *type = g_ascii_strdown (content_type != NULL ? content_type : "", -1);
  const char *charset = strstr (type, "charset=");

  if (!g_str_has_prefix (type, "text/"))
    return FALSE;
  if (charset == NULL)
    return TRUE;

  charset += strlen ("charset=");
  if (*charset == '"')
    charset++;
  return g_str_has_prefix (charset, "utf-8") || g_str_has_prefix (charset, "us-ascii");
}

/* Whether it can stand in an event, one level down. */
static gboolean
is_json (const char *data, gsize length)
{
  AmpsJsonScanner scanner;
  AmpsJsonValue value;

  amps_json_scanner_init (&scanner, data, length);
  return amps_json_scanner_read_value (&scanner, 1, &value) && amps_json_scanner_finish (&scanner);
}

static void
append_data (GString *json, const char *content_type, const char *data, gsize length)
{
  if (length == 0)
    return;

  if (is_json_type (content_type) && is_json (data, length))
    {
      g_string_append (json, ",\"data\":");
      g_string_append_len (json, data, (gssize) length);
      return;
    }

  if (is_utf8_text_type (content_type) && g_utf8_validate_len (data, length, NULL))
    {
      g_autofree char *text = g_strndup (data, length);

      append_member (json, "data", text);
      return;
    }

  g_autofree char *base64 = g_base64_encode ((const guchar *) data, length);

  append_member (json, "data_base64", base64);
}

/**
 * amps_cloud_event_from_binary:
 * @attributes: (array length=n_attributes): the attributes, names in lower case
 * @n_attributes: how many
 * @content_type: (nullable): becomes `datacontenttype`, unless it is empty
 * @data: becomes `data`: as it is if it is JSON by type and by content, a string
 *   if it is text in UTF-8; else `data_base64`. Nothing if it is empty
 * @error: return location: %AMPS_ERROR_INVALID_EVENT, naming the attribute
 *
 * Turns an event in binary mode into one in structured mode. Callable from any
 * thread.
 *
 * Returns: (transfer full) (nullable): a valid event
 */
GBytes *
amps_cloud_event_from_binary (const AmpsAttribute *attributes, gsize n_attributes,
                              const char *content_type, GBytes *data, GError **error)
{
  g_autoptr (AmpsCloudEvent) event = NULL;
  gsize length;
  const char *bytes = g_bytes_get_data (data, &length);
  g_autoptr (GString) json = g_string_sized_new (length + 512);

  if (content_type != NULL && *content_type == '\0')
    content_type = NULL;

  g_string_append_c (json, '{');
  for (gsize i = 0; i < n_attributes; i++)
    {
      if (!append_attribute (json, attributes[i].name, attributes[i].value, error))
        return NULL;
    }
  if (content_type != NULL && !append_attribute (json, "datacontenttype", content_type, error))
    return NULL;
  append_data (json, content_type, bytes, length);
  g_string_append_c (json, '}');

  event = amps_cloud_event_scan (json->str, json->len, error);
  if (event == NULL)
    return NULL;

  return g_string_free_to_bytes (g_steal_pointer (&json));
}

/* @quote is the opening one. Returns: (nullable): the closing one */
static const char *
find_closing_quote (const char *quote)
{
  const char *at = quote + 1;

  while (*at != '\0' && *at != '"')
    at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;

  return *at == '"' ? at : NULL;
}

/* RFC 9110, section 5.6.4. A quote without its other half stands for itself. */
static GString *
unquote (const char *value)
{
  GString *text = g_string_sized_new (strlen (value));
  const char *closing = NULL;

  for (const char *at = value; *at != '\0'; at++)
    {
      if (at == closing)
        {
          closing = NULL;
          continue;
        }

      if (closing == NULL && *at == '"' && (closing = find_closing_quote (at)) != NULL)
        continue;

      if (closing != NULL && *at == '\\')
        at++;
      g_string_append_c (text, *at);
    }

  return text;
}

/* One round, in place. A percent sign that encodes nothing stands for itself, as
 * older senders leave it. */
static void
decode_percent (GString *text)
{
  gsize length = 0;

  for (const char *at = text->str; *at != '\0'; at++)
    {
      char c = *at;

      if (c == '%' && g_ascii_isxdigit (at[1]) && g_ascii_isxdigit (at[2]))
        {
          c = (char) (g_ascii_xdigit_value (at[1]) << 4 | g_ascii_xdigit_value (at[2]));
          at += 2;
        }
      text->str[length++] = c;
    }

  g_string_truncate (text, length);
}

/**
 * amps_cloud_event_decode_header:
 * @value: of a header of the HTTP binding's binary mode
 * @error: return location: %AMPS_ERROR_INVALID_EVENT
 *
 * Undoes quoting, then percent-encoding (HTTP binding, section 3.1.3.2).
 *
 * Returns: (transfer full) (nullable): the attribute's value, in UTF-8
 */
char *
amps_cloud_event_decode_header (const char *value, GError **error)
{
  g_autoptr (GString) text = unquote (value);

  decode_percent (text);
  /* U+FFFD that is not encoded stands where libsoup found no UTF-8. */
  if (strstr (value, "\xEF\xBF\xBD") != NULL || !g_utf8_validate_len (text->str, text->len, NULL))
    {
      g_set_error_literal (
          error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
          "an attribute in a header is not percent-encoded UTF-8, or holds U+0000");
      return NULL;
    }

  return g_string_free (g_steal_pointer (&text), FALSE);
}
