/* SPDX-License-Identifier: MIT */
#include "dispatcher-fixture.h"

typedef DispatcherFixture Fixture;

/* Returns: its port */
static guint16
stop_workload (Fixture *f)
{
  guint16 port = amps_http_listener_get_port (f->listener);

  amps_http_listener_stop (f->listener);
  iterate_until_idle ();
  return port;
}

static void
start_workload_again (Fixture *f, guint16 port)
{
  g_autoptr (GError) error = NULL;

  amps_http_listener_listen (f->listener, port, &error);
  g_assert_no_error (error);
}

static void
restart_workload (Fixture *f)
{
  start_workload_again (f, stop_workload (f));
}

static void
wait_until_available (Fixture *f)
{
  while (!amps_workload_get_available (f->workload))
    {
      fake_clock_advance (f->clock, AMPS_MILLISECONDS (100));
      g_main_context_iteration (NULL, FALSE);
    }
  iterate_until_idle ();
}

/* That a connection ends is enough to look, without any time passing, so that it is seen
 * even if the workload is back in a moment. */
static void
test_restart (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  guint16 port;

  run (f, "a");
  run (f, "b");
  g_assert_true (amps_decider_acknowledge (f->decider, "b", NULL));
  assert_told (f, "acknowledge 2\n");
  port = stop_workload (f);
  g_assert_false (amps_workload_get_available (f->workload));
  assert_told (f, "stop consuming\n");

  start_workload_again (f, port);
  wait_until_available (f);
  assert_told (f, "retry 1 attempt 2\nconsume\n");
  g_assert_cmpuint (amps_metrics_get_outcomes (f->metrics, AMPS_OUTCOME_EXPIRED), ==, 1);
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
}

static void
test_keep (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  restart_workload (f);
  fake_clock_advance (f->clock, AMPS_SECONDS (10));
  iterate_until_idle ();
  wait_until_available (f);
  g_assert_cmpint (amps_job_get_state (amps_manifest_lookup (f->manifest, "a")), ==,
                   AMPS_JOB_RUNNING);
  g_assert_true (amps_decider_acknowledge (f->decider, "a", NULL));
}

/* With no connection left that would tell, it is looked at again and again, but only
 * as long as there are jobs. */
static void
test_no_connection (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  guint16 port;

  run (f, "a");
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  iterate_until_idle ();
  g_assert_false (amps_workload_is_guarded (f->workload));
  g_assert_true (amps_workload_get_available (f->workload));
  port = stop_workload (f);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (250));
  iterate_until_idle ();
  g_assert_false (amps_workload_get_available (f->workload));
  start_workload_again (f, port);
  wait_until_available (f);
  assert_told (f, "stop consuming\nretry 1 attempt 2\nconsume\n");

  port = stop_workload (f);
  fake_clock_advance (f->clock, AMPS_SECONDS (10));
  iterate_until_idle ();
  g_assert_true (amps_workload_get_available (f->workload));
}

/* The last attempt, and one that is detached: its redelivery is not run again for free. */
static void
test_last_attempt (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  guint16 port;

  run (f, "a");
  port = stop_workload (f);
  start_workload_again (f, port);
  wait_until_available (f);
  assert_told (f, "stop consuming\ndead-letter 1 workload-restarted\nconsume\n");
}

static void
test_detached (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  guint16 port;

  run (f, "a");
  fake_broker_lose_connection (f->broker);
  port = stop_workload (f);
  start_workload_again (f, port);
  wait_until_available (f);
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
  deliver (f, make_redelivered_job ("a", "a", 0));
  assert_told (f, "stop consuming\nconsume\nretry 2 attempt 2\n");
}

int
main (int argc, char **argv)
{
  const DispatcherTest tests[] = {
    { "/lost-jobs/restart", test_restart, NULL },
    { "/lost-jobs/keep", test_keep, "WORKLOAD_RESTART=keep" },
    { "/lost-jobs/no-connection", test_no_connection, NULL },
    { "/lost-jobs/last-attempt", test_last_attempt, "MAX_ATTEMPTS=1" },
    { "/lost-jobs/detached", test_detached, NULL },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
