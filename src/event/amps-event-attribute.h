/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-event-faults.h"
#include "amps-json-scanner.h"

G_BEGIN_DECLS

/**
 * AmpsEventMember:
 *
 * The members of an event that have a rule of their own, named as in
 * CloudEvents 1.0.2 and its distributed tracing extension; and all the others.
 */
typedef enum {
  AMPS_EVENT_SPECVERSION,
  AMPS_EVENT_ID,
  AMPS_EVENT_SOURCE,
  AMPS_EVENT_TYPE,
  AMPS_EVENT_DATACONTENTTYPE,
  AMPS_EVENT_DATASCHEMA,
  AMPS_EVENT_SUBJECT,
  AMPS_EVENT_TIME,
  AMPS_EVENT_TRACEPARENT,
  AMPS_EVENT_TRACESTATE,
  AMPS_EVENT_DATA,
  AMPS_EVENT_DATA_BASE64,
  AMPS_EVENT_EXTENSION,
} AmpsEventMember;

AmpsEventMember amps_event_member_find (const char *name, gsize length);
const char *amps_event_member_get_name (AmpsEventMember member);

const char *amps_event_attribute_find_name_problem (const char *name, gsize length);
const char *amps_event_attribute_find_problem (AmpsEventMember member, const AmpsJsonValue *value,
                                               char **text, AmpsEventFault *fault);
gboolean amps_event_attribute_is_accepted_version (const char *text);
gboolean amps_event_attribute_is_base64 (const AmpsJsonValue *value);
gboolean amps_event_attribute_is_tracestate (const char *text);
void amps_event_attribute_set_error (GError **error, const char *name, gsize length,
                                     const char *problem);

G_END_DECLS
