/* SPDX-License-Identifier: MIT */
#include "amps-cloudevent.h"

#include "amps-event-attribute.h"
#include "amps-json-scanner.h"
#include "amps-trace-context.h"
#include "base/amps-error.h"

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
  AmpsEventValidation validation;
  AmpsCloudEvent *event; /* (owned) */
  char *version;         /* (owned) (nullable) its specversion */
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
  g_clear_pointer (&scan->version, g_free);
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
  g_clear_pointer (&self->faults, amps_event_faults_free);
  g_free (self);
}

static char **
get_kept (Scan *scan, AmpsEventMember member)
{
  char **const kept[] = {
    [AMPS_EVENT_SPECVERSION] = &scan->version,
    [AMPS_EVENT_ID] = &scan->event->id,
    [AMPS_EVENT_SOURCE] = &scan->event->source,
    [AMPS_EVENT_TYPE] = &scan->event->type,
    [AMPS_EVENT_TRACEPARENT] = &scan->event->traceparent,
    [AMPS_EVENT_TRACESTATE] = &scan->event->tracestate,
    [AMPS_EVENT_EXTENSION] = NULL,
  };

  return kept[member];
}

/* What AMPS itself goes by. */
static gboolean
is_needed (AmpsEventMember member)
{
  return member == AMPS_EVENT_SPECVERSION || member == AMPS_EVENT_ID ||
         member == AMPS_EVENT_SOURCE || member == AMPS_EVENT_TYPE;
}

static gboolean
cloudevent_fail (const Name *name, const char *problem, GError **error)
{
  amps_event_attribute_set_error (error, name->text, name->length, problem);
  return FALSE;
}

/* What CloudEvents forbids and AMPS can do without. Returns: whether to go on */
static gboolean
let_pass (Scan *scan, AmpsEventFault fault, const Name *name, const char *problem, GError **error)
{
  if (scan->validation == AMPS_EVENT_VALIDATION_STRICT)
    return cloudevent_fail (name, problem, error);

  amps_event_faults_add (&scan->event->faults, fault, name->text, name->length);
  return TRUE;
}

/* What is @text, which is not as it should be, needed for? */
static gboolean
check_needed (AmpsEventMember member, const Name *name, const char *text, const char *problem,
              GError **error)
{
  if (text == NULL || *text == '\0')
    return cloudevent_fail (name, problem, error);
  if (member == AMPS_EVENT_SPECVERSION && !amps_event_attribute_is_accepted_version (text))
    return cloudevent_fail (name, "is neither 1.x nor 0.3", error);
  return TRUE;
}

static gboolean
cloudevent_check_value (Scan *scan, AmpsEventMember member, const Name *name,
                        const AmpsJsonValue *value, char **text, GError **error)
{
  AmpsEventFault fault;
  const char *problem = amps_event_attribute_find_problem (member, value, text, &fault);

  if (problem == NULL)
    return TRUE;
  if (scan->validation == AMPS_EVENT_VALIDATION_LENIENT && is_needed (member) &&
      !check_needed (member, name, *text, problem, error))
    return FALSE;
  return let_pass (scan, fault, name, problem, error);
}

/* One that comes twice is harmless if it says the same both times. If not, some
 * readers take the first and some the last: AMPS must not guess which of them the
 * workload goes by. */
static gboolean
check_again (AmpsEventMember member, const Name *name, char **kept, const char *text,
             GError **error)
{
  if (is_needed (member))
    return g_strcmp0 (*kept, text) == 0 ||
           cloudevent_fail (name, "is there twice, with different values", error);

  g_clear_pointer (kept, g_free);
  return TRUE;
}

static gboolean
may_keep (AmpsEventMember member, const char *text)
{
  if (member == AMPS_EVENT_TRACEPARENT)
    return amps_trace_context_is_traceparent (text);
  return member != AMPS_EVENT_TRACESTATE || amps_event_attribute_is_tracestate (text);
}

static gboolean
scan_attribute (Scan *scan, AmpsEventMember member, const Name *name, const AmpsJsonValue *value,
                gboolean again, GError **error)
{
  const char *problem = NULL;
  g_autofree char *text = NULL;
  char **kept = get_kept (scan, member);

  if (member == AMPS_EVENT_EXTENSION)
    problem = amps_event_attribute_find_name_problem (name->text, name->length);
  if (problem != NULL && !let_pass (scan, AMPS_EVENT_FAULT_NAME, name, problem, error))
    return FALSE;

  /* JSON format, section 2.2: null is the same as absent. */
  if (value->kind != AMPS_JSON_NULL &&
      !cloudevent_check_value (scan, member, name, value, &text, error))
    return FALSE;

  if (kept == NULL)
    return TRUE;
  if (again)
    return check_again (member, name, kept, text, error);
  if (text != NULL && may_keep (member, text))
    *kept = g_steal_pointer (&text);
  return TRUE;
}

static gboolean
let_pass_twice (Scan *scan, const Name *name, GError **error)
{
  return let_pass (scan, AMPS_EVENT_FAULT_TWICE, name, "is there twice", error);
}

/* Those with a bit show at once whether they come twice; the others, of which
 * there may be a million, are sorted in the end. */
static gboolean
note_member (Scan *scan, AmpsEventMember member, const Name *name, gboolean is_null,
             gboolean *again, GError **error)
{
  *again = FALSE;
  if (member == AMPS_EVENT_EXTENSION)
    {
      if (scan->extensions == NULL)
        scan->extensions = g_array_new (FALSE, FALSE, sizeof (Name));
      g_array_append_vals (scan->extensions, name, 1);
      return TRUE;
    }

  *again = (scan->known & BIT (member)) != 0;
  scan->known |= BIT (member);
  scan->given |= is_null ? 0 : BIT (member);
  return !*again || let_pass_twice (scan, name, error);
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
check_extensions (Scan *scan, GError **error)
{
  if (scan->extensions == NULL)
    return TRUE;

  const Name *names = (const Name *) (gpointer) scan->extensions->data;

  g_array_sort (scan->extensions, compare_names);
  for (unsigned int i = 1; i < scan->extensions->len; i++)
    {
      if (compare_names (&names[i - 1], &names[i]) == 0 && !let_pass_twice (scan, &names[i], error))
        return FALSE;
    }

  return TRUE;
}

static Name
unescape_name (Scan *scan, const AmpsJsonValue *raw)
{
  g_autofree char *text = raw->escaped ? amps_json_value_unescape (raw) : NULL;

  /* With U+0000 in it, it is no attribute's name either way. */
  if (text == NULL)
    return (Name){ raw->start, (gsize) (raw->end - raw->start) };

  if (scan->texts == NULL)
    scan->texts = g_string_chunk_new (256);
  return (Name){ g_string_chunk_insert (scan->texts, text), strlen (text) };
}

static gboolean
scan_base64 (Scan *scan, const Name *name, const AmpsJsonValue *value, GError **error)
{
  return amps_event_attribute_is_base64 (value) ||
         let_pass (scan, AMPS_EVENT_FAULT_BASE64, name, "is not base64", error);
}

static gboolean
check_halves (Scan *scan, AmpsJsonScanner *scanner, AmpsEventMember member, const Name *name,
              GError **error)
{
  static const char problem[] = "contains half of a surrogate pair, which is not a character";

  if (!scanner->found_half)
    return TRUE;

  scanner->found_half = FALSE;
  if (is_needed (member))
    return cloudevent_fail (name, problem, error);
  return let_pass (scan, AMPS_EVENT_FAULT_CHARACTER, name, problem, error);
}

static gboolean
scan_member (Scan *scan, AmpsJsonScanner *scanner, const AmpsJsonValue *raw_name,
             const AmpsJsonValue *value, GError **error)
{
  Name name = unescape_name (scan, raw_name);
  AmpsEventMember member = amps_event_member_find (name.text, name.length);
  gboolean again;

  if (!check_halves (scan, scanner, member, &name, error))
    return FALSE;
  /* JSON format, section 3.1.1: data may be null; all else that is, is absent. */
  if (!note_member (scan, member, &name, value->kind == AMPS_JSON_NULL && member != AMPS_EVENT_DATA,
                    &again, error))
    return FALSE;

  if (member == AMPS_EVENT_DATA)
    return TRUE;
  if (member == AMPS_EVENT_DATA_BASE64)
    return scan_base64 (scan, &name, value, error);
  return scan_attribute (scan, member, &name, value, again, error);
}

static gboolean
check_required (Scan *scan, GError **error)
{
  static const AmpsEventMember required[] = {
    AMPS_EVENT_SPECVERSION,
    AMPS_EVENT_ID,
    AMPS_EVENT_SOURCE,
    AMPS_EVENT_TYPE,
  };
  const unsigned int both = BIT (AMPS_EVENT_DATA) | BIT (AMPS_EVENT_DATA_BASE64);
  const Name data = { "data", strlen ("data") };

  for (unsigned int i = 0; i < G_N_ELEMENTS (required); i++)
    {
      const char *name = amps_event_member_get_name (required[i]);

      if (!(scan->given & BIT (required[i])))
        return cloudevent_fail (&(Name){ name, strlen (name) }, "is missing", error);
    }

  return (scan->given & both) != both || let_pass (scan, AMPS_EVENT_FAULT_BOTH, &data,
                                                   "is there together with “data_base64”", error);
}

static gboolean
fail_scan (AmpsJsonScanner *scanner, GError **error)
{
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "not JSON: %s at byte %zu",
               scanner->problem, amps_json_scanner_get_offset (scanner));
  return FALSE;
}

static gboolean
cloudevent_enter (AmpsJsonScanner *scanner, char bracket, GError **error)
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

  if (!cloudevent_enter (scanner, '{', error))
    return FALSE;

  for (gboolean first = TRUE; amps_json_scanner_next_item (scanner, '{', first); first = FALSE)
    {
      if (!amps_json_scanner_read_name (scanner, &name) ||
          !amps_json_scanner_read_value (scanner, 1, &value))
        return fail_scan (scanner, error);
      if (!scan_member (scan, scanner, &name, &value, error))
        return FALSE;
    }

  return scanner->problem == NULL || fail_scan (scanner, error);
}

/* Reads one event and stops behind it. */
static AmpsCloudEvent *
scan_event (AmpsJsonScanner *scanner, AmpsEventValidation validation, GError **error)
{
  g_auto (Scan) scan = { .validation = validation, .event = g_new0 (AmpsCloudEvent, 1) };

  scanner->takes_halves = validation == AMPS_EVENT_VALIDATION_LENIENT;
  if (!scan_members (&scan, scanner, error) || !check_extensions (&scan, error) ||
      !check_required (&scan, error))
    return NULL;

  return g_steal_pointer (&scan.event);
}

/**
 * amps_cloud_event_scan:
 * @json: (array length=length): an event in structured mode
 * @length: its bytes
 * @validation: what it must be
 * @error: return location: %AMPS_ERROR_INVALID_EVENT, naming the attribute
 *
 * Checks an event against CloudEvents 1.0.2 and its JSON format, in one strict
 * pass over the bytes. A lenient check lets pass what AMPS can do without, and
 * notes it: an event has no faults just if the strict one takes it. Trace context
 * of a wrong shape is not kept. Callable from any thread.
 *
 * Returns: (transfer full) (nullable): what AMPS needs to know of it
 */
AmpsCloudEvent *
amps_cloud_event_scan (const char *json, gsize length, AmpsEventValidation validation,
                       GError **error)
{
  g_autoptr (AmpsCloudEvent) event = NULL;
  AmpsJsonScanner scanner;

  amps_json_scanner_init (&scanner, json, length);
  event = scan_event (&scanner, validation, error);
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
split_events (GBytes *batch, AmpsJsonScanner *scanner, AmpsEventValidation validation,
              GPtrArray *events, GError **error)
{
  if (!cloudevent_enter (scanner, '[', error))
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

      g_autoptr (AmpsCloudEvent) event = scan_event (scanner, validation, error);

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
 * @validation: what each of them must be
 * @error: return location: %AMPS_ERROR_INVALID_EVENT, with the event's index
 *   (from 0) and bytes counted from the batch's start
 *
 * Callable from any thread. Takes no more than 10,000 events.
 *
 * Returns: (transfer full) (nullable) (element-type GBytes): the events in it,
 *   each valid and byte for byte; none for an empty batch
 */
GPtrArray *
amps_cloud_event_split_batch (GBytes *batch, AmpsEventValidation validation, GError **error)
{
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  AmpsJsonScanner scanner;
  gsize length;
  const char *json = g_bytes_get_data (batch, &length);

  amps_json_scanner_init (&scanner, json, length);
  if (!split_events (batch, &scanner, validation, events, error))
    return NULL;

  return g_steal_pointer (&events);
}
