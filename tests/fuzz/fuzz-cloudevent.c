/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "event/amps-cloudevent.h"
#include "event/amps-json-scanner.h"

#include <json-glib/json-glib.h>
#include <string.h>
#ifdef HAVE_JANSSON
#include "strict-json.h"
#endif

/* Whatever the bytes are, AMPS takes for JSON what others take for JSON, and what
 * it makes of an event is an event again. */

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
assert_readable (const GError *error, int code)
{
  g_assert_error (error, AMPS_ERROR, code);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_cmpuint (strlen (error->message), <, 250);
  for (const char *at = error->message; *at != '\0'; at = g_utf8_next_char (at))
    g_assert_true (g_unichar_isprint (g_utf8_get_char (at)));
}

/* json-glib is lax: it must take all that AMPS takes, and may take more. It
 * recurses, so it gets nothing that AMPS has not taken. */
static JsonParser *
parse_laxly (const char *json, gsize size)
{
  JsonParser *parser = json_parser_new_immutable ();
  g_autoptr (GError) error = NULL;

  json_parser_load_from_data (parser, json, (gssize) size, &error);
  g_assert_no_error (error);
  g_assert_nonnull (json_parser_get_root (parser));
  return parser;
}

static JsonParser *
check_grammar (const char *json, gsize size)
{
  g_autoptr (GError) error = NULL;
  gboolean accepted = amps_json_check (json, size, &error);

#ifdef HAVE_JANSSON
  assert_strict_json (json, size, AMPS_JSON_MAX_DEPTH, accepted);
#endif
  if (accepted)
    return parse_laxly (json, size);

  assert_readable (error, AMPS_ERROR_INVALID_ARGUMENT);
  return NULL;
}

static void
assert_members (JsonObject *object)
{
  for (g_autoptr (GList) names = json_object_get_members (object); names != NULL;
       names = g_list_delete_link (names, names))
    {
      const char *name = names->data;

      g_assert_true (
          g_str_equal (name, "data_base64") ||
          (*name != '\0' && name[strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789")] == '\0'));
    }

  g_assert_true (g_str_has_prefix (json_object_get_string_member (object, "specversion"), "1.0"));
  g_assert_false (json_object_has_member (object, "data") &&
                  json_object_has_member (object, "data_base64") &&
                  !json_object_get_null_member (object, "data_base64"));
}

/* With U+FFFD in place of each half of a surrogate pair that stands alone: JSON's
 * grammar allows them, but most parsers don't. */
static char *
replace_halves (const char *json, gsize size)
{
  char *text = g_strndup (json, size);

  for (char *at = text; (at = strchr (at, '\\')) != NULL; at += at[1] == 'u' ? 6 : 2)
    {
      guint64 high = g_ascii_strtoull (at + 2, NULL, 16);

      if (at[1] != 'u' || g_ascii_toupper (at[2]) != 'D' || g_ascii_xdigit_value (at[3]) < 8)
        continue;

      g_autofree char *digits = g_strndup (at + 2, 4);

      high = g_ascii_strtoull (digits, NULL, 16);
      if (high < 0xdc00 && at[6] == '\\' && at[7] == 'u' && g_ascii_toupper (at[8]) == 'D' &&
          g_ascii_xdigit_value (at[9]) >= 0xc)
        at += 6;
      else
        memcpy (at + 2, "fffd", 4);
    }

  return text;
}

/* A lenient check takes all that a strict one takes, sees faults in nothing else,
 * and takes nothing but an object. */
static void
check_leniently (const char *json, gsize size, const AmpsCloudEvent *strict)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsCloudEvent) event =
      amps_cloud_event_scan (json, size, AMPS_EVENT_VALIDATION_LENIENT, &error);
  g_autoptr (JsonParser) parsed = NULL;
  g_autofree char *text = NULL;

  if (event == NULL)
    {
      assert_readable (error, AMPS_ERROR_INVALID_EVENT);
      g_assert_null (strict);
      return;
    }

  g_assert_cmpint (event->faults == NULL, ==, strict != NULL);
  if (strict != NULL)
    {
      g_assert_cmpstr (event->id, ==, strict->id);
      g_assert_cmpstr (event->source, ==, strict->source);
      g_assert_cmpstr (event->type, ==, strict->type);
      g_assert_cmpstr (event->traceparent, ==, strict->traceparent);
      g_assert_cmpstr (event->tracestate, ==, strict->tracestate);
      return;
    }

  text = replace_halves (json, size);
  g_assert_cmpuint (strlen (text), ==, size);
  g_assert_true (amps_json_check (text, size, NULL));
#ifdef HAVE_JANSSON
  assert_strict_json (text, size, AMPS_JSON_MAX_DEPTH, TRUE);
#endif
  parsed = parse_laxly (text, size);

  JsonObject *object = json_node_get_object (json_parser_get_root (parsed));

  g_assert_cmpstr (event->id, ==, json_object_get_string_member (object, "id"));
  g_assert_cmpstr (event->source, ==, json_object_get_string_member (object, "source"));
  g_assert_cmpstr (event->type, ==, json_object_get_string_member (object, "type"));
  g_assert_true (*event->id != '\0' && *event->source != '\0' && *event->type != '\0');
}

static gboolean
check_event (const char *json, gsize size, JsonParser *parsed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsCloudEvent) event =
      amps_cloud_event_scan (json, size, AMPS_EVENT_VALIDATION_STRICT, &error);

  check_leniently (json, size, event);

  if (event == NULL)
    {
      assert_readable (error, AMPS_ERROR_INVALID_EVENT);
      return FALSE;
    }

  g_assert_nonnull (parsed);

  JsonObject *object = json_node_get_object (json_parser_get_root (parsed));

  assert_members (object);
  g_assert_cmpstr (event->id, ==, json_object_get_string_member (object, "id"));
  g_assert_cmpstr (event->source, ==, json_object_get_string_member (object, "source"));
  g_assert_cmpstr (event->type, ==, json_object_get_string_member (object, "type"));
  if (event->traceparent != NULL)
    g_assert_cmpstr (event->traceparent, ==, json_object_get_string_member (object, "traceparent"));
  return TRUE;
}

static void
assert_slices (GBytes *batch, GPtrArray *events, AmpsEventValidation validation)
{
  gsize batch_size, size;
  const char *start = g_bytes_get_data (batch, &batch_size);
  const char *behind = start;

  for (unsigned int i = 0; i < events->len; i++)
    {
      const char *json = g_bytes_get_data (g_ptr_array_index (events, i), &size);
      g_autoptr (AmpsCloudEvent) event = amps_cloud_event_scan (json, size, validation, NULL);

      g_assert_nonnull (event);
      g_assert_true (json > behind && json + size < start + batch_size);
      g_assert_true (json[0] == '{' && json[size - 1] == '}');
      behind = json + size;
    }
}

static void
check_batch (const char *json, gsize size, AmpsEventValidation validation)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) batch = g_bytes_new_static (json, size);
  g_autoptr (GPtrArray) events = amps_cloud_event_split_batch (batch, validation, &error);

  if (events == NULL)
    {
      assert_readable (error, AMPS_ERROR_INVALID_EVENT);
      return;
    }

  g_assert_true (amps_json_check (json, size, NULL) || events->len > 0);
  assert_slices (batch, events, validation);
}

/* A batch of twice the same input is one of two events, if the input is one. */
static void
check_pair (const char *json, gsize size, gboolean is_event)
{
  GString *text = g_string_new ("[");
  g_autoptr (GBytes) batch = NULL;
  g_autoptr (GPtrArray) events = NULL;

  g_string_append_len (text, json, (gssize) size);
  g_string_append_c (text, ',');
  g_string_append_len (text, json, (gssize) size);
  g_string_append_c (text, ']');
  batch = g_string_free_to_bytes (text);
  events = amps_cloud_event_split_batch (batch, AMPS_EVENT_VALIDATION_STRICT, NULL);

  if (!is_event)
    {
      g_assert_true (events == NULL || events->len > 2);
      return;
    }

  g_assert_nonnull (events);
  g_assert_cmpuint (events->len, ==, 2);
  g_assert_true (g_bytes_equal (g_ptr_array_index (events, 0), g_ptr_array_index (events, 1)));
  assert_slices (batch, events, AMPS_EVENT_VALIDATION_STRICT);
}

/* Whether the event carries just these bytes. */
static gboolean
has_data (GBytes *event, const char *data, gsize size, gboolean is_json)
{
  gsize length;
  const char *json = g_bytes_get_data (event, &length);
  g_autoptr (JsonParser) parser = parse_laxly (json, length);
  JsonObject *object = json_node_get_object (json_parser_get_root (parser));
  const char *base64 = json_object_get_string_member_with_default (object, "data_base64", NULL);

  if (base64 != NULL)
    {
      g_autofree guchar *bytes = g_base64_decode (base64, &length);

      return length == size && memcmp (bytes, data, size) == 0;
    }

  if (!json_object_has_member (object, "data"))
    return size == 0;

  if (is_json)
    return length > size + 1 && memcmp (json + length - size - 1, data, size) == 0;

  const char *text = json_object_get_string_member (object, "data");

  return strlen (text) == size && memcmp (text, data, size) == 0;
}

static void
check_binary_data (const char *json, gsize size)
{
  static const struct {
    const char *content_type;
    gboolean is_json;
  } types[] = {
    { NULL, TRUE },
    { "application/vnd.x+json", TRUE },
    { "text/plain", FALSE },
    { "image/png", FALSE },
  };
  const AmpsAttribute attributes[] = {
    { "specversion", "1.0" },
    { "id", "1" },
    { "source", "/s" },
    { "type", "t" },
  };
  g_autoptr (GBytes) data = g_bytes_new_static (json, size);

  for (unsigned int i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) event = amps_cloud_event_from_binary (
          attributes, G_N_ELEMENTS (attributes), types[i].content_type, data,
          AMPS_EVENT_VALIDATION_STRICT, &error);

      g_assert_no_error (error);
      g_assert_true (has_data (event, json, size, types[i].is_json));
    }
}

static void
check_binary_attribute (const char *name, const char *value, const char *content_type,
                        AmpsEventValidation validation)
{
  const AmpsAttribute attributes[] = {
    { "specversion", "1.0" }, { "id", value }, { "source", "/s" }, { "type", "t" }, { name, "1" },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) data = g_bytes_new_static ("7", 1);
  g_autoptr (GBytes) event = amps_cloud_event_from_binary (attributes, G_N_ELEMENTS (attributes),
                                                           content_type, data, validation, &error);
  g_autoptr (AmpsCloudEvent) scanned = NULL;
  gsize length;

  if (event == NULL)
    {
      assert_readable (error, AMPS_ERROR_INVALID_EVENT);
      return;
    }

  const char *json = g_bytes_get_data (event, &length);

  scanned = amps_cloud_event_scan (json, length, validation, NULL);
  g_assert_nonnull (scanned);
  g_assert_cmpstr (scanned->id, ==, value);
  g_assert_cmpstr (scanned->type, ==, "t");
  g_assert_true (has_data (event, "7", 1, TRUE) || content_type != NULL ||
                 g_str_equal (name, "datacontenttype"));
}

static void
check_header (const char *value)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *decoded = amps_cloud_event_decode_header (value, &error);

  if (decoded == NULL)
    assert_readable (error, AMPS_ERROR_INVALID_EVENT);
  else
    g_assert_true (g_utf8_validate (decoded, -1, NULL) && strlen (decoded) <= strlen (value));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *json = (const char *) data;
  g_autofree char *text = g_strndup (size > 0 ? json : "", size);
  g_autoptr (JsonParser) parsed = check_grammar (json, size);
  gboolean is_event = check_event (json, size, parsed);

  for (unsigned int validation = AMPS_EVENT_VALIDATION_LENIENT;
       validation <= AMPS_EVENT_VALIDATION_STRICT; validation++)
    {
      check_batch (json, size, validation);
      check_binary_attribute ("more", text, NULL, validation);
      check_binary_attribute (text, "1", NULL, validation);
      check_binary_attribute ("more", "1", text, validation);
    }
  check_pair (json, size, is_event);
  check_binary_data (json, size);
  check_header (text);
  return 0;
}
