/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsCloudEvent:
 * @id: the `id` attribute, unescaped
 * @source: the `source` attribute, unescaped
 * @type: the `type` attribute, unescaped
 * @traceparent: (nullable): the distributed tracing extension
 * @tracestate: (nullable): likewise
 *
 * What AMPS needs to know of an event. The event itself stays the bytes it came as.
 */
typedef struct {
  char *id;
  char *source;
  char *type;
  char *traceparent;
  char *tracestate;
} AmpsCloudEvent;

/**
 * AmpsAttribute:
 * @name: the attribute's name without a prefix such as `ce-`, in lower case
 * @value: its value in the string form of the CloudEvents type system
 *
 * One attribute of an event in binary mode.
 */
typedef struct {
  const char *name;
  const char *value;
} AmpsAttribute;

AmpsCloudEvent *amps_cloud_event_scan (const char *json, gsize length, GError **error);
void amps_cloud_event_free (AmpsCloudEvent *self);

GBytes *amps_cloud_event_from_binary (const AmpsAttribute *attributes, gsize n_attributes,
                                      const char *content_type, GBytes *data, GError **error);
GPtrArray *amps_cloud_event_split_batch (GBytes *batch, GError **error);
char *amps_cloud_event_decode_header (const char *value, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsCloudEvent, amps_cloud_event_free)

G_END_DECLS
