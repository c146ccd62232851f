/* SPDX-License-Identifier: MIT */
#include "amps-cloudevent.h"

#include "amps-event-attribute.h"
#include "amps-json-scanner.h"
#include "base/amps-error.h"

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
append_member (GString *json, const char *name, const char *text, gboolean is_literal)
{
  g_string_append (json, json->len > 1 ? "," : "");
  append_string (json, name);
  g_string_append_c (json, ':');
  if (is_literal)
    g_string_append (json, text);
  else
    append_string (json, text);
}

static gboolean
cloudevent_binary_fail (const char *name, const char *problem, GError **error)
{
  amps_event_attribute_set_error (error, name, strlen (name), problem);
  return FALSE;
}

/* The scan checks the rest; these it could not tell from the data, or not name. */
static gboolean
check_attribute (const AmpsAttribute *attribute, GError **error)
{
  AmpsEventMember member;

  if (!g_utf8_validate (attribute->name, -1, NULL))
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
                           "an attribute's name is not UTF-8");
      return FALSE;
    }

  member = amps_event_member_find (attribute->name, strlen (attribute->name));
  if (member == AMPS_EVENT_DATA || member == AMPS_EVENT_DATA_BASE64)
    return cloudevent_binary_fail (attribute->name, "can't be the name of an attribute", error);
  if (!g_utf8_validate (attribute->value, -1, NULL))
    return cloudevent_binary_fail (attribute->name, "is not UTF-8", error);
  return TRUE;
}

/* Names of headers differ in case, and a header may come twice. Saying the same
 * again changes nothing. */
static gboolean
is_repetition (const AmpsAttribute *attribute, const AmpsAttribute *earlier)
{
  return attribute->is_literal == earlier->is_literal &&
         g_str_equal (attribute->value, earlier->value);
}

/* Returns: (nullable): the attributes by their names */
static GHashTable *
append_attributes (GString *json, const AmpsAttribute *attributes, gsize n_attributes,
                   GError **error)
{
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);

  for (gsize i = 0; i < n_attributes; i++)
    {
      const AmpsAttribute *attribute = &attributes[i];
      const AmpsAttribute *earlier = g_hash_table_lookup (by_name, attribute->name);

      if (!check_attribute (attribute, error))
        return NULL;
      if (earlier != NULL && !is_repetition (attribute, earlier))
        {
          cloudevent_binary_fail (attribute->name, "is there twice, with different values", error);
          return NULL;
        }
      if (earlier != NULL)
        continue;

      g_hash_table_insert (by_name, (gpointer) attribute->name, (gpointer) attribute);
      /* It is appended when it has met the content type. */
      if (amps_event_member_find (attribute->name, strlen (attribute->name)) !=
          AMPS_EVENT_DATACONTENTTYPE)
        append_member (json, attribute->name, attribute->value, attribute->is_literal);
    }

  return g_steal_pointer (&by_name);
}

/* Returns: (transfer full): what is behind the first semicolon, in lower case */
static char *
dup_parameters (const char *media_type)
{
  const char *semicolon = strchr (media_type, ';');

  return semicolon != NULL ? g_strstrip (g_ascii_strdown (semicolon + 1, -1)) : g_strdup ("");
}

static gboolean
is_same_type (const char *a, const char *b)
{
  gsize length = strcspn (a, "; \t");

  return strcspn (b, "; \t") == length && g_ascii_strncasecmp (a, b, length) == 0;
}

/* Some SDKs say it twice: as the content type, as the binding has it, and as an
 * attribute. HTTP libraries add a charset to the former.
 *
 * Returns: (nullable): the one that counts; if they differ, @error is set */
static const char *
join_content_types (const AmpsAttribute *declared, const char *content_type, GError **error)
{
  g_autofree char *ours = NULL;
  g_autofree char *theirs = NULL;

  if (declared == NULL || content_type == NULL)
    return declared == NULL ? content_type : declared->value;

  ours = dup_parameters (content_type);
  theirs = dup_parameters (declared->value);
  if (declared->is_literal || !is_same_type (content_type, declared->value) ||
      (*ours != '\0' && *theirs != '\0' && !g_str_equal (ours, theirs)))
    {
      cloudevent_binary_fail (declared->name, "differs from the content type", error);
      return NULL;
    }

  return *ours != '\0' || *theirs == '\0' ? content_type : declared->value;
}

/* @content_type: (inout) (nullable): the message's; then the event's */
static gboolean
append_context (GString *json, const AmpsAttribute *attributes, gsize n_attributes,
                const char **content_type, GError **error)
{
  g_autoptr (GHashTable) by_name = append_attributes (json, attributes, n_attributes, error);
  const AmpsAttribute *declared;
  const char *message_type = *content_type;
  AmpsAttribute joined = { amps_event_member_get_name (AMPS_EVENT_DATACONTENTTYPE), NULL, FALSE };

  if (by_name == NULL)
    return FALSE;

  declared = g_hash_table_lookup (by_name, joined.name);
  joined.is_literal = declared != NULL && declared->is_literal;
  joined.value = *content_type = join_content_types (declared, message_type, error);
  if (joined.value == NULL)
    return declared == NULL && message_type == NULL;
  if (!check_attribute (&joined, error))
    return FALSE;

  append_member (json, joined.name, joined.value, joined.is_literal);
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
is_json (const char *data, gsize length, AmpsEventValidation validation)
{
  AmpsJsonScanner scanner;
  AmpsJsonValue value;

  amps_json_scanner_init (&scanner, data, length);
  scanner.takes_halves = validation == AMPS_EVENT_VALIDATION_LENIENT;
  return amps_json_scanner_read_value (&scanner, 1, &value) && amps_json_scanner_finish (&scanner);
}

static void
append_data (GString *json, const char *content_type, const char *data, gsize length,
             AmpsEventValidation validation)
{
  if (length == 0)
    return;

  if (is_json_type (content_type) && is_json (data, length, validation))
    {
      g_string_append (json, json->len > 1 ? ",\"data\":" : "\"data\":");
      g_string_append_len (json, data, (gssize) length);
      return;
    }

  if (is_utf8_text_type (content_type) && g_utf8_validate_len (data, length, NULL))
    {
      g_autofree char *text = g_strndup (data, length);

      append_member (json, "data", text, FALSE);
      return;
    }

  g_autofree char *base64 = g_base64_encode ((const guchar *) data, length);

  append_member (json, "data_base64", base64, FALSE);
}

static void
attribute_clear (gpointer data)
{
  AmpsAttribute *attribute = data;

  g_free ((char *) attribute->name);
  g_free ((char *) attribute->value);
}

/**
 * amps_cloud_event_new_attributes:
 *
 * Returns: (transfer full) (element-type AmpsAttribute): an empty array, which frees the
 *   names and values of what is added
 */
GArray *
amps_cloud_event_new_attributes (void)
{
  GArray *attributes = g_array_new (FALSE, FALSE, sizeof (AmpsAttribute));

  g_array_set_clear_func (attributes, attribute_clear);
  return attributes;
}

/**
 * amps_cloud_event_from_binary:
 * @attributes: (array length=n_attributes): the attributes, names in lower case
 * @n_attributes: how many
 * @content_type: (nullable): becomes `datacontenttype`, unless it is empty. One
 *   among @attributes may say the same
 * @data: becomes `data`: as it is if it is JSON by type and by content, a string
 *   if it is text in UTF-8; else `data_base64`. Nothing if it is empty
 * @validation: what the event must be
 * @error: return location: %AMPS_ERROR_INVALID_EVENT, naming the attribute
 *
 * Turns an event in binary mode into one in structured mode. Callable from any
 * thread.
 *
 * Returns: (transfer full) (nullable): a valid event
 */
GBytes *
amps_cloud_event_from_binary (const AmpsAttribute *attributes, gsize n_attributes,
                              const char *content_type, GBytes *data,
                              AmpsEventValidation validation, GError **error)
{
  g_autoptr (AmpsCloudEvent) event = NULL;
  gsize length;
  const char *bytes = g_bytes_get_data (data, &length);
  g_autoptr (GString) json = g_string_sized_new (length + 512);

  if (content_type != NULL && *content_type == '\0')
    content_type = NULL;

  g_string_append_c (json, '{');
  if (!append_context (json, attributes, n_attributes, &content_type, error))
    return NULL;
  append_data (json, content_type, bytes, length, validation);
  g_string_append_c (json, '}');

  event = amps_cloud_event_scan (json->str, json->len, validation, error);
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
cloudevent_binary_unquote (const char *value)
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
  g_autoptr (GString) text = cloudevent_binary_unquote (value);

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
