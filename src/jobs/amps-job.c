/* SPDX-License-Identifier: MIT */
#include "amps-job-private.h"

G_DEFINE_FINAL_TYPE (AmpsJob, amps_job, G_TYPE_OBJECT)

static void
amps_job_finalize (GObject *object)
{
  AmpsJob *self = AMPS_JOB (object);

  g_clear_pointer (&self->event, amps_cloud_event_free);
  g_clear_error (&self->problem);
  amps_delivery_unref (self->delivery);
  g_clear_pointer (&self->duplicates, g_ptr_array_unref);
  g_queue_clear_full (&self->followers, g_object_unref);
  g_clear_pointer (&self->confirmed, g_hash_table_unref);
  g_clear_pointer (&self->trace, amps_run_trace_free);
  g_free (self->run_id);
  g_free (self->detail);

  G_OBJECT_CLASS (amps_job_parent_class)->finalize (object);
}

static void
amps_job_class_init (AmpsJobClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_job_finalize;
}

static void
amps_job_init (AmpsJob *self)
{
  g_queue_init (&self->followers);
}

static AmpsJob *
job_new (AmpsDelivery *delivery)
{
  AmpsJob *self = g_object_new (AMPS_TYPE_JOB, NULL);

  self->delivery = amps_delivery_ref (delivery);
  self->attempt = delivery->attempt;
  self->since = delivery->received;
  return self;
}

/**
 * amps_job_new:
 * @delivery: what the broker handed out
 * @event: (transfer full): the event in its body
 *
 * Returns: (transfer full): a job that waits to be POSTed
 */
AmpsJob *
amps_job_new (AmpsDelivery *delivery, AmpsCloudEvent *event)
{
  AmpsJob *self = job_new (delivery);

  self->event = event;
  return self;
}

/**
 * amps_job_new_malformed:
 * @delivery: what the broker handed out
 * @problem: (transfer full): why its body is no event
 *
 * Returns: (transfer full): a job that is never POSTed, and has no id
 */
AmpsJob *
amps_job_new_malformed (AmpsDelivery *delivery, GError *problem)
{
  AmpsJob *self = job_new (delivery);

  self->problem = problem;
  return self;
}

/* Makes @delivery the one that the outcome settles. */
void
amps_job_attach (AmpsJob *self, AmpsDelivery *delivery)
{
  amps_delivery_ref (delivery);
  /* It is the same job, which has been here before. */
  delivery->first_received = self->delivery->first_received;
  amps_delivery_unref (self->delivery);
  self->delivery = delivery;
  self->attempt = MAX (self->attempt, delivery->attempt);
  self->detached = FALSE;
}

/* Lets @delivery share the outcome. */
void
amps_job_add_duplicate (AmpsJob *self, AmpsDelivery *delivery)
{
  if (self->duplicates == NULL)
    self->duplicates = g_ptr_array_new_with_free_func ((GDestroyNotify) amps_delivery_unref);

  g_ptr_array_add (self->duplicates, amps_delivery_ref (delivery));
}

/**
 * amps_job_get_id:
 * @self: a job
 *
 * Returns: (nullable): the event's id; %NULL when malformed
 */
const char *
amps_job_get_id (AmpsJob *self)
{
  return self->event != NULL ? self->event->id : NULL;
}

/**
 * amps_job_get_source:
 * @self: a job
 *
 * Returns: (nullable): the event's source; %NULL when malformed
 */
const char *
amps_job_get_source (AmpsJob *self)
{
  return self->event != NULL ? self->event->source : NULL;
}

/**
 * amps_job_get_event_type:
 * @self: a job
 *
 * Returns: (nullable): the event's type; %NULL when malformed
 */
const char *
amps_job_get_event_type (AmpsJob *self)
{
  return self->event != NULL ? self->event->type : NULL;
}

/**
 * amps_job_get_traceparent:
 * @self: a job
 *
 * Returns: (nullable): W3C trace context: the event's, else the message's
 */
const char *
amps_job_get_traceparent (AmpsJob *self)
{
  if (self->event != NULL && self->event->traceparent != NULL)
    return self->event->traceparent;
  return self->delivery->traceparent;
}

/**
 * amps_job_get_tracestate:
 * @self: a job
 *
 * Returns: (nullable): what belongs to [method@Amps.Job.get_traceparent]
 */
const char *
amps_job_get_tracestate (AmpsJob *self)
{
  if (self->event != NULL && self->event->traceparent != NULL)
    return self->event->tracestate;
  return self->delivery->tracestate;
}

/**
 * amps_job_take_trace:
 * @self: a job
 * @trace: (transfer full) (nullable): where its run is in its trace; %NULL when that has
 *   ended
 */
void
amps_job_take_trace (AmpsJob *self, AmpsRunTrace *trace)
{
  g_clear_pointer (&self->trace, amps_run_trace_free);
  self->trace = trace;
}

/**
 * amps_job_get_trace:
 * @self: a job
 *
 * Returns: (transfer none) (nullable): where its run is in its trace; %NULL when no run is
 *   under way, or no traces are recorded
 */
const AmpsRunTrace *
amps_job_get_trace (AmpsJob *self)
{
  return self->trace;
}

/**
 * amps_job_find_trace_context:
 * @self: a job
 * @context: (out caller-allocates): where it is in its trace: the place of its run, or of
 *   its message when no run is recorded
 *
 * Returns: whether it has a trace
 */
gboolean
amps_job_find_trace_context (AmpsJob *self, AmpsTraceContext *context)
{
  const char *parent = amps_job_get_traceparent (self);

  if (self->trace == NULL)
    return parent != NULL && amps_trace_context_parse (context, parent);

  *context = self->trace->context;
  return TRUE;
}

/**
 * amps_job_dup_trace:
 * @self: a job
 *
 * Returns: (transfer full) (nullable): the trace context for what is published on its behalf
 */
AmpsTraceHeaders *
amps_job_dup_trace (AmpsJob *self)
{
  if (self->trace != NULL)
    return amps_trace_headers_new (&self->trace->context, self->trace->tracestate);
  return amps_trace_headers_read (amps_job_get_traceparent (self), amps_job_get_tracestate (self));
}

/**
 * amps_job_get_faults:
 * @self: a job
 *
 * Returns: (nullable): what its event breaks of the specification
 */
const AmpsEventFaults *
amps_job_get_faults (AmpsJob *self)
{
  return self->event != NULL ? self->event->faults : NULL;
}

/**
 * amps_job_get_body:
 * @self: a job
 *
 * Returns: (transfer none): the event byte for byte
 */
GBytes *
amps_job_get_body (AmpsJob *self)
{
  return self->delivery->body;
}

/**
 * amps_job_get_problem:
 * @self: a job
 *
 * Returns: (nullable): why the body is no event
 */
const GError *
amps_job_get_problem (AmpsJob *self)
{
  return self->problem;
}

/**
 * amps_job_get_run_id:
 * @self: a job
 *
 * Returns: (nullable): the `Amps-Job-Id` of its latest POST
 */
const char *
amps_job_get_run_id (AmpsJob *self)
{
  return self->run_id;
}

/**
 * amps_job_get_delivery:
 * @self: a job
 *
 * Returns: (transfer none): the delivery that its outcome settles
 */
AmpsDelivery *
amps_job_get_delivery (AmpsJob *self)
{
  return self->delivery;
}

/**
 * amps_job_is_detached:
 * @self: a job
 *
 * Returns: whether the connection that delivered it has died
 */
gboolean
amps_job_is_detached (AmpsJob *self)
{
  return self->detached;
}

/**
 * amps_job_get_attempt:
 * @self: a job
 *
 * Returns: 1-based: failed attempts that count, plus one
 */
unsigned int
amps_job_get_attempt (AmpsJob *self)
{
  return self->attempt;
}

/**
 * amps_job_get_detail:
 * @self: a job
 *
 * Returns: (nullable): why its latest run failed; may hold the text of an answer
 */
const char *
amps_job_get_detail (AmpsJob *self)
{
  return self->detail;
}

/**
 * amps_job_get_state:
 * @self: a job
 *
 * Returns: where it is on its way
 */
AmpsJobState
amps_job_get_state (AmpsJob *self)
{
  return self->state;
}

/**
 * amps_job_is_in_workload:
 * @self: a job
 *
 * Returns: whether it takes up one of MAX_CONCURRENCY places in the workload
 */
gboolean
amps_job_is_in_workload (AmpsJob *self)
{
  return self->state == AMPS_JOB_POSTING || self->state == AMPS_JOB_RUNNING ||
         self->state == AMPS_JOB_DECIDING;
}

/**
 * amps_job_get_outcome:
 * @self: a job
 *
 * Returns: its outcome, once decided
 */
AmpsOutcome
amps_job_get_outcome (AmpsJob *self)
{
  return self->outcome;
}

/**
 * amps_job_has_succeeded:
 * @self: a job
 *
 * Returns: whether it was acknowledged after it had been given up
 */
gboolean
amps_job_has_succeeded (AmpsJob *self)
{
  return self->succeeded;
}

/**
 * amps_job_get_confirmed:
 * @self: a job
 *
 * What was published with an acknowledgement of the job that then failed, so
 * that the call can be repeated without publishing it again.
 *
 * Returns: (transfer none) (element-type GBytes GBytes): a set of events
 */
GHashTable *
amps_job_get_confirmed (AmpsJob *self)
{
  if (self->confirmed == NULL)
    self->confirmed =
        g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);

  return self->confirmed;
}

/**
 * amps_job_get_began:
 * @self: a job
 *
 * Returns: monotonic µs: when its present run was POSTed; 0 when none has begun, or
 *   the last one has ended and the job waits for the next
 */
gint64
amps_job_get_began (AmpsJob *self)
{
  return self->began;
}

/**
 * amps_job_get_number:
 * @self: a job
 *
 * Returns: its place among all that were ever in the manifest, from 1
 */
guint64
amps_job_get_number (AmpsJob *self)
{
  return self->number;
}

/**
 * amps_job_get_since:
 * @self: a job
 *
 * Returns: monotonic µs: when its state was entered
 */
gint64
amps_job_get_since (AmpsJob *self)
{
  return self->since;
}

/**
 * amps_job_get_deadline:
 * @self: a job
 *
 * Returns: monotonic µs: when it expires; 0 when it does not
 */
gint64
amps_job_get_deadline (AmpsJob *self)
{
  return self->deadline;
}

/**
 * amps_job_get_heartbeat:
 * @self: a job
 *
 * Returns: monotonic µs: when the latest heartbeat of its present run came; 0 without one
 */
gint64
amps_job_get_heartbeat (AmpsJob *self)
{
  return self->heartbeat;
}

/**
 * amps_job_get_n_heartbeats:
 * @self: a job
 *
 * Returns: how many heartbeats its present run has sent
 */
unsigned int
amps_job_get_n_heartbeats (AmpsJob *self)
{
  return self->n_heartbeats;
}

/**
 * amps_job_adopt_duplicate:
 * @self: a detached job
 *
 * Attaches @self to a delivery of it that came meanwhile.
 *
 * Returns: whether there was one
 */
gboolean
amps_job_adopt_duplicate (AmpsJob *self)
{
  if (self->duplicates == NULL || self->duplicates->len == 0)
    return FALSE;

  amps_job_attach (self, g_ptr_array_index (self->duplicates, 0));
  g_ptr_array_remove_index (self->duplicates, 0);
  return TRUE;
}

/**
 * amps_job_steal_duplicates:
 * @self: a decided job
 *
 * Returns: (transfer full) (nullable) (element-type AmpsDelivery): deliveries
 *   that share its outcome and are now the caller's to settle
 */
GPtrArray *
amps_job_steal_duplicates (AmpsJob *self)
{
  return g_steal_pointer (&self->duplicates);
}

/**
 * amps_job_pop_follower:
 * @self: a job
 *
 * Returns: (transfer full) (nullable): another job of its id, which does not wait
 *   for the end of @self any more
 */
AmpsJob *
amps_job_pop_follower (AmpsJob *self)
{
  return g_queue_pop_head (&self->followers);
}

/**
 * amps_job_state_to_string:
 * @state: a state
 *
 * Returns: (transfer none): its name for logs and answers
 */
const char *
amps_job_state_to_string (AmpsJobState state)
{
  static const char *const names[] = {
    [AMPS_JOB_WAITING] = "waiting", [AMPS_JOB_POSTING] = "posting",
    [AMPS_JOB_RUNNING] = "running", [AMPS_JOB_DECIDING] = "deciding",
    [AMPS_JOB_DECIDED] = "decided",
  };

  return names[state];
}
