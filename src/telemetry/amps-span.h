/* SPDX-License-Identifier: MIT */
#pragma once

#include "event/amps-trace-context.h"

G_BEGIN_DECLS

/* More than any span of AMPS has. */
#define AMPS_SPAN_MAX_ATTRIBUTES 20

/**
 * AmpsSpanKind:
 *
 * With the numbers of OTLP.
 */
typedef enum {
  AMPS_SPAN_CLIENT = 3,
  AMPS_SPAN_PRODUCER = 4,
  AMPS_SPAN_CONSUMER = 5,
} AmpsSpanKind;

/**
 * AmpsSpanAttribute:
 * @key: a static name
 * @text: (nullable): its value; %NULL if that is @number
 * @number: its value, without @text
 */
typedef struct {
  const char *key;
  const char *text;
  gint64 number;
} AmpsSpanAttribute;

/**
 * AmpsSpan:
 * @context: its place in the trace
 * @parent: (nullable): the place above it
 * @remote: whether @parent is of another process
 * @tracestate: (nullable): goes with @context
 * @operation: the first word of its name
 * @target: (nullable): the rest of its name
 * @kind: what sort it is
 * @begun: µs since 1970
 * @ended: µs since 1970
 * @attributes: what is known of it
 * @n_attributes: how many
 * @links: (array length=n_links): places in this or other traces that it belongs to as well
 * @n_links: how many
 * @failed: it did not end well
 *
 * A piece of work that has ended. Owns nothing of what it points to.
 */
typedef struct {
  AmpsTraceContext context;
  const AmpsTraceContext *parent;
  gboolean remote;
  const char *tracestate;
  const char *operation;
  const char *target;
  AmpsSpanKind kind;
  gint64 begun;
  gint64 ended;
  AmpsSpanAttribute attributes[AMPS_SPAN_MAX_ATTRIBUTES];
  unsigned int n_attributes;
  const AmpsTraceContext *links;
  unsigned int n_links;
  gboolean failed;
} AmpsSpan;

void amps_span_add_text (AmpsSpan *self, const char *key, const char *text);
void amps_span_add_number (AmpsSpan *self, const char *key, gint64 number);
void amps_span_fail (AmpsSpan *self, const char *error_type);

G_END_DECLS
