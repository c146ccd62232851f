/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AMPS_TRACE_SAMPLED:
 *
 * W3C Trace Context, section 3.2.2.5.1: the trace is recorded.
 */
#define AMPS_TRACE_SAMPLED 0x01

/**
 * AMPS_TRACE_RANDOM:
 *
 * W3C Trace Context Level 2, section 3.2.2.5.2: the id of the trace is random.
 */
#define AMPS_TRACE_RANDOM 0x02

/* With the zero at the end. */
#define AMPS_TRACEPARENT_SIZE 56
#define AMPS_TRACE_ID_SIZE 33
#define AMPS_SPAN_ID_SIZE 17

/**
 * AmpsTraceContext:
 * @trace_id: not all zero
 * @span_id: not all zero
 * @flags: of %AMPS_TRACE_SAMPLED and %AMPS_TRACE_RANDOM
 *
 * A place in a trace, which is what a `traceparent` says.
 */
typedef struct {
  guint8 trace_id[16];
  guint8 span_id[8];
  guint8 flags;
} AmpsTraceContext;

gboolean amps_trace_context_is_traceparent (const char *text);
gboolean amps_trace_context_parse (AmpsTraceContext *self, const char *text);
void amps_trace_context_format (const AmpsTraceContext *self, char *text);
void amps_trace_context_format_trace_id (const AmpsTraceContext *self, char *text);
void amps_trace_context_format_span_id (const AmpsTraceContext *self, char *text);
gboolean amps_trace_context_is_sampled (const AmpsTraceContext *self);
void amps_trace_context_begin (AmpsTraceContext *self, const AmpsTraceContext *parent);
void amps_trace_context_set_sampled (AmpsTraceContext *self, gboolean sampled);

G_END_DECLS
