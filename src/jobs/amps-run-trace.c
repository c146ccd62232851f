/* SPDX-License-Identifier: MIT */
#include "amps-run-trace.h"

/**
 * amps_run_trace_free:
 * @self: (transfer full): where a run was in its trace
 */
void
amps_run_trace_free (AmpsRunTrace *self)
{
  g_free (self->tracestate);
  g_free (self);
}
