/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-event-faults.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsEventValidation:
 * @AMPS_EVENT_VALIDATION_LENIENT: what AMPS needs to deliver an event
 * @AMPS_EVENT_VALIDATION_STRICT: every rule of CloudEvents 1.0.2
 *
 * What an event must be.
 */
typedef enum {
  AMPS_EVENT_VALIDATION_LENIENT,
  AMPS_EVENT_VALIDATION_STRICT,
} AmpsEventValidation;

/**
 * AmpsCloudEvent:
 * @id: the `id` attribute, unescaped
 * @source: the `source` attribute, unescaped
 * @type: the `type` attribute, unescaped
 * @traceparent: (nullable): the distributed tracing extension, if it has its shape
 * @tracestate: (nullable): likewise
 * @faults: (nullable): what CloudEvents forbids and lenient validation let through
 *
 * What AMPS needs to know of an event. The event itself stays the bytes it came as.
 */
typedef struct {
  char *id;
  char *source;
  char *type;
  char *traceparent;
  char *tracestate;
  AmpsEventFaults *faults;
} AmpsCloudEvent;

/**
 * AmpsAttribute:
 * @name: the attribute's name without a prefix such as `ce-`, in lower case
 * @value: its value in the string form of the CloudEvents type system
 * @is_literal: whether @value is a number, true or false rather than text
 *
 * One attribute of an event in binary mode.
 */
typedef struct {
  const char *name;
  const char *value;
  gboolean is_literal;
} AmpsAttribute;

AmpsCloudEvent *amps_cloud_event_scan (const char *json, gsize length,
                                       AmpsEventValidation validation, GError **error);
void amps_cloud_event_free (AmpsCloudEvent *self);

GArray *amps_cloud_event_new_attributes (void);
GBytes *amps_cloud_event_from_binary (const AmpsAttribute *attributes, gsize n_attributes,
                                      const char *content_type, GBytes *data,
                                      AmpsEventValidation validation, GError **error);
GPtrArray *amps_cloud_event_split_batch (GBytes *batch, AmpsEventValidation validation,
                                         GError **error);
char *amps_cloud_event_decode_header (const char *value, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsCloudEvent, amps_cloud_event_free)

G_END_DECLS
