/* SPDX-License-Identifier: MIT */
#include "dispatcher-fixture.h"

#include <string.h>

typedef DispatcherFixture Fixture;

static void
assert_refused (Fixture *f, const char *status)
{
  g_auto (GStrv) obstacles = amps_consumer_gate_dup_obstacles (f->gate);
  g_autofree char *metrics = amps_metrics_format (f->metrics, AMPS_METRICS_PROMETHEUS);

  g_assert_false (amps_consumer_gate_is_ready (f->gate));
  g_assert_nonnull (strstr (obstacles[0], status));
  g_assert_nonnull (strstr (obstacles[0], "POST http://127.0.0.1:"));
  g_assert_nonnull (strstr (obstacles[0], "WORKLOAD_ADDRESS"));
  g_assert_nonnull (strstr (metrics, "amps_consumer_paused{reason=\"refused\"} 1\n"));
}

/* The longest backoff before the next trial. */
static void
wait_for_trial (Fixture *f)
{
  fake_clock_advance (f->clock, AMPS_SECONDS (30));
  iterate_until_idle ();
}

/* Jobs wait without blame, one at a time is tried, and the first that is accepted lets
 * all go on. */
static void
test_wrong_address (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 404;
  for (char id[] = "a"; *id < 'f'; (*id)++)
    deliver (f, make_job (id, id, 0));
  iterate_until_posted (f, 1);
  assert_told (f, "stop consuming\n");
  assert_refused (f, "404");
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 5);

  f->n_posts = 0;
  f->status = 403;
  for (unsigned int i = 1; i <= 12; i++)
    {
      wait_for_trial (f);
      iterate_until_posted (f, i);
      g_assert_cmpuint (f->n_posts, ==, i);
    }
  assert_told (f, "");
  assert_refused (f, "403");

  f->n_posts = 0;
  f->status = 202;
  wait_for_trial (f);
  iterate_until_posted (f, 5);
  g_assert_true (amps_consumer_gate_is_ready (f->gate));
  for (char id[] = "a"; *id < 'f'; (*id)++)
    g_assert_cmpuint (amps_job_get_attempt (amps_manifest_lookup (f->manifest, id)), ==, 1);
  assert_told (f, "consume\n");
}

/* Every status that a server gives at a wrong address, and some that it does not. */
static void
test_statuses (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  static const unsigned int bad[] = { 301, 302, 307, 308, 401, 403, 404, 405, 407, 421, 501 };
  static const unsigned int own[] = { 400, 402, 406, 410, 413, 415, 422, 451 };

  for (unsigned int i = 0; i < G_N_ELEMENTS (own); i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", own[i]);
      g_autofree char *told = g_strdup_printf ("dead-letter %u status\n", i + 1);

      f->status = own[i];
      run (f, id);
      assert_told (f, told);
    }

  f->status = bad[0];
  run (f, "bad");
  assert_told (f, "stop consuming\n");
  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *status = g_strdup_printf ("%u", bad[i]);
      unsigned int n_posts = f->n_posts + 1;

      f->status = bad[i];
      wait_for_trial (f);
      iterate_until_posted (f, n_posts);
      assert_told (f, "");
      assert_refused (f, status);
    }
}

/* Once the workload has accepted one, a job is refused for what it is. */
static void
test_bad_job (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "good");
  f->status = 404;
  run (f, "a");
  assert_told (f, "dead-letter 2 status\n");
  f->status = 501;
  run (f, "b");
  assert_told (f, "retry 3 attempt 2\n");
  g_assert_true (amps_consumer_gate_is_ready (f->gate));
}

/* A job that the workload judges by itself shows that it is there, so the next one is
 * tried at once; and so does one that it acknowledges before it answers. */
static void
test_bad_jobs_first (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 404;
  for (char id[] = "a"; *id < 'f'; (*id)++)
    deliver (f, make_job (id, id, 0));
  iterate_until_posted (f, 1);
  assert_told (f, "stop consuming\n");

  f->n_posts = 0;
  f->status = 422;
  wait_for_trial (f);
  while (f->n_posts < 5)
    {
      fake_clock_advance (f->clock, 0);
      g_main_context_iteration (NULL, FALSE);
    }
  iterate_until_idle ();
  g_assert_cmpuint (amps_metrics_get_outcomes (f->metrics, AMPS_OUTCOME_REJECTED), ==, 5);
  g_free (fake_broker_take_log (f->broker));

  wait_for_trial (f);
  f->n_posts = 0;
  f->status = 0;
  deliver (f, make_job ("g", "g", 0));
  iterate_until_posted (f, 1);
  g_assert_true (amps_decider_acknowledge (f->decider, "g", NULL));
  soup_server_message_set_status (f->held, 404, NULL);
  amps_http_listener_unpause (f->listener, f->held);
  g_clear_object (&f->held);
  iterate_until_idle ();
  g_assert_true (amps_consumer_gate_is_ready (f->gate));
}

/* Ten different ones in a row; one that is accepted breaks the row. */
static void
test_many_in_a_row (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "good");
  for (unsigned int row = 0; row < 2; row++)
    {
      f->status = 404;
      for (unsigned int i = 0; i < 9; i++)
        {
          g_autofree char *id = g_strdup_printf ("%u-%u", row, i);

          run (f, id);
        }
      g_assert_true (amps_consumer_gate_is_ready (f->gate));
      f->status = 202;
      run (f, row == 0 ? "better" : "best");
    }

  f->status = 501;
  for (unsigned int i = 0; i < 20; i++)
    run (f, "always the same");
  g_assert_true (amps_consumer_gate_is_ready (f->gate));

  f->status = 404;
  for (unsigned int i = 0; i < 8; i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);

      run (f, id);
    }
  g_assert_true (amps_consumer_gate_is_ready (f->gate));
  g_free (fake_broker_take_log (f->broker));
  run (f, "the tenth");
  assert_told (f, "stop consuming\n");
  assert_refused (f, "404");
}

/* With no job left there is nothing to try, so AMPS takes messages again for that. */
static void
test_nothing_to_try (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 404;
  run (f, "a");
  assert_told (f, "stop consuming\n");
  fake_broker_lose_connection (f->broker);
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
  wait_for_trial (f);
  assert_told (f, "consume\n");
  assert_refused (f, "404");

  run (f, "b");
  assert_told (f, "stop consuming\n");
  f->status = 202;
  wait_for_trial (f);
  assert_told (f, "consume\n");
  g_assert_true (amps_consumer_gate_is_ready (f->gate));
}

static unsigned int
count_running (Fixture *f)
{
  g_autoptr (GPtrArray) jobs = amps_manifest_list (f->manifest);
  unsigned int n = 0;

  for (unsigned int i = 0; i < jobs->len; i++)
    n += amps_job_get_state (g_ptr_array_index (jobs, i)) == AMPS_JOB_RUNNING;
  return n;
}

/* A batch that is refused is tried job by job, and so it is found out. */
static void
test_batch (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 404;
  for (char id[] = "a"; *id < 'e'; (*id)++)
    deliver (f, make_job (id, id, 0));
  while (amps_consumer_gate_is_ready (f->gate))
    g_main_context_iteration (NULL, TRUE);
  iterate_until_idle ();
  assert_told (f, "stop consuming\n");

  f->status = 202;
  wait_for_trial (f);
  while (count_running (f) < 4)
    {
      fake_clock_advance (f->clock, AMPS_MILLISECONDS (5));
      g_main_context_iteration (NULL, FALSE);
    }
  assert_told (f, "consume\n");
}

/* While AMPS drains nothing waits. */
static void
test_drain (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 404;
  run (f, "a");
  deliver (f, make_job ("b", "b", 0));
  amps_lifecycle_drain (f->lifecycle);
  assert_told (f, "stop consuming\nrelease 1\nrelease 2\n");
}

int
main (int argc, char **argv)
{
  const DispatcherTest tests[] = {
    { "/refusals/wrong-address", test_wrong_address, NULL },
    { "/refusals/batch", test_batch, "WORKLOAD_BATCH_SIZE=2" },
    { "/refusals/wrong-address-sync", test_nothing_to_try, "WORKLOAD_MODE=sync" },
    { "/refusals/statuses", test_statuses, NULL },
    { "/refusals/bad-job", test_bad_job, NULL },
    { "/refusals/bad-jobs-first", test_bad_jobs_first, NULL },
    { "/refusals/many-in-a-row", test_many_in_a_row, NULL },
    { "/refusals/nothing-to-try", test_nothing_to_try, NULL },
    { "/refusals/drain", test_drain, NULL },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
