/* SPDX-License-Identifier: MIT */
#pragma once

#include "config/amps-config.h"
#include "event/amps-trace-context.h"

G_BEGIN_DECLS

/**
 * AmpsTraceSampler:
 * @sampling: the rule
 * @threshold: ids below it are recorded, by a rule that goes by ratio
 *
 * Decides which traces are recorded.
 */
typedef struct {
  AmpsTraceSampling sampling;
  guint64 threshold;
} AmpsTraceSampler;

AmpsTraceSampler amps_trace_sampler_new (AmpsTraceSampling sampling, double ratio);
gboolean amps_trace_sampler_decide (const AmpsTraceSampler *self, const AmpsTraceContext *context,
                                    gboolean has_parent);

G_END_DECLS
