/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-trace-context.h"

G_BEGIN_DECLS

/**
 * AmpsTraceHeaders:
 * @traceparent: valid as of W3C Trace Context
 * @tracestate: (nullable): likewise
 *
 * The trace context that goes with a message. Immutable, so that it may cross threads.
 */
typedef struct {
  char traceparent[AMPS_TRACEPARENT_SIZE];
  char *tracestate;
  /*< private >*/
  int ref_count; /* atomic, and seen by ThreadSanitizer */
} AmpsTraceHeaders;

AmpsTraceHeaders *amps_trace_headers_new (const AmpsTraceContext *context, const char *tracestate);
AmpsTraceHeaders *amps_trace_headers_read (const char *traceparent, const char *tracestate);
AmpsTraceHeaders *amps_trace_headers_ref (AmpsTraceHeaders *self);
void amps_trace_headers_unref (AmpsTraceHeaders *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsTraceHeaders, amps_trace_headers_unref)

G_END_DECLS
