/* SPDX-License-Identifier: MIT */
#include "amps-request.h"

#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "base/amps-parse.h"
#include "event/amps-json-members.h"

/* Each takes a moment, and all other requests wait meanwhile. */
#define MAX_IDENTIFIERS 10000

typedef enum {
  MEMBER_IDENTIFIER,
  MEMBER_IDENTIFIERS,
  MEMBER_RESCHEDULE,
  MEMBER_DELAY,
  MEMBER_EXTEND,
  MEMBER_REASON,
  MEMBER_PUBLISH,
} Member;
#define N_MEMBERS (MEMBER_PUBLISH + 1)

static const char *const names[N_MEMBERS] = {
  [MEMBER_IDENTIFIER] = "identifier", [MEMBER_IDENTIFIERS] = "identifiers",
  [MEMBER_RESCHEDULE] = "reschedule", [MEMBER_DELAY] = "delay",
  [MEMBER_EXTEND] = "extend",         [MEMBER_REASON] = "reason",
  [MEMBER_PUBLISH] = "publish",
};

/* What each member is in the text; null is as good as missing. */
typedef struct {
  GBytes *body;
  AmpsJsonValue values[N_MEMBERS];
} Members;

static gboolean
request_fail (GError **error, const char *problem)
{
  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, problem);
  return FALSE;
}

static gboolean
fail_member (GError **error, Member member, const char *expected)
{
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, "“%s” must be %s", names[member],
               expected);
  return FALSE;
}

static gboolean
has (const Members *members, Member member)
{
  return members->values[member].kind != AMPS_JSON_NULL;
}

static gsize
request_get_length (const AmpsJsonValue *value)
{
  return (gsize) (value->end - value->start);
}

static gboolean
read_members (Members *members, AmpsEventValidation validation, GError **error)
{
  AmpsJsonScanner scanner;
  gsize length;
  const char *json = g_bytes_get_data (members->body, &length);

  amps_json_scanner_init (&scanner, json, length);
  /* Of what is published here the same holds as of other events. */
  scanner.takes_halves = validation == AMPS_EVENT_VALIDATION_LENIENT;
  if (amps_json_members_read (&scanner, 0, names, members->values, N_MEMBERS) &&
      amps_json_scanner_finish (&scanner))
    return TRUE;

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
               "the body must be a JSON object: %s at byte %" G_GSIZE_FORMAT, scanner.problem,
               amps_json_scanner_get_offset (&scanner));
  return FALSE;
}

static gboolean
request_read_string (const Members *members, Member member, char **text, GError **error)
{
  if (!has (members, member))
    return TRUE;

  *text = members->values[member].kind == AMPS_JSON_STRING
              ? amps_json_value_unescape (&members->values[member])
              : NULL;
  return *text != NULL || fail_member (error, member, "a string");
}

static gboolean
read_reason (const Members *members, char **reason, GError **error)
{
  g_autofree char *text = NULL;

  if (!request_read_string (members, MEMBER_REASON, &text, error))
    return FALSE;

  *reason = text != NULL ? amps_foreign_text_dup (text, -1) : NULL;
  return TRUE;
}

static gboolean
read_boolean (const Members *members, Member member, gboolean *value, GError **error)
{
  if (!has (members, member))
    return TRUE;
  if (members->values[member].kind != AMPS_JSON_BOOLEAN)
    return fail_member (error, member, "true or false");

  *value = *members->values[member].start == 't';
  return TRUE;
}

static gboolean
read_duration (const Members *members, Member member, gint64 *value, GError **error)
{
  g_autofree char *text = NULL;

  if (!request_read_string (members, member, &text, error))
    return FALSE;
  if (text == NULL || text[0] == '\0')
    return TRUE;
  if (!amps_parse_duration (text, value, NULL) || *value < 0)
    return fail_member (error, member, "a duration such as “1m30s”");
  return TRUE;
}

static gboolean
add_identifier (AmpsRequest *self, const AmpsJsonValue *value)
{
  g_autofree char *identifier = NULL;

  if (value->kind == AMPS_JSON_STRING)
    identifier = amps_json_value_unescape (value);
  if (identifier == NULL || identifier[0] == '\0')
    return FALSE;

  g_ptr_array_add (self->identifiers, g_steal_pointer (&identifier));
  return TRUE;
}

static gboolean
read_list (AmpsRequest *self, const AmpsJsonValue *list)
{
  AmpsJsonScanner scanner;
  AmpsJsonValue item;

  if (list->kind != AMPS_JSON_ARRAY)
    return FALSE;

  amps_json_scanner_init (&scanner, list->start, request_get_length (list));
  amps_json_scanner_enter (&scanner, '[');
  while (amps_json_scanner_next_item (&scanner, '[', self->identifiers->len == 0) &&
         amps_json_scanner_read_value (&scanner, 2, &item))
    if (self->identifiers->len == MAX_IDENTIFIERS || !add_identifier (self, &item))
      return FALSE;

  self->is_list = TRUE;
  return self->identifiers->len > 0;
}

static gboolean
read_identifiers (AmpsRequest *self, const Members *members, GError **error)
{
  gboolean has_list = has (members, MEMBER_IDENTIFIERS);

  if (has (members, MEMBER_IDENTIFIER) == has_list)
    return request_fail (error, "either “identifier” or “identifiers” is needed");

  if (has_list)
    return read_list (self, &members->values[MEMBER_IDENTIFIERS]) ||
           fail_member (error, MEMBER_IDENTIFIERS, "a list of 1 to 10,000 identifiers");
  return add_identifier (self, &members->values[MEMBER_IDENTIFIER]) ||
         fail_member (error, MEMBER_IDENTIFIER, "a string that is not empty");
}

/* Events are published as the very bytes they came as. */
static gboolean
read_publish (AmpsRequest *self, const Members *members, AmpsEventValidation validation,
              GError **error)
{
  const AmpsJsonValue *value = &members->values[MEMBER_PUBLISH];
  g_autoptr (GBytes) events = NULL;

  if (!has (members, MEMBER_PUBLISH))
    return TRUE;
  if (value->kind != AMPS_JSON_OBJECT && value->kind != AMPS_JSON_ARRAY)
    return fail_member (error, MEMBER_PUBLISH, "an event or a list of events");

  const char *json = g_bytes_get_data (members->body, NULL);

  events = g_bytes_new_from_bytes (members->body, (gsize) (value->start - json),
                                   request_get_length (value));
  if (value->kind == AMPS_JSON_ARRAY)
    {
      self->publish = amps_cloud_event_split_batch (events, validation, error);
      return self->publish != NULL;
    }

  self->publish = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_ptr_array_add (self->publish, g_steal_pointer (&events));
  return TRUE;
}

/* Settling jobs otherwise than their workload meant would lose them. */
static gboolean
check_sense (const AmpsRequest *self, GError **error)
{
  if (self->delay > 0 && !self->reschedule)
    return request_fail (error, "“delay” needs “reschedule”: true");
  if (self->publish != NULL && self->reschedule)
    return request_fail (error, "“publish” and “reschedule” exclude each other");
  if (self->publish != NULL && self->is_list)
    return request_fail (error, "“publish” needs one “identifier”");
  return TRUE;
}

/**
 * amps_request_parse:
 * @body: the body of a request
 * @validation: what events in it must be
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT or %AMPS_ERROR_INVALID_EVENT
 *
 * Members that it does not know are ignored.
 *
 * Returns: (transfer full) (nullable): what it asks for
 */
AmpsRequest *
amps_request_parse (GBytes *body, AmpsEventValidation validation, GError **error)
{
  g_autoptr (AmpsRequest) self = g_new0 (AmpsRequest, 1);
  Members members = { .body = body };

  self->identifiers = g_ptr_array_new_with_free_func (g_free);
  if (!read_members (&members, validation, error) || !read_identifiers (self, &members, error) ||
      !read_boolean (&members, MEMBER_RESCHEDULE, &self->reschedule, error) ||
      !read_duration (&members, MEMBER_DELAY, &self->delay, error) ||
      !read_duration (&members, MEMBER_EXTEND, &self->extend, error) ||
      !read_reason (&members, &self->reason, error) ||
      !read_publish (self, &members, validation, error) || !check_sense (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * amps_request_free:
 * @self: (transfer full): a request
 */
void
amps_request_free (AmpsRequest *self)
{
  g_ptr_array_unref (self->identifiers);
  g_free (self->reason);
  g_clear_pointer (&self->publish, g_ptr_array_unref);
  g_free (self);
}
