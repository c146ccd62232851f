/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "jobs/amps-job-private.h"
#include "make-job.h"

static void
test_event (void)
{
  g_autoptr (AmpsJob) job = make_job ("a", "body", 3);

  g_assert_cmpstr (amps_job_get_id (job), ==, "a");
  g_assert_cmpstr (amps_job_get_source (job), ==, "/test");
  g_assert_cmpstr (amps_job_get_event_type (job), ==, "test");
  g_assert_cmpuint (g_bytes_get_size (amps_job_get_body (job)), ==, 4);
  g_assert_cmpuint (amps_job_get_attempt (job), ==, 1);
  g_assert_cmpint (amps_job_get_state (job), ==, AMPS_JOB_WAITING);
  g_assert_cmpint (amps_job_get_outcome (job), ==, AMPS_OUTCOME_NONE);
  g_assert_false (amps_job_is_in_workload (job));
  g_assert_null (amps_job_get_problem (job));
  g_assert_null (amps_job_get_run_id (job));
}

/* The failures before it were told by the message. */
static void
test_attempt (void)
{
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new_static ("x", 1));
  g_autoptr (AmpsJob) job = NULL;

  delivery->attempt = 7;
  job = amps_job_new (delivery, g_new0 (AmpsCloudEvent, 1));
  g_assert_cmpuint (amps_job_get_attempt (job), ==, 7);
}

static void
test_malformed (void)
{
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new_static ("x", 1));
  g_autoptr (AmpsJob) job = amps_job_new_malformed (
      delivery, g_error_new_literal (AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "no JSON"));

  g_assert_error (amps_job_get_problem (job), AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_null (amps_job_get_id (job));
  g_assert_null (amps_job_get_source (job));
  g_assert_null (amps_job_get_event_type (job));
  g_assert_null (amps_job_get_traceparent (job));
  g_assert_null (amps_job_get_tracestate (job));
}

#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

/* Both of one place: the state of another trace would mean nothing. */
static void
test_trace_context (void)
{
  g_autoptr (AmpsJob) job = make_job ("a", "body", 1);
  AmpsDelivery *delivery = amps_job_get_delivery (job);

  delivery->traceparent = g_strdup ("message's");
  delivery->tracestate = g_strdup ("message's");
  g_assert_cmpstr (amps_job_get_traceparent (job), ==, "message's");
  g_assert_cmpstr (amps_job_get_tracestate (job), ==, "message's");

  job->event->traceparent = g_strdup ("event's");
  g_assert_cmpstr (amps_job_get_traceparent (job), ==, "event's");
  g_assert_null (amps_job_get_tracestate (job));
}

/* That of its run, when one is recorded, and no other. */
static void
test_run_trace (void)
{
  g_autoptr (AmpsJob) job = make_job ("a", "body", 1);
  AmpsRunTrace *trace = g_new0 (AmpsRunTrace, 1);
  g_autoptr (AmpsTraceHeaders) headers = NULL;
  AmpsTraceContext context, found;

  g_assert_false (amps_job_find_trace_context (job, &found));
  g_assert_null (amps_job_dup_trace (job));
  amps_job_get_delivery (job)->traceparent = g_strdup (TRACEPARENT);
  g_assert_true (amps_trace_context_parse (&context, TRACEPARENT));
  g_assert_true (amps_job_find_trace_context (job, &found));
  g_assert_cmpmem (&found, sizeof found, &context, sizeof context);

  amps_trace_context_begin (&trace->context, &context);
  context = trace->context;
  amps_job_take_trace (job, trace);
  g_assert_true (amps_job_find_trace_context (job, &found));
  g_assert_cmpmem (&found, sizeof found, &context, sizeof context);
  headers = amps_job_dup_trace (job);
  g_assert_cmpstr (headers->traceparent, !=, TRACEPARENT);

  amps_job_take_trace (job, NULL);
  g_assert_null (amps_job_get_trace (job));
}

static void
test_duplicates (void)
{
  g_autoptr (AmpsJob) job = make_job ("a", "body", 1);
  g_autoptr (AmpsDelivery) second = amps_delivery_new (g_bytes_new_static ("body", 4));
  g_autoptr (AmpsDelivery) third = amps_delivery_new (g_bytes_new_static ("body", 4));
  g_autoptr (GPtrArray) rest = NULL;

  g_assert_false (amps_job_adopt_duplicate (job));
  g_assert_null (amps_job_steal_duplicates (job));

  amps_job_add_duplicate (job, second);
  amps_job_add_duplicate (job, third);
  job->detached = TRUE;
  g_assert_true (amps_job_adopt_duplicate (job));
  g_assert_true (amps_job_get_delivery (job) == second);
  g_assert_false (amps_job_is_detached (job));

  rest = amps_job_steal_duplicates (job);
  g_assert_cmpuint (rest->len, ==, 1);
  g_assert_true (g_ptr_array_index (rest, 0) == third);
  g_assert_false (amps_job_adopt_duplicate (job));
}

/* By what is in them, since a repeated call brings equal bytes, not the same. */
static void
test_confirmed (void)
{
  g_autoptr (AmpsJob) job = make_job ("a", "body", 1);
  g_autoptr (GBytes) repeated = g_bytes_new ("event", 5);

  g_hash_table_add (amps_job_get_confirmed (job), g_bytes_new_static ("event", 5));
  g_assert_true (g_hash_table_contains (amps_job_get_confirmed (job), repeated));
}

/* Labels of metrics and words of the API. */
static void
test_names (void)
{
  static const struct {
    AmpsJobState state;
    const char *name;
    gboolean in_workload;
  } states[] = {
    { AMPS_JOB_WAITING, "waiting", FALSE }, { AMPS_JOB_POSTING, "posting", TRUE },
    { AMPS_JOB_RUNNING, "running", TRUE },  { AMPS_JOB_DECIDING, "deciding", TRUE },
    { AMPS_JOB_DECIDED, "decided", FALSE },
  };
  static const char *const outcomes[AMPS_N_OUTCOMES] = {
    "none",    "acknowledged", "rejected", "rescheduled",
    "retried", "expired",      "released", "malformed",
  };
  g_autoptr (AmpsJob) job = make_job ("a", "body", 1);

  for (unsigned int i = 0; i < G_N_ELEMENTS (states); i++)
    {
      job->state = states[i].state;
      g_assert_cmpstr (amps_job_state_to_string (states[i].state), ==, states[i].name);
      g_assert_cmpint (amps_job_is_in_workload (job), ==, states[i].in_workload);
    }
  for (AmpsOutcome outcome = 0; outcome < AMPS_N_OUTCOMES; outcome++)
    g_assert_cmpstr (amps_outcome_to_string (outcome), ==, outcomes[outcome]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/job/event", test_event);
  g_test_add_func ("/job/attempt", test_attempt);
  g_test_add_func ("/job/malformed", test_malformed);
  g_test_add_func ("/job/trace-context", test_trace_context);
  g_test_add_func ("/job/run-trace", test_run_trace);
  g_test_add_func ("/job/duplicates", test_duplicates);
  g_test_add_func ("/job/confirmed", test_confirmed);
  g_test_add_func ("/job/names", test_names);
  return g_test_run ();
}
