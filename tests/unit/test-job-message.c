/* SPDX-License-Identifier: MIT */
#include "fake-clock.h"
#include "jobs/amps-job-private.h"
#include "make-job.h"
#include "workload/amps-job-message.h"

#include <string.h>

#define BODY "{\"n\": 1.0}"

typedef struct {
  AmpsClock *clock;
  AmpsConfig *config;
  AmpsEndpoint *endpoint;
  GPtrArray *jobs;
  AmpsBodyStream *body;
} Fixture;

static void
set_up (Fixture *f, gconstpointer settings)
{
  static const char *const none[] = { NULL };
  g_autofree char *text = g_strdup_printf ("BROKER_SUBJECT=jobs\nWORKER_ID=me\nPORT=4321\n"
                                           "WORKLOAD_ADDRESS=http://127.0.0.1:5050/jobs\n%s",
                                           (const char *) settings);
  g_auto (GStrv) environment = g_strsplit (text, "\n", -1);
  g_autoptr (GError) error = NULL;

  f->clock = fake_clock_new ();
  f->config = amps_config_new ((const char *const *) environment, NULL, none, &error);
  g_assert_no_error (error);
  f->endpoint = amps_endpoint_new (f->config);
  f->jobs = g_ptr_array_new_with_free_func (g_object_unref);
}

static void
tear_down (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_assert_null (f->body);
  g_ptr_array_unref (f->jobs);
  g_assert_finalize_object (f->endpoint);
  g_assert_finalize_object (f->config);
  g_assert_finalize_object (f->clock);
}

static AmpsJob *
add_job (Fixture *f, const char *body, const char *run_id)
{
  AmpsJob *job = make_job ("a", body, 1);

  job->run_id = g_strdup (run_id);
  g_ptr_array_add (f->jobs, job);
  return job;
}

static const char *
get_header (SoupMessage *message, const char *name)
{
  return soup_message_headers_get_one (soup_message_get_request_headers (message), name);
}

/* See docs/reference/api.md. */
static void
test_headers (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsJob *job = add_job (f, BODY, "run-1");
  g_autoptr (SoupMessage) message = NULL;

  job->attempt = 3;
  job->delivery->redelivered = TRUE;
  job->deadline = amps_clock_get_monotonic_time (f->clock) + AMPS_MILLISECONDS (90250);
  message = amps_job_message_new (f->config, f->clock, f->endpoint, f->jobs, &f->body);

  g_assert_cmpstr (soup_message_get_method (message), ==, "POST");
  g_assert_cmpstr (g_uri_get_path (soup_message_get_uri (message)), ==, "/jobs");
  g_assert_cmpstr (get_header (message, "Content-Type"), ==, "application/json");
  g_assert_cmpstr (get_header (message, "Amps-Job-Id"), ==, "run-1");
  g_assert_cmpstr (get_header (message, "Amps-Attempt"), ==, "3");
  g_assert_cmpstr (get_header (message, "Amps-Redelivered"), ==, "true");
  g_assert_cmpstr (get_header (message, "Amps-Queue"), ==, "jobs");
  g_assert_cmpstr (get_header (message, "Amps-Worker"), ==, "me");
  g_assert_cmpstr (get_header (message, "Amps-Api"), ==, "http://127.0.0.1:4321");
  /* The fake clock stands at one second in 2026. */
  g_assert_cmpstr (get_header (message, "Amps-Deadline"), ==, "2026-01-01T00:01:31.250Z");
  g_assert_null (get_header (message, "traceparent"));
  g_assert_null (get_header (message, "tracestate"));
  g_assert_cmpint (
      soup_message_headers_get_content_length (soup_message_get_request_headers (message)), ==,
      strlen (BODY));
}

/* A workload elsewhere is told where AMPS is, as its settings say. */
static void
test_api_url (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (SoupMessage) message = NULL;

  add_job (f, BODY, "run-1");
  message = amps_job_message_new (f->config, f->clock, f->endpoint, f->jobs, &f->body);
  g_assert_cmpstr (get_header (message, "Amps-Api"), ==, "https://amps.example:8443/api");
}

static void
test_without_a_deadline (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (SoupMessage) message = NULL;

  add_job (f, BODY, "run-1");
  message = amps_job_message_new (f->config, f->clock, f->endpoint, f->jobs, &f->body);
  g_assert_null (get_header (message, "Amps-Deadline"));
  g_assert_cmpstr (get_header (message, "Amps-Redelivered"), ==, "false");
  g_assert_cmpstr (get_header (message, "Content-Type"), ==, "application/cloudevents+json");
}

static void
test_trace_context (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsJob *job = add_job (f, BODY, "run-1");
  g_autoptr (SoupMessage) message = NULL;

  job->delivery->traceparent = g_strdup ("00-1-2-01");
  job->delivery->tracestate = g_strdup ("k=v");
  message = amps_job_message_new (f->config, f->clock, f->endpoint, f->jobs, &f->body);
  g_assert_cmpstr (get_header (message, "traceparent"), ==, "00-1-2-01");
  g_assert_cmpstr (get_header (message, "tracestate"), ==, "k=v");
}

/* Else each POST opened a connection, or followed where it is sent. */
static void
test_flags (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (SoupMessage) message = NULL;

  add_job (f, BODY, "run-1");
  message = amps_job_message_new (f->config, f->clock, f->endpoint, f->jobs, &f->body);
  g_assert_true (soup_message_query_flags (message, SOUP_MESSAGE_IDEMPOTENT));
  g_assert_true (soup_message_query_flags (message, SOUP_MESSAGE_NO_REDIRECT));
}

/* Not with TLS, which is between the body and the socket. */
static void
test_large (Fixture *f, gconstpointer settings)
{
  g_autofree char *body = g_strnfill (8 * 1024 + 1, ' ');
  g_autoptr (SoupMessage) message = NULL;
  g_autofree char *size = NULL;

  add_job (f, body, "run-1");
  message = amps_job_message_new (f->config, f->clock, f->endpoint, f->jobs, &f->body);
  size = g_strdup_printf ("%zu", strlen (body));
  g_assert_cmpstr (get_header (message, "Content-Length"), ==, size);

  g_assert_cmpint (f->body != NULL, ==, *(const char *) settings == '\0');
  g_clear_object (&f->body);
}

static void
test_batch (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (SoupMessage) message = NULL;

  add_job (f, BODY, "run-1");
  add_job (f, " {}", "run-2");
  message = amps_job_message_new (f->config, f->clock, f->endpoint, f->jobs, &f->body);
  g_assert_cmpstr (get_header (message, "Content-Type"), ==, "application/cloudevents-batch+json");
  g_assert_cmpstr (get_header (message, "Amps-Job-Id"), ==, "run-1,run-2");
  g_assert_cmpstr (get_header (message, "Amps-Queue"), ==, "jobs");
  g_assert_null (get_header (message, "Amps-Attempt"));
  g_assert_cmpint (
      soup_message_headers_get_content_length (soup_message_get_request_headers (message)), ==,
      strlen ("[" BODY ", {}]"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, settings, test)                                                                  \
  g_test_add ("/job-message/" name, Fixture, settings, set_up, test, tear_down)
  ADD ("headers", "", test_headers);
  ADD ("api-url", "API_URL=https://amps.example:8443/api", test_api_url);
  ADD ("api-url/batch", "API_URL=HTTPS://amps.example:8443/api\nWORKLOAD_BATCH_SIZE=5",
       test_api_url);
  ADD ("without-a-deadline", "WORKLOAD_CONTENT_TYPE=application/cloudevents+json",
       test_without_a_deadline);
  ADD ("trace-context", "", test_trace_context);
  ADD ("flags", "", test_flags);
  ADD ("large", "", test_large);
  ADD ("large/tls", "WORKLOAD_ADDRESS=https://127.0.0.1:5050", test_large);
  ADD ("batch", "WORKLOAD_BATCH_SIZE=5", test_batch);
  return g_test_run ();
}
