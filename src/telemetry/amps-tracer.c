/* SPDX-License-Identifier: MIT */
#include "amps-tracer.h"

#include "amps-trace-sampler.h"
#include "amps-workload-url.h"

#include <string.h>

/* Names are those of the conventions for messaging, HTTP clients and CloudEvents:
 * https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 * https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 * https://opentelemetry.io/docs/specs/semconv/cloudevents/cloudevents-spans/ */

struct _AmpsTracer {
  GObject parent_instance;

  AmpsConfig *config;         /* (owned) */
  AmpsClock *clock;           /* (owned) */
  AmpsSpanExporter *exporter; /* (owned) */
  AmpsWorkloadUrl *workload;  /* (owned) where POSTs go */
  AmpsTraceSampler sampler;
  const char *system; /* what the broker is called */
};

G_DEFINE_FINAL_TYPE (AmpsTracer, amps_tracer, G_TYPE_OBJECT)

struct _AmpsPostTrace {
  AmpsTraceContext context;
  AmpsTraceContext parent; /* of one job alone */
  GArray *links;           /* (owned) (nullable) of AmpsTraceContext: of several jobs */
  gint64 begun;            /* monotonic µs */
};

struct _AmpsPublishTrace {
  AmpsTraceContext context;
  AmpsTraceContext parent;
  AmpsTraceContext origin;
  gboolean has_parent;
  gboolean has_origin;
  AmpsTraceHeaders *headers; /* (owned) for the message */
  char *id;                  /* (owned) of the event */
  char *source;              /* (owned) likewise */
  char *type;                /* (owned) likewise */
  gsize size;
  gint64 begun; /* monotonic µs */
};

static void
amps_tracer_finalize (GObject *object)
{
  AmpsTracer *self = AMPS_TRACER (object);

  amps_workload_url_free (self->workload);
  g_object_unref (self->exporter);
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_tracer_parent_class)->finalize (object);
}

static void
amps_tracer_class_init (AmpsTracerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_tracer_finalize;
}

static void
amps_tracer_init (AmpsTracer *self G_GNUC_UNUSED)
{
}

static void
tracer_on_reloaded (AmpsConfig *config, AmpsTracer *self)
{
  amps_workload_url_free (self->workload);
  self->workload = amps_workload_url_new (amps_config_get_workload_address (config));
}

/**
 * amps_tracer_new:
 * @config: the settings
 * @clock: what time is measured by
 * @metrics: counts what is sent, and what is not
 *
 * Returns: (transfer full) (nullable): a tracer; %NULL if the settings want no traces
 */
AmpsTracer *
amps_tracer_new (AmpsConfig *config, AmpsClock *clock, AmpsMetrics *metrics)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);

  g_autofree char *url = amps_config_dup_traces_url (config);
  AmpsTracer *self;

  if (url == NULL)
    return NULL;

  self = g_object_new (AMPS_TYPE_TRACER, NULL);
  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->exporter = amps_span_exporter_new (config, clock, metrics, url);
  self->workload = amps_workload_url_new (amps_config_get_workload_address (config));
  self->sampler = amps_trace_sampler_new (amps_config_get_trace_sampling (config),
                                          amps_config_get_trace_ratio (config));
  self->system = amps_config_get_backend (config)->tracing_system;
  g_signal_connect_object (config, "reloaded", G_CALLBACK (tracer_on_reloaded), self, 0);
  return self;
}

/* What is not recorded is passed on as if AMPS were not there, but for the flag. */
static void
begin_context (AmpsTracer *self, AmpsTraceContext *context, const AmpsTraceContext *parent)
{
  gboolean sampled;

  if (parent != NULL)
    *context = *parent;
  else
    amps_trace_context_begin (context, NULL);

  sampled = amps_trace_sampler_decide (&self->sampler, context, parent != NULL);
  if (sampled && parent != NULL)
    amps_trace_context_begin (context, parent);
  amps_trace_context_set_sampled (context, sampled);
}

static void
set_times (AmpsTracer *self, AmpsSpan *span, gint64 begun)
{
  span->begun = amps_clock_to_real_time (self->clock, begun);
  span->ended = span->begun + amps_clock_get_monotonic_time (self->clock) - begun;
}

/* What spans of both sides of a queue have. */
static void
add_message (AmpsTracer *self, AmpsSpan *span, const char *type, gsize size)
{
  amps_span_add_text (span, "messaging.system", self->system);
  amps_span_add_text (span, "messaging.operation.name", span->operation);
  amps_span_add_text (span, "messaging.operation.type", type);
  amps_span_add_text (span, "messaging.destination.name", span->target);
  amps_span_add_text (span, "messaging.client.id", amps_config_get_worker_id (self->config));
  amps_span_add_number (span, "messaging.message.body.size", (gint64) size);
}

static void
tracer_add_event (AmpsSpan *span, const char *id, const char *source, const char *type)
{
  amps_span_add_text (span, "messaging.message.id", id);
  amps_span_add_text (span, "cloudevents.event_id", id);
  amps_span_add_text (span, "cloudevents.event_source", source);
  amps_span_add_text (span, "cloudevents.event_type", type);
}

/* Runs */

/* The message's header is of the last hop, and the event's extension of the first one, by
 * the CloudEvents extension for distributed tracing. So the header is the parent, if there
 * are both, and the other one is linked. */
static const char *
find_parent (AmpsJob *job, AmpsRunTrace *trace)
{
  const char *first = amps_job_get_traceparent (job);
  const char *last = amps_job_get_delivery (job)->traceparent;
  const char *parent = last != NULL ? last : first;

  if (parent != NULL)
    trace->has_parent = amps_trace_context_parse (&trace->parent, parent);
  if (first != last && last != NULL)
    trace->has_origin = amps_trace_context_parse (&trace->origin, first) &&
                        memcmp (&trace->origin, &trace->parent, sizeof trace->origin) != 0;
  return last != NULL ? amps_job_get_delivery (job)->tracestate : amps_job_get_tracestate (job);
}

static AmpsRunTrace *
begin_run (AmpsTracer *self, AmpsJob *job)
{
  AmpsRunTrace *trace = g_new0 (AmpsRunTrace, 1);

  trace->tracestate = g_strdup (find_parent (job, trace));
  trace->begun = amps_job_get_began (job);
  begin_context (self, &trace->context, trace->has_parent ? &trace->parent : NULL);
  amps_job_take_trace (job, trace);
  return trace;
}

/**
 * amps_tracer_end_run:
 * @self: a tracer
 * @job: a job whose run, if there was one, ends
 * @outcome: how, a static word
 * @error_type: (nullable): what went wrong, likewise
 */
void
amps_tracer_end_run (AmpsTracer *self, AmpsJob *job, const char *outcome, const char *error_type)
{
  const AmpsRunTrace *trace = amps_job_get_trace (job);
  gsize size = g_bytes_get_size (amps_job_get_body (job));

  if (trace != NULL && amps_trace_context_is_sampled (&trace->context))
    {
      AmpsSpan span = {
        .context = trace->context,
        .parent = trace->has_parent ? &trace->parent : NULL,
        .remote = TRUE,
        .tracestate = trace->tracestate,
        .operation = "process",
        .target = amps_config_get_subject (self->config),
        .kind = AMPS_SPAN_CONSUMER,
        .links = &trace->origin,
        .n_links = trace->has_origin ? 1 : 0,
      };

      set_times (self, &span, trace->begun);
      add_message (self, &span, "process", size);
      tracer_add_event (&span, amps_job_get_id (job), amps_job_get_source (job),
                        amps_job_get_event_type (job));
      amps_span_add_text (&span, "amps.job_id", amps_job_get_run_id (job));
      amps_span_add_number (&span, "amps.attempt", amps_job_get_attempt (job));
      amps_span_add_number (&span, "amps.waited_ms",
                            (trace->begun - amps_job_get_delivery (job)->received) / 1000);
      amps_span_add_text (&span, "amps.outcome", outcome);
      amps_span_fail (&span, error_type);
      amps_span_exporter_add (self->exporter, &span);
    }

  amps_job_take_trace (job, NULL);
}

/* POSTs */

/**
 * amps_post_trace_free:
 * @self: (transfer full) (nullable): a POST that is not told of
 */
void
amps_post_trace_free (AmpsPostTrace *self)
{
  if (self == NULL)
    return;

  g_clear_pointer (&self->links, g_array_unref);
  g_free (self);
}

static AmpsPostTrace *
begin_single (AmpsRunTrace *run)
{
  AmpsPostTrace *post = NULL;

  if (!amps_trace_context_is_sampled (&run->context))
    {
      amps_trace_context_format (&run->context, run->traceparent);
      return NULL;
    }

  post = g_new0 (AmpsPostTrace, 1);
  post->parent = run->context;
  post->begun = run->begun;
  amps_trace_context_begin (&post->context, &run->context);
  amps_trace_context_format (&post->context, run->traceparent);
  return post;
}

/* Of several jobs none is the parent of the one POST, so it begins a trace of its own. */
static AmpsPostTrace *
begin_batch (AmpsTracer *self, GPtrArray *jobs)
{
  AmpsPostTrace *post = g_new0 (AmpsPostTrace, 1);

  post->links = g_array_new (FALSE, FALSE, sizeof (AmpsTraceContext));
  amps_trace_context_begin (&post->context, NULL);
  for (unsigned int i = 0; i < jobs->len; i++)
    {
      AmpsRunTrace *run = begin_run (self, g_ptr_array_index (jobs, i));

      post->begun = run->begun;
      if (amps_trace_context_is_sampled (&run->context))
        g_array_append_val (post->links, run->context);
    }
  amps_trace_context_set_sampled (&post->context, post->links->len > 0);

  for (unsigned int i = 0; i < jobs->len; i++)
    {
      AmpsRunTrace *run = (AmpsRunTrace *) amps_job_get_trace (g_ptr_array_index (jobs, i));

      amps_trace_context_format (&post->context, run->traceparent);
    }
  return post;
}

/**
 * amps_tracer_begin_post:
 * @self: a tracer
 * @jobs: (element-type AmpsJob): jobs whose runs have just begun, and which are about to be
 *   POSTed together
 *
 * Says where each of them is in its trace.
 *
 * Returns: (transfer full) (nullable): the POST, to be told of its end; %NULL if it is not
 *   recorded
 */
AmpsPostTrace *
amps_tracer_begin_post (AmpsTracer *self, GPtrArray *jobs)
{
  if (jobs->len > 1)
    return begin_batch (self, jobs);

  return begin_single (begin_run (self, g_ptr_array_index (jobs, 0)));
}

/**
 * amps_tracer_end_post:
 * @self: a tracer
 * @post: (transfer full) (nullable): a POST
 * @status: the status of the answer; 0 without one
 * @failure: (nullable): a static word for why there was none
 */
void
amps_tracer_end_post (AmpsTracer *self, AmpsPostTrace *post, unsigned int status,
                      const char *failure)
{
  char code[16];
  AmpsSpan span = { .operation = "POST", .kind = AMPS_SPAN_CLIENT };

  if (post != NULL && amps_trace_context_is_sampled (&post->context))
    {
      span.context = post->context;
      span.parent = post->links == NULL ? &post->parent : NULL;
      if (post->links != NULL)
        {
          span.links = (const AmpsTraceContext *) (gpointer) post->links->data;
          span.n_links = post->links->len;
          amps_span_add_number (&span, "messaging.batch.message_count", post->links->len);
        }
      set_times (self, &span, post->begun);
      amps_span_add_text (&span, "http.request.method", "POST");
      amps_span_add_text (&span, "url.full", self->workload->url);
      amps_span_add_text (&span, "server.address", self->workload->address);
      if (self->workload->port > 0)
        amps_span_add_number (&span, "server.port", self->workload->port);
      if (status != 0)
        amps_span_add_number (&span, "http.response.status_code", status);
      g_snprintf (code, sizeof code, "%u", status);
      amps_span_fail (&span, status >= 400 ? code : failure);
      amps_span_exporter_add (self->exporter, &span);
    }

  amps_post_trace_free (post);
}

/* Publications */

/**
 * amps_tracer_begin_publish:
 * @self: a tracer
 * @caller: (nullable): where in a trace the one is who publishes it
 * @event: an event that is about to be published to the queue of its type
 * @size: its bytes
 *
 * Returns: (transfer full): the publication, to be told of its end
 */
AmpsPublishTrace *
amps_tracer_begin_publish (AmpsTracer *self, const AmpsTraceHeaders *caller,
                           const AmpsCloudEvent *event, gsize size)
{
  AmpsPublishTrace *trace = g_new0 (AmpsPublishTrace, 1);
  const char *parent = caller != NULL ? caller->traceparent : event->traceparent;
  const char *state = caller != NULL ? caller->tracestate : event->tracestate;

  if (parent != NULL)
    trace->has_parent = amps_trace_context_parse (&trace->parent, parent);
  if (caller != NULL && event->traceparent != NULL)
    trace->has_origin = amps_trace_context_parse (&trace->origin, event->traceparent) &&
                        memcmp (&trace->origin, &trace->parent, sizeof trace->origin) != 0;
  begin_context (self, &trace->context, trace->has_parent ? &trace->parent : NULL);
  trace->headers = amps_trace_headers_new (&trace->context, state);
  trace->begun = amps_clock_get_monotonic_time (self->clock);
  trace->size = size;
  if (amps_trace_context_is_sampled (&trace->context))
    {
      trace->id = g_strdup (event->id);
      trace->source = g_strdup (event->source);
      trace->type = g_strdup (event->type);
    }
  return trace;
}

/**
 * amps_publish_trace_get_headers:
 * @self: a publication
 *
 * Returns: (transfer none): what the message says of its place in the trace
 */
AmpsTraceHeaders *
amps_publish_trace_get_headers (AmpsPublishTrace *self)
{
  return self->headers;
}

static void
publish_trace_free (AmpsPublishTrace *self)
{
  amps_trace_headers_unref (self->headers);
  g_free (self->id);
  g_free (self->source);
  g_free (self->type);
  g_free (self);
}

/**
 * amps_tracer_end_publish:
 * @self: a tracer
 * @trace: (transfer full): a publication
 * @error_type: (nullable): what went wrong, a static word
 */
void
amps_tracer_end_publish (AmpsTracer *self, AmpsPublishTrace *trace, const char *error_type)
{
  if (amps_trace_context_is_sampled (&trace->context))
    {
      AmpsSpan span = {
        .context = trace->context,
        .parent = trace->has_parent ? &trace->parent : NULL,
        .remote = TRUE,
        .tracestate = trace->headers->tracestate,
        .operation = "publish",
        .target = trace->type,
        .kind = AMPS_SPAN_PRODUCER,
        .links = &trace->origin,
        .n_links = trace->has_origin ? 1 : 0,
      };

      set_times (self, &span, trace->begun);
      add_message (self, &span, "send", trace->size);
      tracer_add_event (&span, trace->id, trace->source, trace->type);
      amps_span_fail (&span, error_type);
      amps_span_exporter_add (self->exporter, &span);
    }

  publish_trace_free (trace);
}

/**
 * amps_tracer_flush_async:
 * @self: a tracer
 * @callback: called when all spans are sent or dropped, in a few seconds at the latest
 * @user_data: passed to @callback
 *
 * Sends what waits, because the process is to end.
 */
void
amps_tracer_flush_async (AmpsTracer *self, GAsyncReadyCallback callback, gpointer user_data)
{
  amps_span_exporter_flush_async (self->exporter, callback, user_data);
}
