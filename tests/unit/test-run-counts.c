/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "dispatcher-fixture.h"

/* What the metrics say of the ends of runs: each is counted once, and measured from
 * its own POST. */

typedef DispatcherFixture Fixture;

static void
test_calls (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  run (f, "b");
  run (f, "c");
  amps_decider_acknowledge (f->decider, "a", NULL);
  amps_decider_acknowledge (f->decider, "a", NULL);
  amps_decider_reject (f->decider, "a", NULL, NULL);
  amps_decider_reject (f->decider, "b", NULL, NULL);
  amps_decider_reschedule (f->decider, "c", 0, NULL);
  iterate_until_idle ();
  assert_outcomes (f, "acknowledged 1 rejected 1 rescheduled 1 ");
  assert_metric (f, "amps_workloads_acknowledged_total 1");
  assert_metric (f, "amps_workloads_rejected_total 1");
  assert_metric (f, "amps_job_duration_seconds_count 3");
}

static void
test_answers (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 400;
  run (f, "a");
  f->status = 500;
  run (f, "b");
  f->status = 429;
  run (f, "c");
  iterate_until_idle ();
  assert_outcomes (f, "rejected 1 retried 2 ");
  assert_metric (f, "amps_workloads_rejected_total 1");
  assert_metric (f, "amps_job_duration_seconds_count 3");
}

/* What is not the workload's word does not count as its rejection. */
static void
test_last_failure (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 500;
  run (f, "a");
  assert_told (f, "dead-letter 1 max-attempts\n");
  assert_outcomes (f, "rejected 1 ");
  assert_metric (f, "amps_workloads_rejected_total 0");
}

static void
test_expiry (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  fake_clock_advance (f->clock, AMPS_SECONDS (120));
  assert_told (f, "retry 1 attempt 2\n");
  assert_outcomes (f, "expired 1 ");
}

static void
test_last_expiry (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  run (f, "a");
  fake_clock_advance (f->clock, AMPS_SECONDS (120));
  assert_told (f, "dead-letter 1 expired\n");
  assert_outcomes (f, "expired 1 ");
  assert_metric (f, "amps_workloads_rejected_total 0");
  assert_metric (f, "amps_job_duration_seconds_count 1");
  assert_metric (f, "amps_job_duration_seconds_sum 120.000000");

  /* For the API it is a job that was rejected. */
  g_assert_false (amps_decider_acknowledge (f->decider, "a", &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_CONFLICT);
}

/* The second job waits for 10 s until the first one has ended, and runs for 3 s. */
static void
test_duration (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  deliver (f, make_job ("a", "a", 0));
  deliver (f, make_job ("b", "b", 0));
  iterate_until_posted (f, 1);
  fake_clock_advance (f->clock, AMPS_SECONDS (10));
  amps_decider_acknowledge (f->decider, "a", NULL);
  iterate_until_posted (f, 2);
  fake_clock_advance (f->clock, AMPS_SECONDS (3));
  amps_decider_acknowledge (f->decider, "b", NULL);
  assert_metric (f, "amps_job_duration_seconds_count 2");
  assert_metric (f, "amps_job_duration_seconds_sum 13.000000");
}

/* It fails at once, and waits in its slot: neither that time nor the first run is
 * part of the second one. */
static void
test_duration_of_second_run (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 500;
  run (f, "a");
  f->status = 202;
  assert_outcomes (f, "retried 1 ");
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (900));
  iterate_until_posted (f, 2);
  fake_clock_advance (f->clock, AMPS_SECONDS (2));
  amps_decider_acknowledge (f->decider, "a", NULL);
  assert_told (f, "acknowledge 1\n");
  assert_outcomes (f, "acknowledged 1 retried 1 ");
  assert_metric (f, "amps_job_duration_seconds_count 2");
  assert_metric (f, "amps_job_duration_seconds_sum 2.000000");
}

static void
test_drain (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  deliver (f, make_job ("a", "a", 0));
  deliver (f, make_job ("b", "b", 0));
  deliver (f, make_job ("b", "another b", 0));
  iterate_until_posted (f, 1);
  amps_lifecycle_drain (f->lifecycle);
  amps_lifecycle_hurry (f->lifecycle);
  iterate_until_idle ();
  assert_outcomes (f, "released 3 ");
  assert_metric (f, "amps_job_duration_seconds_count 1");
}

static void
test_latency (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  AmpsJob *first = make_job ("a", "a", 0);
  AmpsJob *second = make_job ("b", "b", 0);

  amps_job_get_delivery (first)->received = amps_clock_get_monotonic_time (f->clock);
  amps_job_get_delivery (second)->received = amps_clock_get_monotonic_time (f->clock);
  deliver (f, first);
  deliver (f, second);
  iterate_until_posted (f, 1);
  assert_metric (f, "amps_delivery_latency_seconds_sum 0.000000");
  fake_clock_advance (f->clock, AMPS_SECONDS (7));
  f->status = 0;
  amps_decider_acknowledge (f->decider, "a", NULL);
  iterate_until_posted (f, 2);

  /* The workload is faster than its answer, which takes another second. */
  amps_decider_acknowledge (f->decider, "b", NULL);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  soup_server_message_set_status (f->held, 202, NULL);
  amps_http_listener_unpause (f->listener, f->held);
  g_clear_object (&f->held);
  iterate_until_idle ();
  assert_metric (f, "amps_delivery_latency_seconds_count 2");
  assert_metric (f, "amps_delivery_latency_seconds_sum 7.000000");
}

int
main (int argc, char **argv)
{
  const DispatcherTest tests[] = {
    { "/run-counts/calls", test_calls, NULL },
    { "/run-counts/answers", test_answers, NULL },
    { "/run-counts/last-failure", test_last_failure, "MAX_ATTEMPTS=1" },
    { "/run-counts/expiry", test_expiry, "MAX_ATTEMPTS=2" },
    { "/run-counts/last-expiry", test_last_expiry, "MAX_ATTEMPTS=1" },
    { "/run-counts/duration", test_duration, "MAX_CONCURRENCY=1" },
    { "/run-counts/duration-of-second-run", test_duration_of_second_run,
      "RETRY_MIN_BACKOFF=500ms\nRETRY_MAX_BACKOFF=800ms" },
    { "/run-counts/drain", test_drain, "MAX_CONCURRENCY=1" },
    { "/run-counts/latency", test_latency, "MAX_CONCURRENCY=1" },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
