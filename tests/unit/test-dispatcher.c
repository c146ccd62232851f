/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "dispatcher-fixture.h"

typedef DispatcherFixture Fixture;

static void
test_outcomes (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  run (f, "a");
  run (f, "b");
  run (f, "c");
  g_assert_cmpint (amps_job_get_state (amps_manifest_lookup (f->manifest, "a")), ==,
                   AMPS_JOB_RUNNING);

  g_assert_true (amps_decider_acknowledge (f->decider, "a", &error));
  g_assert_true (amps_decider_reject (f->decider, "b", "no such order", &error));
  g_assert_true (amps_decider_reschedule (f->decider, "c", 0, &error));
  g_assert_no_error (error);
  assert_told (f, "acknowledge 1\ndead-letter 2 rejected\nrelease 3\n");
  g_assert_false (amps_decider_acknowledge (f->decider, "b", &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_CONFLICT);
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
}

static void
test_answers (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 500;
  run (f, "a");
  assert_told (f, "retry 1 attempt 2\n");
  f->status = 429;
  run (f, "b");
  assert_told (f, "retry 2 attempt 1\n");
  f->status = 400;
  run (f, "c");
  assert_told (f, "dead-letter 3 status\n");
}

static void
test_outcome_before_the_answer (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 0;
  run (f, "a");
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  soup_server_message_set_status (f->held, 500, NULL);
  assert_told (f, "acknowledge 1\n");
}

static void
test_expiry (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  gint64 deadline;

  run (f, "a");
  fake_clock_advance (f->clock, AMPS_SECONDS (100));
  g_assert_true (amps_decider_heartbeat (f->decider, "a", 0, &deadline, NULL));
  fake_clock_advance (f->clock, AMPS_SECONDS (119));
  assert_told (f, "");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_told (f, "retry 1 attempt 2\n");
  g_assert_false (amps_decider_heartbeat (f->decider, "a", 0, &deadline, NULL));
}

static void
test_max_attempts (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 500;
  run (f, "a");
  assert_told (f, "dead-letter 1 max-attempts\n");
}

static void
test_malformed (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new_static ("{", 1));

  deliver (f,
           amps_job_new_malformed (
               delivery, g_error_new_literal (AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "not JSON")));
  assert_told (f, "dead-letter 1 malformed\n");
  g_assert_cmpuint (f->n_posts, ==, 0);
}

/* Nobody would look for rejected jobs that have nowhere to go. */
static void
test_dead_letters_that_wait (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_auto (GStrv) obstacles = NULL;

  fake_broker_fail_settlements (f->broker, AMPS_ERROR_NOT_PERMITTED, 1);
  run (f, "a");
  g_assert_true (amps_decider_reject (f->decider, "a", "why", NULL));
  assert_told (f, "");
  g_assert_false (amps_consumer_gate_is_ready (f->gate));
  obstacles = amps_consumer_gate_dup_obstacles (f->gate);
  g_assert_cmpuint (g_strv_length (obstacles), ==, 1);
  g_assert_nonnull (strstr (obstacles[0], "as the test wants it"));
  g_assert_cmpstr (amps_lifecycle_get_state (f->lifecycle), ==, "running");

  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_told (f, "dead-letter 1 rejected\n");
  g_assert_true (amps_consumer_gate_is_ready (f->gate));
}

static void
test_gate (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  for (char id[] = "a"; *id < 'e'; (*id)++)
    deliver (f, make_job (id, id, 0));
  iterate_until_posted (f, 2);
  g_assert_cmpuint (f->n_posts, ==, 2);

  amps_decider_acknowledge (f->decider, "a", NULL);
  iterate_until_posted (f, 3);
  g_assert_cmpuint (f->n_posts, ==, 3);
  amps_dispatcher_set_max_concurrency (f->dispatcher, 3);
  iterate_until_posted (f, 4);
  assert_told (f, "acknowledge 1\nprefetch 3\n");
}

static void
test_lost_connection (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  run (f, "b");
  run (f, "c");
  fake_broker_lose_connection (f->broker);
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  assert_told (f, "");

  deliver (f, make_redelivered_job ("a", "a", 0));
  deliver (f, make_redelivered_job ("b", "b", 0));
  assert_told (f, "acknowledge 4\n");
  g_assert_true (amps_decider_acknowledge (f->decider, "b", NULL));
  assert_told (f, "acknowledge 5\n");

  /* The redelivery of this one is late, and knows of its failure. */
  fake_clock_advance (f->clock, AMPS_SECONDS (120));
  assert_told (f, "");
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
  deliver (f, make_redelivered_job ("c", "c", 0));
  assert_told (f, "retry 6 attempt 2\n");
  g_assert_cmpuint (f->n_posts, ==, 3);
}

/* A job may be acknowledged long before the broker comes back. */
static void
test_long_outage (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  amps_broker_end_epoch (AMPS_BROKER (f->broker));
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  fake_clock_advance (f->clock, AMPS_SECONDS (3600));
  amps_broker_begin_epoch (AMPS_BROKER (f->broker));
  deliver (f, make_redelivered_job ("a", "a", 0));
  assert_told (f, "acknowledge 2\n");
}

static void
test_early_copy (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  AmpsJob *soon = make_job ("soon", "soon", 0);
  AmpsJob *late = make_job ("late", "late", 0);
  gint64 now = amps_clock_get_monotonic_time (f->clock);

  amps_job_get_delivery (soon)->received = amps_job_get_delivery (late)->received = now;
  amps_job_get_delivery (soon)->delay = AMPS_MILLISECONDS (500);
  amps_job_get_delivery (late)->delay = AMPS_SECONDS (30);
  deliver (f, soon);
  deliver (f, late);
  assert_told (f, "retry 2 attempt 1\n");
  g_assert_cmpuint (f->n_posts, ==, 0);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (500));
  iterate_until_posted (f, 1);
}

/* It goes up and down while jobs end; the rules are that none is lost, doubled
 * or one too many. */
static void
test_concurrency_changes (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  static const unsigned int limits[] = { 4, 1, 3, 5, 2, 1, 5 };
  g_auto (GStrv) posts = NULL;
  unsigned int n_done = 0;

  for (unsigned int i = 0; i < 20; i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);

      deliver (f, make_job (id, id, 0));
    }

  while (n_done < 20)
    {
      unsigned int limit = limits[n_done % G_N_ELEMENTS (limits)];
      unsigned int before = amps_manifest_get_n_in_workload (f->manifest);
      g_autofree char *id = g_strdup_printf ("%u", n_done);

      amps_dispatcher_set_max_concurrency (f->dispatcher, limit);
      /* Going down takes nothing away from the workload. */
      g_assert_cmpuint (amps_manifest_get_n_in_workload (f->manifest), ==,
                        MAX (before, MIN (limit, 20 - n_done)));
      iterate_until_posted (f, n_done + amps_manifest_get_n_in_workload (f->manifest));
      g_assert_true (amps_decider_acknowledge (f->decider, id, NULL));
      n_done++;
      g_assert_cmpuint (amps_manifest_get_n_in_workload (f->manifest), <=, MAX (limit, before - 1));
    }

  iterate_until_idle ();
  g_assert_cmpuint (f->n_posts, ==, 20);
  posts = g_strsplit (f->bodies->str, "\n", -1);
  for (unsigned int i = 0; i < 20; i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);

      g_assert_true (g_strv_contains ((const char *const *) posts, id));
    }
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
}

/* No answer within JOB_TIMEOUT, but signs of life. */
static void
test_heartbeat_in_sync_mode (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  gint64 deadline;

  f->status = 0;
  run (f, "a");
  fake_clock_advance (f->clock, AMPS_SECONDS (8));
  g_assert_true (amps_decider_heartbeat (f->decider, "a", 0, &deadline, NULL));
  fake_clock_advance (f->clock, AMPS_SECONDS (8));
  g_assert_true (amps_decider_heartbeat (f->decider, "a", AMPS_SECONDS (60), &deadline, NULL));
  fake_clock_advance (f->clock, AMPS_SECONDS (59));
  assert_told (f, "");
  soup_server_message_set_status (f->held, 200, NULL);
  amps_http_listener_unpause (f->listener, f->held);
  g_clear_object (&f->held);
  assert_told (f, "acknowledge 1\n");

  /* And then none. */
  run (f, "b");
  fake_clock_advance (f->clock, AMPS_SECONDS (10));
  assert_told (f, "retry 2 attempt 2\n");
}

static void
test_batch (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  /* None of those that are sent alone waits for company. */
  f->status = 400;
  for (char id[] = "a"; *id < 'd'; (*id)++)
    deliver (f, make_job (id, id, 0));
  iterate_until_posted (f, 4);
  assert_told (f, "dead-letter 1 status\ndead-letter 2 status\ndead-letter 3 status\n");

  f->status = 200;
  deliver (f, make_job ("d", "d", 0));
  deliver (f, make_job ("e", "e", 0));
  iterate_until_idle ();
  g_assert_cmpuint (f->n_posts, ==, 4);
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  iterate_until_posted (f, 5);
  g_assert_cmpstr (f->bodies->str, ==, "[a,b,c]\n[a]\n[b]\n[c]\n[d,e]\n");
  assert_told (f, "acknowledge 4\nacknowledge 5\n");
}

static void
test_batch_as_large_as_it_can_be (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  deliver (f, make_job ("a", "a", 0));
  deliver (f, make_job ("b", "b", 0));
  iterate_until_posted (f, 1);
  g_assert_cmpstr (f->bodies->str, ==, "[a,b]\n");
}

static void
test_batch_of_large_jobs (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *large = g_strnfill (600, 'x');
  g_autofree char *expected = g_strdup_printf ("[%s]\n[%s,b]\n", large, large);

  deliver (f, make_job ("a", large, 0));
  deliver (f, make_job ("c", large, 0));
  deliver (f, make_job ("b", "b", 0));
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  iterate_until_posted (f, 2);
  g_assert_cmpstr (f->bodies->str, ==, expected);
}

static void
test_batch_with_bad_answers (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  static const char *const answers[] = { "done", "{}", "{\"failures\":{}}",
                                         "{\"failures\":[{\"identifier\":\"x\"}]}",
                                         "{\"failures\":[{\"identifier\":7}]}" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autofree char *told =
          g_strdup_printf ("retry %u attempt 2\nretry %u attempt 2\n", 2 * i + 1, 2 * i + 2);

      f->status = 200;
      f->answer = answers[i];
      deliver (f, make_job ("a", "a", 0));
      deliver (f, make_job ("b", "b", 0));
      iterate_until_posted (f, i + 1);
      assert_told (f, told);
    }
}

/* An acknowledgement counts by whatever run, and whenever it comes; nothing else of an
 * earlier run does. */
static char *
give_up_first_run (Fixture *f)
{
  char *run_id;

  f->status = 0;
  run (f, "a");
  run_id = g_strdup (amps_job_get_run_id (amps_manifest_lookup (f->manifest, "a")));
  soup_server_message_set_status (f->held, 500, NULL);
  amps_http_listener_unpause (f->listener, f->held);
  g_clear_object (&f->held);
  iterate_until_idle ();
  return run_id;
}

static void
assert_conflict (Fixture *f, const char *run_id)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (amps_decider_reject (f->decider, run_id, NULL, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_CONFLICT);
  g_clear_error (&error);
  g_assert_false (amps_decider_reschedule (f->decider, run_id, 0, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_CONFLICT);
}

static void
test_late_success_in_slot (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *run_id = give_up_first_run (f);

  assert_conflict (f, run_id);
  g_assert_true (amps_decider_acknowledge (f->decider, run_id, NULL));
  g_assert_true (amps_decider_acknowledge (f->decider, run_id, NULL));
  assert_told (f, "acknowledge 1\n");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_told (f, "");
  g_assert_cmpuint (f->n_posts, ==, 1);
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
}

static void
test_late_success_while_it_runs (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *run_id = give_up_first_run (f);

  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  iterate_until_posted (f, 2);
  assert_conflict (f, run_id);
  g_assert_true (amps_decider_acknowledge (f->decider, run_id, NULL));
  soup_server_message_set_status (f->held, 500, NULL);
  assert_told (f, "acknowledge 1\n");
}

static AmpsJob *
make_copy (const char *body)
{
  AmpsJob *job = make_job ("a", body, 0);

  amps_job_get_delivery (job)->copy = 1;
  amps_job_get_delivery (job)->attempt = 2;
  return job;
}

static void
test_late_success_at_broker (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *run_id = give_up_first_run (f);

  assert_told (f, "retry 1 attempt 2\n");
  assert_conflict (f, run_id);
  g_assert_true (amps_decider_acknowledge (f->decider, run_id, NULL));
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  assert_conflict (f, run_id);
  assert_told (f, "");

  /* Another job of its id is another job, and the answer is given once. */
  f->status = 202;
  deliver (f, make_copy ("other"));
  iterate_until_posted (f, 2);
  amps_decider_acknowledge (f->decider, "a", NULL);
  assert_told (f, "acknowledge 2\n");
  deliver (f, make_copy ("a"));
  assert_told (f, "acknowledge 3\n");
  deliver (f, make_copy ("a"));
  iterate_until_posted (f, 3);
}

/* What is given up meanwhile under the same id is another job, which must not be lost. */
static void
test_late_success_of_another (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *run_id = give_up_first_run (f);
  g_autoptr (AmpsJob) other = make_job ("a", "other", 0);

  f->status = 500;
  fake_broker_deliver (f->broker, other);
  iterate_until_posted (f, 2);
  assert_told (f, "retry 1 attempt 2\nretry 2 attempt 2\n");
  amps_decider_acknowledge (f->decider, run_id, NULL);
  f->status = 202;
  deliver (f, make_copy ("other"));
  iterate_until_posted (f, 3);
}

/* A message that was published again later, with the same id and bytes, was given up by
 * another replica: its retry, which comes here, is not the one that was finished. */
static void
test_late_success_of_a_twin (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *run_id = give_up_first_run (f);
  AmpsJob *twin = make_copy ("a");

  g_assert_true (amps_decider_acknowledge (f->decider, run_id, NULL));
  amps_job_get_delivery (twin)->first_received = AMPS_SECONDS (1);
  f->status = 202;
  deliver (f, twin);
  iterate_until_posted (f, 2);
  assert_told (f, "retry 1 attempt 2\n");
}

/* Its retry has come already, under way by another run. */
static void
test_late_success_of_retry (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *run_id = give_up_first_run (f);

  f->status = 202;
  deliver (f, make_copy ("a"));
  iterate_until_posted (f, 2);
  assert_conflict (f, run_id);
  g_assert_true (amps_decider_acknowledge (f->decider, run_id, NULL));
  assert_told (f, "retry 1 attempt 2\nacknowledge 2\n");
}

/* It comes while the broker is still being told of the retry. */
static void
test_late_success_while_settling (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *run_id = NULL;

  fake_broker_fail_settlements (f->broker, AMPS_ERROR_UNAVAILABLE, 1);
  run_id = give_up_first_run (f);
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 1);
  g_assert_true (amps_decider_acknowledge (f->decider, run_id, NULL));
  deliver (f, make_copy ("a"));
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_told (f, "acknowledge 1\nacknowledge 2\n");
  g_assert_cmpuint (f->n_posts, ==, 1);
}

/* One that was detached as well: its redelivery is settled. */
static void
test_late_success_detached (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  fake_broker_lose_connection (f->broker);
  fake_clock_advance (f->clock, AMPS_SECONDS (120));
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  deliver (f, make_redelivered_job ("a", "a", 0));
  assert_told (f, "acknowledge 2\n");
  g_assert_cmpuint (f->n_posts, ==, 1);
}

int
main (int argc, char **argv)
{
  const DispatcherTest tests[] = {
    { "/dispatcher/outcomes", test_outcomes, NULL },
    { "/dispatcher/answers", test_answers, NULL },
    { "/dispatcher/outcome-before-the-answer", test_outcome_before_the_answer, NULL },
    { "/dispatcher/expiry", test_expiry, NULL },
    { "/dispatcher/max-attempts", test_max_attempts, "MAX_ATTEMPTS=1" },
    { "/dispatcher/malformed", test_malformed, NULL },
    { "/dispatcher/dead-letters-that-wait", test_dead_letters_that_wait, NULL },
    { "/dispatcher/gate", test_gate, "MAX_CONCURRENCY=2" },
    { "/dispatcher/lost-connection", test_lost_connection, NULL },
    { "/dispatcher/long-outage", test_long_outage, NULL },
    { "/dispatcher/early-copy", test_early_copy, NULL },
    { "/dispatcher/concurrency-changes", test_concurrency_changes, "MAX_CONCURRENCY=2" },
    { "/dispatcher/heartbeat-in-sync-mode", test_heartbeat_in_sync_mode,
      "WORKLOAD_MODE=sync\nJOB_TIMEOUT=10s" },
    { "/dispatcher/batch", test_batch,
      "WORKLOAD_MODE=sync\nWORKLOAD_BATCH_SIZE=3\nWORKLOAD_BATCH_WAIT=5s" },
    { "/dispatcher/batch-as-large-as-it-can-be", test_batch_as_large_as_it_can_be,
      "WORKLOAD_BATCH_SIZE=9\nWORKLOAD_BATCH_WAIT=5s\nMAX_CONCURRENCY=2" },
    { "/dispatcher/batch-of-large-jobs", test_batch_of_large_jobs,
      "WORKLOAD_BATCH_SIZE=9\nWORKLOAD_BATCH_WAIT=5s\nMAX_BODY_SIZE=1KiB" },
    { "/dispatcher/batch-with-bad-answers", test_batch_with_bad_answers,
      "WORKLOAD_MODE=sync\nWORKLOAD_BATCH_SIZE=2\nWORKLOAD_BATCH_WAIT=1m" },
    { "/dispatcher/late-success-in-slot", test_late_success_in_slot,
      "RETRY_MIN_BACKOFF=1ms\nRETRY_MAX_BACKOFF=1ms" },
    { "/dispatcher/late-success-while-it-runs", test_late_success_while_it_runs,
      "RETRY_MIN_BACKOFF=1ms\nRETRY_MAX_BACKOFF=1ms" },
    { "/dispatcher/late-success-at-broker", test_late_success_at_broker, NULL },
    { "/dispatcher/late-success-of-another", test_late_success_of_another, NULL },
    { "/dispatcher/late-success-of-a-twin", test_late_success_of_a_twin, NULL },
    { "/dispatcher/late-success-of-retry", test_late_success_of_retry, NULL },
    { "/dispatcher/late-success-while-settling", test_late_success_while_settling, NULL },
    { "/dispatcher/late-success-detached", test_late_success_detached, NULL },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
