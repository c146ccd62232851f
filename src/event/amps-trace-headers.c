/* SPDX-License-Identifier: MIT */
#include "amps-trace-headers.h"

#include "amps-event-attribute.h"

/**
 * amps_trace_headers_new:
 * @context: what the `traceparent` says
 * @tracestate: (nullable): what goes with it; left out if it can't be a header
 *
 * Returns: (transfer full): the headers
 */
AmpsTraceHeaders *
amps_trace_headers_new (const AmpsTraceContext *context, const char *tracestate)
{
  AmpsTraceHeaders *self = g_new0 (AmpsTraceHeaders, 1);

  self->ref_count = 1;
  amps_trace_context_format (context, self->traceparent);
  if (tracestate != NULL && amps_event_attribute_is_tracestate (tracestate))
    self->tracestate = g_strdup (tracestate);
  return self;
}

/**
 * amps_trace_headers_read:
 * @traceparent: (nullable): what came under this name
 * @tracestate: (nullable): likewise
 *
 * Returns: (transfer full) (nullable): the headers, in version 00; %NULL without a valid
 *   @traceparent, since a state means nothing without its parent
 */
AmpsTraceHeaders *
amps_trace_headers_read (const char *traceparent, const char *tracestate)
{
  AmpsTraceContext context;

  if (traceparent == NULL || !amps_trace_context_parse (&context, traceparent))
    return NULL;

  return amps_trace_headers_new (&context, tracestate);
}

/**
 * amps_trace_headers_ref:
 * @self: headers
 *
 * Returns: (transfer full): @self
 */
AmpsTraceHeaders *
amps_trace_headers_ref (AmpsTraceHeaders *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

/**
 * amps_trace_headers_unref:
 * @self: (transfer full): headers
 */
void
amps_trace_headers_unref (AmpsTraceHeaders *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;

  g_free (self->tracestate);
  g_free (self);
}
