/* SPDX-License-Identifier: MIT */
#include "amps-cloudevent.h"

#include "amps-error.h"
#include "amps-event-attribute.h"
#include "amps-json-scanner.h"

#include <string.h>

/* What one pass over the members of an event has found. */
typedef struct {
  AmpsCloudEvent *event;
  gboolean has_specversion;
  gboolean has_data;
  gboolean has_data_base64;
  GPtrArray *names; /* (owned) of (owned) char*: to find one that comes twice */
} Scan;

static void
scan_clear (Scan *scan)
{
  g_clear_pointer (&scan->event, amps_cloud_event_free);
  g_clear_pointer (&scan->names, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scan, scan_clear)

/**
 * amps_cloud_event_free:
 * @self: (transfer full): an event
 */
void
amps_cloud_event_free (AmpsCloudEvent *self)
{
  g_free (self->id);
  g_free (self->source);
  g_free (self->type);
  g_free (self->traceparent);
  g_free (self->tracestate);
  g_free (self);
}

static char **
get_kept (AmpsCloudEvent *event, const char *name)
{
  const struct {
    const char *name;
    char **place;
  } kept[] = {
    { "id", &event->id },
    { "source", &event->source },
    { "type", &event->type },
    { "traceparent", &event->traceparent },
    { "tracestate", &event->tracestate },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      if (strcmp (kept[i].name, name) == 0)
        return kept[i].place;
    }

  return NULL;
}

static gboolean
scan_attribute (Scan *scan, const char *name, const AmpsJsonValue *value, GError **error)
{
  g_autofree char *text = NULL;
  char **kept;

  /* JSON format, section 2.2: null is the same as absent. */
  if (value->kind == AMPS_JSON_NULL)
    return TRUE;

  if (!amps_event_attribute_check (name, value, &text, error))
    return FALSE;

  if (strcmp (name, "specversion") == 0)
    scan->has_specversion = TRUE;

  kept = get_kept (scan->event, name);
  if (kept != NULL)
    *kept = g_steal_pointer (&text);
  return TRUE;
}

static gboolean
scan_member (Scan *scan, const AmpsJsonValue *name, const AmpsJsonValue *value, GError **error)
{
  char *text = amps_json_value_unescape (name);

  if (text == NULL || g_ptr_array_find_with_equal_func (scan->names, text, g_str_equal, NULL))
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "“%.40s” is there twice",
                   text != NULL ? text : "");
      g_free (text);
      return FALSE;
    }
  g_ptr_array_add (scan->names, text);

  if (strcmp (text, "data") == 0)
    scan->has_data = TRUE;
  else if (strcmp (text, "data_base64") == 0)
    {
      scan->has_data_base64 = value->kind != AMPS_JSON_NULL;
      return amps_event_attribute_check_base64 (value, error);
    }
  else
    return scan_attribute (scan, text, value, error);

  return TRUE;
}

static gboolean
check_required (const Scan *scan, GError **error)
{
  const char *missing = NULL;

  if (!scan->has_specversion)
    missing = "specversion";
  else if (scan->event->id == NULL)
    missing = "id";
  else if (scan->event->source == NULL)
    missing = "source";
  else if (scan->event->type == NULL)
    missing = "type";

  if (missing != NULL)
    g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "“%s” is missing", missing);
  else if (scan->has_data && scan->has_data_base64)
    g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
                         "there are both “data” and “data_base64”");
  else
    return TRUE;

  return FALSE;
}

static gboolean
fail_scan (AmpsJsonScanner *scanner, GError **error)
{
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "not JSON: %s at byte %zu",
               scanner->problem, amps_json_scanner_get_offset (scanner));
  return FALSE;
}

static gboolean
scan_members (Scan *scan, AmpsJsonScanner *scanner, GError **error)
{
  AmpsJsonValue name;
  AmpsJsonValue value;

  if (!amps_json_scanner_enter (scanner, '{'))
    return fail_scan (scanner, error);

  for (gboolean first = TRUE; amps_json_scanner_next_item (scanner, '{', first); first = FALSE)
    {
      if (!amps_json_scanner_read_name (scanner, &name) ||
          !amps_json_scanner_read_value (scanner, 1, &value))
        return fail_scan (scanner, error);
      if (!scan_member (scan, &name, &value, error))
        return FALSE;
    }

  return scanner->problem == NULL || fail_scan (scanner, error);
}

/**
 * amps_cloud_event_scan:
 * @json: an event in structured mode
 * @length: its bytes
 * @error: return location: %AMPS_ERROR_INVALID_EVENT, naming the attribute
 *
 * Checks an event against CloudEvents 1.0.2 and its JSON format, in one strict
 * pass over the bytes. Callable from any thread.
 *
 * Returns: (transfer full) (nullable): what AMPS needs to know of it
 */
AmpsCloudEvent *
amps_cloud_event_scan (const char *json, gsize length, GError **error)
{
  g_auto (Scan) scan = { 0 };
  AmpsJsonScanner scanner;

  scan.event = g_new0 (AmpsCloudEvent, 1);
  scan.names = g_ptr_array_new_with_free_func (g_free);
  amps_json_scanner_init (&scanner, json, length);

  if (!scan_members (&scan, &scanner, error))
    return NULL;

  if (!amps_json_scanner_finish (&scanner))
    {
      fail_scan (&scanner, error);
      return NULL;
    }

  if (!check_required (&scan, error))
    return NULL;

  return g_steal_pointer (&scan.event);
}

/**
 * amps_cloud_event_split_batch:
 * @batch: events in batched mode
 * @error: return location: %AMPS_ERROR_INVALID_EVENT
 *
 * Callable from any thread.
 *
 * Returns: (transfer full) (nullable) (element-type GBytes): the events in it,
 *   each valid and byte for byte
 */
GPtrArray *
amps_cloud_event_split_batch (GBytes *batch, GError **error)
{
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  AmpsJsonScanner scanner;
  AmpsJsonValue item;
  gsize length;
  const char *json = g_bytes_get_data (batch, &length);

  amps_json_scanner_init (&scanner, json, length);
  if (!amps_json_scanner_enter (&scanner, '['))
    {
      fail_scan (&scanner, error);
      return NULL;
    }

  while (amps_json_scanner_next_item (&scanner, '[', events->len == 0) &&
         amps_json_scanner_read_value (&scanner, 1, &item))
    {
      gsize item_length = (gsize) (item.end - item.start);
      g_autoptr (AmpsCloudEvent) event = NULL;

      if (item.kind == AMPS_JSON_OBJECT)
        event = amps_cloud_event_scan (item.start, item_length, error);
      else
        g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "not an object");

      if (event == NULL)
        {
          g_prefix_error (error, "event %u: ", events->len);
          return NULL;
        }
      g_ptr_array_add (events,
                       g_bytes_new_from_bytes (batch, (gsize) (item.start - json), item_length));
    }

  if (scanner.problem == NULL)
    amps_json_scanner_finish (&scanner);
  if (scanner.problem != NULL)
    {
      fail_scan (&scanner, error);
      return NULL;
    }

  return g_steal_pointer (&events);
}

/* Binary mode */

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

/* JSON format, section 3.1: JSON data are embedded as they are. */
static gboolean
is_json_type (const char *content_type)
{
  gsize length = strcspn (content_type, "; \t");
  g_autofree char *type = g_ascii_strdown (content_type, (gssize) length);

  return g_str_has_suffix (type, "/json") || g_str_has_suffix (type, "+json");
}

static void
append_data (GString *json, const char *content_type, const char *data, gsize length)
{
  g_autofree char *base64 = NULL;

  if (length == 0)
    return;

  if ((content_type == NULL || is_json_type (content_type)) && amps_json_check (data, length, NULL))
    {
      g_string_append (json, ",\"data\":");
      g_string_append_len (json, data, (gssize) length);
      return;
    }

  if (content_type != NULL && g_ascii_strncasecmp (content_type, "text/", 5) == 0 &&
      g_utf8_validate_len (data, length, NULL))
    {
      g_autofree char *text = g_strndup (data, length);

      append_member (json, "data", text);
      return;
    }

  base64 = g_base64_encode ((const guchar *) data, length);
  append_member (json, "data_base64", base64);
}

/**
 * amps_cloud_event_from_binary:
 * @attributes: (array length=n_attributes): the attributes
 * @n_attributes: how many
 * @content_type: (nullable): becomes `datacontenttype`
 * @data: becomes `data`, or `data_base64` when it is neither JSON nor text
 * @error: return location: %AMPS_ERROR_INVALID_EVENT
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
  GString *json = g_string_sized_new (length + 512);

  g_string_append_c (json, '{');
  for (gsize i = 0; i < n_attributes; i++)
    append_member (json, attributes[i].name, attributes[i].value);
  if (content_type != NULL)
    append_member (json, "datacontenttype", content_type);
  append_data (json, content_type, bytes, length);
  g_string_append_c (json, '}');

  event = amps_cloud_event_scan (json->str, json->len, error);
  if (event == NULL)
    {
      g_string_free (json, TRUE);
      return NULL;
    }

  return g_string_free_to_bytes (json);
}

/**
 * amps_cloud_event_decode_header:
 * @value: of a header of the HTTP binding's binary mode
 * @error: return location: %AMPS_ERROR_INVALID_EVENT
 *
 * Undoes quoting and percent-encoding (HTTP binding, section 3.1.3.2).
 *
 * Returns: (transfer full) (nullable): the attribute's value, in UTF-8
 */
char *
amps_cloud_event_decode_header (const char *value, GError **error)
{
  gsize length = strlen (value);
  gboolean quoted = length >= 2 && value[0] == '"' && value[length - 1] == '"';
  const char *end = value + length - (quoted ? 1 : 0);
  g_autoptr (GString) text = g_string_sized_new (length);

  for (const char *at = value + (quoted ? 1 : 0); at < end; at++)
    {
      if (quoted && *at == '\\' && at + 1 < end)
        {
          g_string_append_c (text, *++at);
        }
      else if (*at == '%' && end - at > 2 && g_ascii_isxdigit (at[1]) && g_ascii_isxdigit (at[2]))
        {
          g_string_append_c (
              text, (char) (g_ascii_xdigit_value (at[1]) << 4 | g_ascii_xdigit_value (at[2])));
          at += 2;
        }
      else
        {
          g_string_append_c (text, *at);
        }
    }

  if (!g_utf8_validate_len (text->str, text->len, NULL))
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
                           "an attribute in a header is not UTF-8");
      return NULL;
    }

  return g_string_free (g_steal_pointer (&text), FALSE);
}
