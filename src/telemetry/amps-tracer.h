/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-span-exporter.h"
#include "base/amps-clock.h"
#include "config/amps-config.h"
#include "jobs/amps-job.h"
#include "metrics/amps-metrics.h"

G_BEGIN_DECLS

/**
 * AmpsTracer:
 *
 * Records what happens to jobs, as spans. Each run of a job is a span, each POST is one, and
 * so is each event that is published.
 */
#define AMPS_TYPE_TRACER (amps_tracer_get_type ())
G_DECLARE_FINAL_TYPE (AmpsTracer, amps_tracer, AMPS, TRACER, GObject)

/**
 * AmpsPostTrace:
 *
 * A POST that is under way.
 */
typedef struct _AmpsPostTrace AmpsPostTrace;

/**
 * AmpsPublishTrace:
 *
 * An event that is being published.
 */
typedef struct _AmpsPublishTrace AmpsPublishTrace;

AmpsTracer *amps_tracer_new (AmpsConfig *config, AmpsClock *clock, AmpsMetrics *metrics);

AmpsPostTrace *amps_tracer_begin_post (AmpsTracer *self, GPtrArray *jobs);
void amps_tracer_end_post (AmpsTracer *self, AmpsPostTrace *post, unsigned int status,
                           const char *failure);
void amps_post_trace_free (AmpsPostTrace *self);

void amps_tracer_end_run (AmpsTracer *self, AmpsJob *job, const char *outcome,
                          const char *error_type);

AmpsPublishTrace *amps_tracer_begin_publish (AmpsTracer *self, const AmpsTraceHeaders *caller,
                                             const AmpsCloudEvent *event, gsize size);
AmpsTraceHeaders *amps_publish_trace_get_headers (AmpsPublishTrace *self);
void amps_tracer_end_publish (AmpsTracer *self, AmpsPublishTrace *trace, const char *error_type);

void amps_tracer_flush_async (AmpsTracer *self, GAsyncReadyCallback callback, gpointer user_data);

G_END_DECLS
