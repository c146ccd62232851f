/* SPDX-License-Identifier: MIT */
#include "amps-cloudevent.h"

#include "amps-error.h"
#include "amps-event-attribute.h"
#include "amps-json-scanner.h"

#include <string.h>

/* Each event of a batch takes a moment, and the others wait meanwhile. */
#define MAX_EVENTS 10000

/* A member's name, unescaped. */
typedef struct {
  const char *text;
  gsize length;
} Name;

/* What one pass over the members of an event has found. */
typedef struct {
  AmpsCloudEvent *event; /* (owned) */
  unsigned int known;    /* a bit for each AmpsEventMember that came */
  unsigned int given;    /* of these, the ones that are not null */
  GArray *extensions;    /* (owned) (nullable) of Name: to find one that comes twice */
  GStringChunk *texts;   /* (owned) (nullable): names that had escapes */
} Scan;

#define BIT(member) (1u << (member))

static void
scan_clear (Scan *scan)
{
  g_clear_pointer (&scan->event, amps_cloud_event_free);
  g_clear_pointer (&scan->extensions, g_array_unref);
  g_clear_pointer (&scan->texts, g_string_chunk_free);
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
get_kept (AmpsCloudEvent *event, AmpsEventMember member)
{
  const struct {
    AmpsEventMember member;
    char **place;
  } kept[] = {
    { AMPS_EVENT_ID, &event->id },
    { AMPS_EVENT_SOURCE, &event->source },
    { AMPS_EVENT_TYPE, &event->type },
    { AMPS_EVENT_TRACEPARENT, &event->traceparent },
    { AMPS_EVENT_TRACESTATE, &event->tracestate },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      if (kept[i].member == member)
        return kept[i].place;
    }

  return NULL;
}

static gboolean
scan_attribute (Scan *scan, AmpsEventMember member, const Name *name, const AmpsJsonValue *value,
                GError **error)
{
  g_autofree char *text = NULL;
  char **kept = get_kept (scan->event, member);

  if (member == AMPS_EVENT_EXTENSION &&
      !amps_event_attribute_check_name (name->text, name->length, error))
    return FALSE;

  /* JSON format, section 2.2: null is the same as absent. */
  if (value->kind != AMPS_JSON_NULL &&
      !amps_event_attribute_check (member, name->text, name->length, value, &text, error))
    return FALSE;

  if (kept != NULL)
    *kept = g_steal_pointer (&text);
  return TRUE;
}

static gboolean
fail_twice (const Name *name, GError **error)
{
  amps_event_attribute_set_error (error, name->text, name->length, "is there twice");
  return FALSE;
}

/* Those with a bit show at once whether they come twice; the others, of which
 * there may be a million, are sorted in the end. */
static gboolean
note_member (Scan *scan, AmpsEventMember member, const Name *name, gboolean is_null, GError **error)
{
  if (member == AMPS_EVENT_EXTENSION)
    {
      if (scan->extensions == NULL)
        scan->extensions = g_array_new (FALSE, FALSE, sizeof (Name));
      g_array_append_vals (scan->extensions, name, 1);
      return TRUE;
    }

  if (scan->known & BIT (member))
    return fail_twice (name, error);

  scan->known |= BIT (member);
  scan->given |= is_null ? 0 : BIT (member);
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  const Name *left = a, *right = b;

  if (left->length != right->length)
    return left->length < right->length ? -1 : 1;
  return memcmp (left->text, right->text, left->length);
}

static gboolean
check_extensions (const Scan *scan, GError **error)
{
  if (scan->extensions == NULL)
    return TRUE;

  const Name *names = (const Name *) (gpointer) scan->extensions->data;

  g_array_sort (scan->extensions, compare_names);
  for (unsigned int i = 1; i < scan->extensions->len; i++)
    {
      if (compare_names (&names[i - 1], &names[i]) == 0)
        return fail_twice (&names[i], error);
    }

  return TRUE;
}

static gboolean
unescape_name (Scan *scan, const AmpsJsonValue *raw, Name *name, GError **error)
{
  g_autofree char *text = NULL;

  *name = (Name){ raw->start, (gsize) (raw->end - raw->start) };
  if (!raw->escaped)
    return TRUE;

  text = amps_json_value_unescape (raw);
  if (text == NULL)
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
                           "U+0000 can't be in an attribute's name");
      return FALSE;
    }

  if (scan->texts == NULL)
    scan->texts = g_string_chunk_new (256);
  *name = (Name){ g_string_chunk_insert (scan->texts, text), strlen (text) };
  return TRUE;
}

static gboolean
scan_member (Scan *scan, const AmpsJsonValue *raw_name, const AmpsJsonValue *value, GError **error)
{
  AmpsEventMember member;
  Name name;

  if (!unescape_name (scan, raw_name, &name, error))
    return FALSE;

  member = amps_event_member_find (name.text, name.length);
  /* JSON format, section 3.1.1: data may be null; all else that is, is absent. */
  if (!note_member (scan, member, &name, value->kind == AMPS_JSON_NULL && member != AMPS_EVENT_DATA,
                    error))
    return FALSE;

  if (member == AMPS_EVENT_DATA)
    return TRUE;
  if (member == AMPS_EVENT_DATA_BASE64)
    return amps_event_attribute_check_base64 (value, error);
  return scan_attribute (scan, member, &name, value, error);
}

static gboolean
check_required (const Scan *scan, GError **error)
{
  static const AmpsEventMember required[] = {
    AMPS_EVENT_SPECVERSION,
    AMPS_EVENT_ID,
    AMPS_EVENT_SOURCE,
    AMPS_EVENT_TYPE,
  };
  const unsigned int both = BIT (AMPS_EVENT_DATA) | BIT (AMPS_EVENT_DATA_BASE64);

  for (unsigned int i = 0; i < G_N_ELEMENTS (required); i++)
    {
      const char *name = amps_event_member_get_name (required[i]);

      if (!(scan->given & BIT (required[i])))
        {
          amps_event_attribute_set_error (error, name, strlen (name), "is missing");
          return FALSE;
        }
    }

  if ((scan->given & both) != both)
    return TRUE;

  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
                       "there are both “data” and “data_base64”");
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
enter (AmpsJsonScanner *scanner, char bracket, GError **error)
{
  if (amps_json_scanner_enter (scanner, bracket))
    return TRUE;

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "not a JSON %s",
               bracket == '{' ? "object" : "array");
  return FALSE;
}

static gboolean
scan_members (Scan *scan, AmpsJsonScanner *scanner, GError **error)
{
  AmpsJsonValue name;
  AmpsJsonValue value;

  if (!enter (scanner, '{', error))
    return FALSE;

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

/* Reads one event and stops behind it. */
static AmpsCloudEvent *
scan_event (AmpsJsonScanner *scanner, GError **error)
{
  g_auto (Scan) scan = { .event = g_new0 (AmpsCloudEvent, 1) };

  if (!scan_members (&scan, scanner, error) || !check_extensions (&scan, error) ||
      !check_required (&scan, error))
    return NULL;

  return g_steal_pointer (&scan.event);
}

/**
 * amps_cloud_event_scan:
 * @json: (array length=length): an event in structured mode
 * @length: its bytes
 * @error: return location: %AMPS_ERROR_INVALID_EVENT, naming the attribute
 *
 * Checks an event against CloudEvents 1.0.2 and its JSON format, in one strict
 * pass over the bytes. The trace context is not looked into: it is any string
 * that an attribute may hold. Callable from any thread.
 *
 * Returns: (transfer full) (nullable): what AMPS needs to know of it
 */
AmpsCloudEvent *
amps_cloud_event_scan (const char *json, gsize length, GError **error)
{
  g_autoptr (AmpsCloudEvent) event = NULL;
  AmpsJsonScanner scanner;

  amps_json_scanner_init (&scanner, json, length);
  event = scan_event (&scanner, error);
  if (event == NULL)
    return NULL;

  if (!amps_json_scanner_finish (&scanner))
    {
      fail_scan (&scanner, error);
      return NULL;
    }

  return g_steal_pointer (&event);
}

static gboolean
split_events (GBytes *batch, AmpsJsonScanner *scanner, GPtrArray *events, GError **error)
{
  if (!enter (scanner, '[', error))
    return FALSE;

  while (amps_json_scanner_next_item (scanner, '[', events->len == 0))
    {
      gsize start = amps_json_scanner_get_offset (scanner);

      if (events->len == MAX_EVENTS)
        {
          g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
                       "there are more than %d events; send them in several batches", MAX_EVENTS);
          return FALSE;
        }

      g_autoptr (AmpsCloudEvent) event = scan_event (scanner, error);

      if (event == NULL)
        {
          g_prefix_error (error, "event %u: ", events->len);
          return FALSE;
        }
      g_ptr_array_add (events, g_bytes_new_from_bytes (
                                   batch, start, amps_json_scanner_get_offset (scanner) - start));
    }

  if (scanner->problem == NULL)
    amps_json_scanner_finish (scanner);
  return scanner->problem == NULL || fail_scan (scanner, error);
}

/**
 * amps_cloud_event_split_batch:
 * @batch: events in batched mode
 * @error: return location: %AMPS_ERROR_INVALID_EVENT, with the event's index
 *   (from 0) and bytes counted from the batch's start
 *
 * Callable from any thread. Takes no more than 10,000 events.
 *
 * Returns: (transfer full) (nullable) (element-type GBytes): the events in it,
 *   each valid and byte for byte; none for an empty batch
 */
GPtrArray *
amps_cloud_event_split_batch (GBytes *batch, GError **error)
{
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  AmpsJsonScanner scanner;
  gsize length;
  const char *json = g_bytes_get_data (batch, &length);

  amps_json_scanner_init (&scanner, json, length);
  if (!split_events (batch, &scanner, events, error))
    return NULL;

  return g_steal_pointer (&events);
}
