/* SPDX-License-Identifier: MIT */
#include "dispatcher-fixture.h"

typedef DispatcherFixture Fixture;

static void
test_drain (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  for (char id[] = "a"; *id < 'd'; (*id)++)
    deliver (f, make_job (id, id, 0));
  iterate_until_posted (f, 2);
  amps_lifecycle_drain (f->lifecycle);
  g_assert_cmpstr (amps_lifecycle_get_state (f->lifecycle), ==, "draining");
  deliver (f, make_job ("late", "late", 0));
  assert_told (f, "stop consuming\nrelease 3\nrelease 4\n");

  amps_decider_acknowledge (f->decider, "a", NULL);
  amps_lifecycle_hurry (f->lifecycle);
  assert_told (f, "acknowledge 1\nrelease 2\n");
  g_assert_true (amps_lifecycle_resume (f->lifecycle, NULL));
  assert_told (f, "consume\n");
  amps_lifecycle_stop (f->lifecycle);
  g_assert_false (amps_lifecycle_resume (f->lifecycle, NULL));
  assert_told (f, "stop consuming\n");
}

/* Many jobs of one id must not be given back by as many calls within each other. */
static void
test_drain_of_followers (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *log = NULL;

  run (f, "a");
  for (int i = 0; i < 20000; i++)
    {
      g_autofree char *body = g_strdup_printf ("%d", i);

      deliver (f, make_job ("a", body, 0));
    }
  amps_lifecycle_drain (f->lifecycle);
  iterate_until_idle ();
  log = fake_broker_take_log (f->broker);
  g_assert_true (g_str_has_suffix (log, "release 20001\n"));
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 1);
  amps_decider_acknowledge (f->decider, "a", NULL);
  assert_told (f, "acknowledge 1\n");
}

static void
test_workload_that_goes (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_auto (GStrv) why = NULL;

  amps_http_listener_stop (f->listener);
  iterate_until_idle ();
  deliver (f, make_job ("a", "a", 0));
  assert_told (f, "stop consuming\n");
  g_assert_false (amps_consumer_gate_is_ready (f->gate));
  why = amps_consumer_gate_dup_obstacles (f->gate);
  g_assert_cmpuint (g_strv_length (why), ==, 1);
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 1);

  /* Others may have it after a while, and so they may what comes late. */
  fake_clock_advance (f->clock, AMPS_SECONDS (30));
  assert_told (f, "release 1\n");
  deliver (f, make_job ("b", "b", 0));
  fake_clock_advance (f->clock, AMPS_SECONDS (30));
  assert_told (f, "release 2\n");
}

/* Without a workload nobody can finish the jobs, so AMPS must notice by itself that it
 * has gone before it ends, whether it had gone before or goes now. */
static void
test_stop_without_workload (Fixture *f, gconstpointer gone_before)
{
  run (f, "a");
  if (gone_before != NULL)
    amps_http_listener_stop (f->listener);
  amps_lifecycle_stop (f->lifecycle);
  iterate_until_idle ();
  if (gone_before == NULL)
    {
      amps_http_listener_stop (f->listener);
      fake_clock_advance (f->clock, AMPS_SECONDS (1));
    }
  assert_told (f, "stop consuming\nrelease 1\n");
}

/* One that stops closes its port and finishes what it has. Only when AMPS is to end, as
 * a native sidecar is after the workload, there is nobody left. */
static void
test_drain_of_workload_that_stops (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  run (f, "b");
  amps_lifecycle_drain (f->lifecycle);
  amps_http_listener_stop (f->listener);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_told (f, "stop consuming\n");
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
  assert_told (f, "acknowledge 1\n");

  amps_lifecycle_stop (f->lifecycle);
  assert_told (f, "release 2\n");
}

/* What it has not answered is not lost with its port, but with the connection. */
static void
test_stop_while_an_answer_is_awaited (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  f->status = 0;
  run (f, "b");
  amps_lifecycle_stop (f->lifecycle);
  amps_http_listener_stop (f->listener);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_told (f, "stop consuming\nrelease 1\n");

  soup_server_message_set_status (f->held, 202, NULL);
  amps_http_listener_unpause (f->listener, f->held);
  g_clear_object (&f->held);
  assert_told (f, "");
  g_assert_true (amps_decider_acknowledge (f->decider, "b", NULL));
  assert_told (f, "acknowledge 2\n");
}

/* After it nothing is watched that need not be. */
static void
test_resume (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  amps_lifecycle_drain (f->lifecycle);
  g_assert_true (amps_lifecycle_resume (f->lifecycle, NULL));
  amps_http_listener_stop (f->listener);
  fake_clock_advance (f->clock, AMPS_SECONDS (10));
  iterate_until_idle ();
  g_assert_true (amps_workload_get_available (f->workload));
  assert_told (f, "stop consuming\nconsume\n");
}

/* One that only says that it is not ready goes on with its jobs. */
static void
test_stop_with_workload_that_is_not_ready (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  amps_lifecycle_stop (f->lifecycle);
  f->get_status = 503;
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  iterate_until_idle ();
  g_assert_false (amps_workload_get_available (f->workload));
  assert_told (f, "stop consuming\n");
  amps_http_listener_stop (f->listener);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_told (f, "release 1\n");
}

int
main (int argc, char **argv)
{
  const DispatcherTest tests[] = {
    { "/releaser/drain", test_drain, "MAX_CONCURRENCY=2" },
    { "/releaser/drain-of-followers", test_drain_of_followers, NULL },
    { "/releaser/workload-that-goes", test_workload_that_goes, NULL },
    { "/releaser/resume", test_resume, "WORKLOAD_RESTART=keep" },
    { "/releaser/stop-without-workload", test_stop_without_workload, NULL },
    { "/releaser/stop-after-workload", test_stop_without_workload, "# gone before" },
    { "/releaser/drain-of-workload-that-stops", test_drain_of_workload_that_stops, NULL },
    { "/releaser/stop-while-an-answer-is-awaited", test_stop_while_an_answer_is_awaited, NULL },
    { "/releaser/stop-with-workload-that-is-not-ready", test_stop_with_workload_that_is_not_ready,
      "WORKLOAD_READY_PATH=/ready" },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
