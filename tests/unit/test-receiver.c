/* SPDX-License-Identifier: MIT */
#include "dispatcher-fixture.h"

/* What is counted as put into the manifest, and as taken out of it. */

typedef DispatcherFixture Fixture;

static void
assert_counts (Fixture *f, unsigned int inserted, unsigned int deleted)
{
  iterate_until_idle ();
  g_assert_cmpuint (amps_metrics_get_counter (f->metrics, AMPS_COUNTER_MESSAGES_INSERTED), ==,
                    inserted);
  g_assert_cmpuint (amps_metrics_get_counter (f->metrics, AMPS_COUNTER_MESSAGES_DELETED), ==,
                    deleted);
  g_assert_cmpfloat (amps_metrics_get_gauge (f->metrics, AMPS_GAUGE_MESSAGES_COUNT), ==,
                     inserted - deleted);
  g_assert_cmpfloat (amps_metrics_get_gauge (f->metrics, AMPS_GAUGE_JOBS_IN_FLIGHT), ==,
                     inserted - deleted);
}

static void
test_one (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  assert_counts (f, 1, 0);
  amps_decider_acknowledge (f->decider, "a", NULL);
  assert_counts (f, 1, 1);
  assert_metric (f, "amps_message_lifetime_seconds_count 1");
}

static void
test_duplicate (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  deliver (f, make_job ("a", "a", 0));
  assert_counts (f, 1, 0);
  amps_decider_acknowledge (f->decider, "a", NULL);
  assert_told (f, "acknowledge 1\nacknowledge 2\n");
  assert_counts (f, 1, 1);
}

static void
test_follower (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  deliver (f, make_job ("a", "another", 0));
  deliver (f, make_job ("a", "a third", 0));
  assert_counts (f, 1, 0);
  amps_decider_acknowledge (f->decider, "a", NULL);
  iterate_until_posted (f, 2);
  assert_counts (f, 2, 1);

  amps_lifecycle_drain (f->lifecycle);
  assert_counts (f, 2, 1);
  amps_decider_acknowledge (f->decider, "a", NULL);
  assert_counts (f, 2, 2);
}

static void
test_attached (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  fake_broker_lose_connection (f->broker);
  deliver (f, make_redelivered_job ("a", "a", 0));
  assert_counts (f, 1, 0);
  amps_decider_acknowledge (f->decider, "a", NULL);
  assert_counts (f, 1, 1);
}

/* It ended while there was no connection, and comes back to be settled. */
static void
test_recalled (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  fake_broker_lose_connection (f->broker);
  amps_decider_acknowledge (f->decider, "a", NULL);
  assert_counts (f, 1, 1);
  deliver (f, make_redelivered_job ("a", "a", 0));
  assert_told (f, "acknowledge 2\n");
  assert_counts (f, 1, 1);
  assert_outcomes (f, "acknowledged 1 ");
}

/* One that had not been POSTed goes, and comes again. */
static void
test_lost (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  deliver (f, make_job ("b", "b", 0));
  assert_counts (f, 2, 0);
  fake_broker_lose_connection (f->broker);
  assert_counts (f, 2, 1);
  deliver (f, make_redelivered_job ("b", "b", 0));
  assert_counts (f, 3, 1);
}

static void
test_hop (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  AmpsJob *early = make_job ("a", "a", 0);

  amps_job_get_delivery (early)->received = amps_clock_get_monotonic_time (f->clock);
  amps_job_get_delivery (early)->delay = AMPS_SECONDS (30);
  deliver (f, early);
  assert_told (f, "retry 1 attempt 1\n");
  assert_counts (f, 0, 0);
  assert_outcomes (f, "");
}

static void
test_malformed (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new_static ("{", 1));
  GError *problem = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no event");

  deliver (f, amps_job_new_malformed (delivery, problem));
  assert_told (f, "dead-letter 1 malformed\n");
  assert_counts (f, 0, 0);
  assert_outcomes (f, "malformed 1 ");
}

int
main (int argc, char **argv)
{
  const DispatcherTest tests[] = {
    { "/receiver/one", test_one, NULL },
    { "/receiver/duplicate", test_duplicate, NULL },
    { "/receiver/follower", test_follower, NULL },
    { "/receiver/attached", test_attached, NULL },
    { "/receiver/recalled", test_recalled, NULL },
    { "/receiver/lost", test_lost, "MAX_CONCURRENCY=1" },
    { "/receiver/hop", test_hop, NULL },
    { "/receiver/malformed", test_malformed, NULL },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
