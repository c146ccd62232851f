/* SPDX-License-Identifier: MIT */
#include "amps-trace-sampler.h"

/* What is compared has 63 bits. */
#define ALL (G_GUINT64_CONSTANT (1) << 63)

/**
 * amps_trace_sampler_new:
 * @sampling: the rule
 * @ratio: the share of traces, from 0 to 1, if the rule goes by it
 *
 * Returns: a sampler
 */
AmpsTraceSampler
amps_trace_sampler_new (AmpsTraceSampling sampling, double ratio)
{
  AmpsTraceSampler self = { sampling, ratio >= 1 ? ALL : (guint64) (ratio * (double) ALL) };

  return self;
}

/* By the last 8 bytes of the id, as the SDKs for Go and Java do it: who asks about the same
 * trace with a higher ratio comes to the same or a wider answer. */
static gboolean
is_below (const AmpsTraceSampler *self, const AmpsTraceContext *context)
{
  guint64 number = 0;

  for (unsigned int i = 8; i < sizeof context->trace_id; i++)
    number = number << 8 | context->trace_id[i];
  return number >> 1 < self->threshold;
}

/**
 * amps_trace_sampler_decide:
 * @self: a sampler
 * @context: the context of the parent, or that of a trace that begins
 * @has_parent: which of them
 *
 * Returns: whether the trace is to be recorded
 */
gboolean
amps_trace_sampler_decide (const AmpsTraceSampler *self, const AmpsTraceContext *context,
                           gboolean has_parent)
{
  if (has_parent && self->sampling >= AMPS_TRACE_SAMPLING_PARENT_ALWAYS)
    return amps_trace_context_is_sampled (context);

  switch (self->sampling)
    {
    case AMPS_TRACE_SAMPLING_ALWAYS:
    case AMPS_TRACE_SAMPLING_PARENT_ALWAYS:
      return TRUE;
    case AMPS_TRACE_SAMPLING_NEVER:
    case AMPS_TRACE_SAMPLING_PARENT_NEVER:
      return FALSE;
    case AMPS_TRACE_SAMPLING_RATIO:
    case AMPS_TRACE_SAMPLING_PARENT_RATIO:
      return is_below (self, context);
    }

  g_return_val_if_reached (FALSE);
}
