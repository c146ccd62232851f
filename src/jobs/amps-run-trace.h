/* SPDX-License-Identifier: MIT */
#pragma once

#include "event/amps-trace-headers.h"

G_BEGIN_DECLS

/**
 * AmpsRunTrace:
 * @context: of the span of the run, if it is recorded; else that of its parent, not sampled
 * @parent: where the run belongs; only with @has_parent
 * @origin: where the event began its way, if that is somewhere else; only with @has_origin
 * @has_parent: whether the message had a context
 * @has_origin: whether it had two
 * @begun: monotonic µs: when the run began
 * @tracestate: (nullable): goes with @context
 * @traceparent: for the POST
 *
 * Where a run of a job is in its trace.
 */
typedef struct {
  AmpsTraceContext context;
  AmpsTraceContext parent;
  AmpsTraceContext origin;
  gboolean has_parent;
  gboolean has_origin;
  gint64 begun;
  char *tracestate;
  char traceparent[AMPS_TRACEPARENT_SIZE];
} AmpsRunTrace;

void amps_run_trace_free (AmpsRunTrace *self);

G_END_DECLS
