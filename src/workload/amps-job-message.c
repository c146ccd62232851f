/* SPDX-License-Identifier: MIT */
#include "amps-job-message.h"

#include "jobs/amps-job.h"

/* A larger body takes libsoup more than one piece. */
#define MAX_PIECE (8 * 1024)

#define BATCH_TYPE "application/cloudevents-batch+json"

static void
job_message_append (SoupMessageHeaders *headers, const char *name, const char *value)
{
  if (value != NULL)
    soup_message_headers_append (headers, name, value);
}

/* What is the same for all jobs of a batch. */
static void
append_common (SoupMessageHeaders *headers, AmpsConfig *config, AmpsClock *clock, AmpsJob *job)
{
  gint64 deadline = amps_job_get_deadline (job);

  job_message_append (headers, "Amps-Queue", amps_config_get_subject (config));
  job_message_append (headers, "Amps-Worker", amps_config_get_worker_id (config));
  job_message_append (headers, "Amps-Api", amps_config_get_api_url (config));
  if (deadline > 0)
    {
      g_autofree char *text = amps_clock_format_time (clock, deadline);

      job_message_append (headers, "Amps-Deadline", text);
    }
}

static void
job_message_append_own (SoupMessageHeaders *headers, AmpsJob *job)
{
  char attempt[16];

  g_snprintf (attempt, sizeof attempt, "%u", amps_job_get_attempt (job));
  job_message_append (headers, "Amps-Job-Id", amps_job_get_run_id (job));
  job_message_append (headers, "Amps-Attempt", attempt);
  job_message_append (headers, "Amps-Redelivered",
                      amps_job_get_delivery (job)->redelivered ? "true" : "false");
}

/* Its own place in the trace, or the one that came with the message. */
static void
append_trace (SoupMessageHeaders *headers, AmpsJob *job)
{
  const AmpsRunTrace *trace = amps_job_get_trace (job);

  job_message_append (headers, "traceparent",
                      trace != NULL ? trace->traceparent : amps_job_get_traceparent (job));
  job_message_append (headers, "tracestate",
                      trace != NULL ? trace->tracestate : amps_job_get_tracestate (job));
}

/* All are sent by one POST, whose place this is. */
static void
append_batch_trace (SoupMessageHeaders *headers, AmpsJob *job)
{
  const AmpsRunTrace *trace = amps_job_get_trace (job);

  job_message_append (headers, "traceparent", trace != NULL ? trace->traceparent : NULL);
}

static void
append_run_ids (SoupMessageHeaders *headers, GPtrArray *jobs)
{
  g_autoptr (GString) ids = g_string_new (NULL);

  for (unsigned int i = 0; i < jobs->len; i++)
    {
      g_string_append (ids, i > 0 ? "," : "");
      g_string_append (ids, amps_job_get_run_id (g_ptr_array_index (jobs, i)));
    }
  job_message_append (headers, "Amps-Job-Id", ids->str);
}

/* The events byte for byte, with what makes an array of them. */
static GBytes *
splice (GPtrArray *jobs)
{
  GByteArray *batch = g_byte_array_new ();

  for (unsigned int i = 0; i < jobs->len; i++)
    {
      gsize length;
      const guint8 *body =
          g_bytes_get_data (amps_job_get_body (g_ptr_array_index (jobs, i)), &length);

      g_byte_array_append (batch, (const guint8 *) (i == 0 ? "[" : ","), 1);
      g_byte_array_append (batch, body, (unsigned int) length);
    }
  g_byte_array_append (batch, (const guint8 *) "]", 1);

  return g_byte_array_free_to_bytes (batch);
}

/* Returns: (transfer full) (nullable): what has to be told of the socket */
static AmpsBodyStream *
set_body (SoupMessage *message, AmpsEndpoint *endpoint, const char *type, GBytes *body)
{
  AmpsBodyStream *stream;

  if (g_bytes_get_size (body) <= MAX_PIECE || amps_endpoint_is_tls (endpoint))
    {
      soup_message_set_request_body_from_bytes (message, type, body);
      return NULL;
    }

  stream = amps_body_stream_new (body);
  soup_message_set_request_body (message, type, G_INPUT_STREAM (stream),
                                 (gssize) g_bytes_get_size (body));
  return stream;
}

/**
 * amps_job_message_new:
 * @config: the settings
 * @clock: what deadlines are measured by
 * @endpoint: where to
 * @jobs: (element-type AmpsJob): one or more jobs; an array of events is sent if
 *   the settings allow more than one
 * @body: (out) (transfer full) (nullable): a large body, to be told of the socket when the
 *   headers have been written
 *
 * Returns: (transfer full): the POST of docs/reference/api.md
 */
SoupMessage *
amps_job_message_new (AmpsConfig *config, AmpsClock *clock, AmpsEndpoint *endpoint, GPtrArray *jobs,
                      AmpsBodyStream **body)
{
  SoupMessage *message = amps_endpoint_create_message (endpoint, SOUP_METHOD_POST, NULL);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);
  AmpsJob *first = g_ptr_array_index (jobs, 0);

  /* Without this flag each POST would open a connection; libsoup sends none of
   * them twice for it. */
  soup_message_add_flags (message, SOUP_MESSAGE_IDEMPOTENT);
  append_common (headers, config, clock, first);

  if (amps_config_get_workload_batch_size (config) > 1)
    {
      g_autoptr (GBytes) batch = splice (jobs);

      append_run_ids (headers, jobs);
      append_batch_trace (headers, first);
      *body = set_body (message, endpoint, BATCH_TYPE, batch);
    }
  else
    {
      job_message_append_own (headers, first);
      append_trace (headers, first);
      *body = set_body (message, endpoint, amps_config_get_workload_content_type (config),
                        amps_job_get_body (first));
    }

  return message;
}
