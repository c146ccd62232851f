/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "delivery/amps-settler.h"
#include "fake-broker.h"
#include "fake-clock.h"
#include "log-recorder.h"
#include "make-job.h"

#include <string.h>

typedef struct {
  AmpsClock *clock;
  FakeBroker *broker;
  AmpsManifest *manifest;
  AmpsLifecycle *lifecycle;
  AmpsMetrics *metrics;
  AmpsSettler *settler;
  unsigned int n_finished;
  unsigned int n_problems; /* how often it has changed */
} Fixture;

static void
on_finished (AmpsSettler *settler G_GNUC_UNUSED, AmpsJob *job G_GNUC_UNUSED,
             AmpsJob *next G_GNUC_UNUSED, Fixture *f)
{
  f->n_finished++;
}

static void
on_problem (AmpsSettler *settler G_GNUC_UNUSED, GParamSpec *pspec G_GNUC_UNUSED, Fixture *f)
{
  f->n_problems++;
}

static void
on_lost (AmpsBroker *broker G_GNUC_UNUSED, unsigned int epoch, Fixture *f)
{
  g_ptr_array_unref (amps_manifest_end_epoch (f->manifest, epoch));
  amps_manifest_begin_epoch (f->manifest);
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->clock = fake_clock_new ();
  f->broker = fake_broker_new ();
  f->manifest = amps_manifest_new (f->clock, 10);
  f->lifecycle = amps_lifecycle_new ();
  f->metrics = amps_metrics_new ();
  f->settler =
      amps_settler_new (f->clock, AMPS_BROKER (f->broker), f->manifest, f->metrics, f->lifecycle);
  g_signal_connect (f->settler, "notify::problem", G_CALLBACK (on_problem), f);
  g_signal_connect (f->settler, "finished", G_CALLBACK (on_finished), f);
  g_signal_connect (f->broker, "lost", G_CALLBACK (on_lost), f);
  amps_broker_start (AMPS_BROKER (f->broker));
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_cmpuint (amps_settler_get_n_pending (f->settler), ==, 0);
  g_assert_null (amps_settler_get_problem (f->settler));
  g_assert_cmpfloat (amps_metrics_get_gauge (f->metrics, AMPS_GAUGE_DEAD_LETTERS_WAITING), ==, 0);
  g_assert_finalize_object (f->settler);
  g_assert_finalize_object (f->lifecycle);
  g_assert_finalize_object (f->metrics);
  g_assert_finalize_object (f->manifest);
  g_assert_finalize_object (f->broker);
  g_assert_finalize_object (f->clock);
}

static void
assert_told (Fixture *f, const char *expected)
{
  g_autofree char *log = NULL;

  while (g_main_context_iteration (NULL, FALSE))
    ;
  log = fake_broker_take_log (f->broker);
  g_assert_cmpstr (log, ==, expected);
}

/* A job that runs, delivered with tag 1. */
static AmpsJob *
add_job (Fixture *f, const char *id)
{
  AmpsJob *job = make_job (id, id, amps_broker_get_epoch (AMPS_BROKER (f->broker)));

  fake_broker_deliver (f->broker, job);
  amps_manifest_add (f->manifest, job);
  amps_manifest_begin_run (f->manifest, job, 0);
  return job;
}

static void
settle (Fixture *f, AmpsJob *job, AmpsOutcome outcome, AmpsSettlement settlement)
{
  g_assert_true (amps_manifest_decide (f->manifest, job, outcome));
  amps_settler_settle (f->settler, job, &settlement);
}

static void
test_acknowledge (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = add_job (f, "a");
  g_autoptr (AmpsJob) same = make_job ("a", "a", 1);

  fake_broker_deliver (f->broker, same);
  amps_manifest_add (f->manifest, same);
  settle (f, job, AMPS_OUTCOME_ACKNOWLEDGED, (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE });
  g_assert_cmpuint (f->n_finished, ==, 1);
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 0);
  assert_told (f, "acknowledge 1\nacknowledge 2\n");
}

static void
test_copy_is_tried_again (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = add_job (f, "a");
  g_autoptr (AmpsJob) same = make_job ("a", "a", 1);
  g_autofree char *warnings = NULL;

  fake_broker_deliver (f->broker, same);
  amps_manifest_add (f->manifest, same);
  fake_broker_fail_settlements (f->broker, AMPS_ERROR_UNAVAILABLE, 2);
  settle (f, job, AMPS_OUTCOME_REJECTED,
          (AmpsSettlement){ .kind = AMPS_SETTLE_DEAD_LETTER, .reason = "rejected" });
  assert_told (f, "");
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 1);

  fake_clock_advance (f->clock, AMPS_SECONDS (60));
  fake_clock_advance (f->clock, AMPS_SECONDS (60));
  warnings = log_recorder_take ();
  g_assert_true (g_pattern_match_simple ("*trying again*\n*trying again*\n", warnings));
  assert_told (f, "dead-letter 1 rejected\nacknowledge 2 rejected\n");
  g_assert_cmpuint (f->n_finished, ==, 1);
  g_assert_cmpuint (amps_metrics_get_dead_letters (f->metrics, "rejected"), ==, 1);
}

static void
assert_held (Fixture *f, unsigned int n_held, const char *warnings)
{
  g_autofree char *logged = NULL;

  assert_told (f, "");
  logged = log_recorder_take ();
  g_test_message ("%s", logged);
  g_assert_true (g_pattern_match_simple (warnings, logged));
  g_assert_cmpuint (amps_manifest_get_n_jobs (f->manifest), ==, 2);
  g_assert_cmpfloat (amps_metrics_get_gauge (f->metrics, AMPS_GAUGE_DEAD_LETTERS_WAITING), ==,
                     n_held);
  g_assert_nonnull (strstr (amps_settler_get_problem (f->settler), "as the test wants it"));
  g_assert_cmpuint (amps_metrics_get_dead_letters (f->metrics, "status"), ==, 0);
}

/* Where the copies can't be written nothing is lost, and it is told, though not for
 * each job. */
static void
test_held (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) one = add_job (f, "a");
  g_autoptr (AmpsJob) other = add_job (f, "b");
  g_autofree char *log = NULL;
  AmpsSettlement settlement = { .kind = AMPS_SETTLE_DEAD_LETTER, .reason = "status" };

  fake_broker_fail_settlements (f->broker, AMPS_ERROR_NOT_PERMITTED, G_MAXUINT);
  settle (f, one, AMPS_OUTCOME_REJECTED, settlement);
  assert_held (f, 1, "*1 rejected job(s)*trying again: as the test wants it\n");
  settle (f, other, AMPS_OUTCOME_REJECTED, settlement);
  assert_held (f, 2, "");
  g_assert_cmpuint (f->n_problems, ==, 1);

  for (unsigned int seconds = 0; seconds < 59; seconds++)
    fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_held (f, 2, "");
  for (unsigned int seconds = 0; seconds < 59; seconds++)
    fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_held (f, 2, "*2 rejected job(s)*trying again: still as the test wants it, * tries *\n");

  fake_broker_fail_settlements (f->broker, 0, 0);
  fake_clock_advance (f->clock, AMPS_SECONDS (30));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  log = fake_broker_take_log (f->broker);
  g_assert_nonnull (strstr (log, "dead-letter 1 status\n"));
  g_assert_nonnull (strstr (log, "dead-letter 2 status\n"));
  g_assert_cmpuint (amps_metrics_get_dead_letters (f->metrics, "status"), ==, 2);
}

/* What comes back after a long time is not still the same. */
static void
test_held_again (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  for (char id[] = "a"; *id < 'c'; (*id)++)
    {
      g_autoptr (AmpsJob) job = add_job (f, id);
      g_autofree char *warnings = NULL;

      fake_broker_fail_settlements (f->broker, AMPS_ERROR_UNROUTABLE, 1);
      settle (f, job, AMPS_OUTCOME_REJECTED,
              (AmpsSettlement){ .kind = AMPS_SETTLE_DEAD_LETTER, .reason = "status" });
      assert_told (f, "");
      warnings = log_recorder_take ();
      g_assert_true (g_pattern_match_simple ("*again: as the test wants it\n", warnings));
      fake_clock_advance (f->clock, AMPS_SECONDS (121));
      assert_told (f, *id == 'a' ? "dead-letter 1 status\n" : "dead-letter 2 status\n");
    }
}

/* What the connection took along is held no more: it comes again. */
static void
test_held_and_lost (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = add_job (f, "a");
  g_autofree char *warnings = NULL;

  fake_broker_fail_settlements (f->broker, AMPS_ERROR_UNROUTABLE, 1);
  settle (f, job, AMPS_OUTCOME_REJECTED,
          (AmpsSettlement){ .kind = AMPS_SETTLE_DEAD_LETTER, .reason = "status" });
  assert_told (f, "");
  fake_broker_lose_connection (f->broker);
  fake_clock_advance (f->clock, AMPS_SECONDS (30));
  assert_told (f, "");
  g_assert_cmpuint (f->n_finished, ==, 1);
  g_assert_cmpuint (f->n_problems, ==, 2);
  g_assert_cmpuint (amps_metrics_get_dead_letters (f->metrics, "status"), ==, 0);
  warnings = log_recorder_take ();
}

static void
test_reject_without_copy (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = add_job (f, "a");
  g_autoptr (AmpsJob) again = make_redelivered_job ("a", "a", 2);
  AmpsSettlement recalled;

  fake_broker_set_rejects (f->broker, TRUE);
  settle (f, job, AMPS_OUTCOME_REJECTED,
          (AmpsSettlement){ .kind = AMPS_SETTLE_DEAD_LETTER, .reason = "rejected" });
  assert_told (f, "dead-letter 1 rejected\n");
  g_assert_cmpuint (f->n_finished, ==, 1);

  /* The connection has died on it: it is rejected again, for there is no copy. */
  fake_broker_lose_connection (f->broker);
  fake_broker_deliver (f->broker, again);
  g_assert_true (amps_manifest_recall (f->manifest, again, &recalled));
  g_assert_cmpint (recalled.kind, ==, AMPS_SETTLE_DEAD_LETTER);
  g_assert_cmpuint (amps_metrics_get_counter (f->metrics, AMPS_COUNTER_DISCARDED), ==, 1);
  g_assert_cmpuint (amps_metrics_get_dead_letters (f->metrics, "rejected"), ==, 0);
}

/* Without the permission to make retry queues. */
static void
test_wait_in_slot (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) blamed = add_job (f, "a");
  g_autoptr (AmpsJob) blameless = add_job (f, "b");
  AmpsSettlement settlement = { .kind = AMPS_SETTLE_RETRY,
                                .delay = AMPS_SECONDS (10),
                                .attempt = 2 };

  fake_broker_fail_settlements (f->broker, AMPS_ERROR_NOT_PERMITTED, 2);
  settle (f, blamed, AMPS_OUTCOME_EXPIRED, settlement);
  settlement.attempt = 1;
  settle (f, blameless, AMPS_OUTCOME_RESCHEDULED, settlement);
  assert_told (f, "");
  fake_clock_advance (f->clock, AMPS_SECONDS (9));
  assert_told (f, "");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_told (f, "return 1\nrelease 2\n");
}

/* What has waited must not come back with the word that it is to wait. */
static void
test_rest_of_a_delay_in_slot (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = add_job (f, "a");

  amps_job_get_delivery (job)->delay = AMPS_SECONDS (10);
  fake_broker_fail_settlements (f->broker, AMPS_ERROR_NOT_PERMITTED, 1);
  settle (f, job, AMPS_OUTCOME_RETRIED,
          (AmpsSettlement){ .kind = AMPS_SETTLE_RETRY, .delay = AMPS_SECONDS (10), .attempt = 1 });
  assert_told (f, "");
  fake_clock_advance (f->clock, AMPS_SECONDS (9));
  assert_told (f, "");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_told (f, "return 1\n");
}

static void
test_hurry (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = add_job (f, "a");
  g_autoptr (AmpsJob) next = add_job (f, "b");

  settle (f, job, AMPS_OUTCOME_RESCHEDULED,
          (AmpsSettlement){
              .kind = AMPS_SETTLE_RETRY, .delay = AMPS_MILLISECONDS (900), .attempt = 1 });
  assert_told (f, "");
  amps_lifecycle_hurry (f->lifecycle);
  assert_told (f, "release 1\n");

  g_assert_true (amps_lifecycle_resume (f->lifecycle, NULL));
  fake_broker_fail_settlements (f->broker, AMPS_ERROR_NOT_PERMITTED, 1);
  settle (f, next, AMPS_OUTCOME_RESCHEDULED,
          (AmpsSettlement){ AMPS_SETTLE_RETRY, AMPS_SECONDS (10), 1, NULL, NULL });
  assert_told (f, "");
  fake_clock_advance (f->clock, AMPS_SECONDS (9));
  assert_told (f, "");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_told (f, "release 2\n");
}

/* The connection dies while a copy is being made: the redelivery, which has
 * come already, gets the outcome. */
static void
test_detached_while_settling (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = add_job (f, "a");
  g_autoptr (AmpsJob) again = make_redelivered_job ("a", "a", 2);

  fake_broker_fail_settlements (f->broker, AMPS_ERROR_DETACHED, 1);
  settle (f, job, AMPS_OUTCOME_REJECTED,
          (AmpsSettlement){ .kind = AMPS_SETTLE_DEAD_LETTER, .reason = "rejected" });
  fake_broker_lose_connection (f->broker);
  fake_broker_deliver (f->broker, again);
  g_assert_cmpint (amps_manifest_add (f->manifest, again), ==, AMPS_ADDITION_DUPLICATE);
  assert_told (f, "dead-letter 2 rejected\n");
  g_assert_cmpuint (f->n_finished, ==, 1);
}

static void
test_detached_before (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsJob) job = add_job (f, "a");
  g_autoptr (AmpsJob) again = make_redelivered_job ("a", "a", 2);
  AmpsSettlement recalled;

  fake_broker_lose_connection (f->broker);
  settle (f, job, AMPS_OUTCOME_ACKNOWLEDGED, (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE });
  assert_told (f, "");
  g_assert_cmpuint (f->n_finished, ==, 1);

  fake_broker_deliver (f->broker, again);
  g_assert_true (amps_manifest_recall (f->manifest, again, &recalled));
  amps_settler_settle (f->settler, again, &recalled);
  assert_told (f, "acknowledge 2\n");
}

int
main (int argc, char **argv)
{
  const struct {
    const char *path;
    void (*test) (Fixture *f, gconstpointer data);
  } tests[] = {
    { "/settler/acknowledge", test_acknowledge },
    { "/settler/copy-is-tried-again", test_copy_is_tried_again },
    { "/settler/held", test_held },
    { "/settler/held-again", test_held_again },
    { "/settler/held-and-lost", test_held_and_lost },
    { "/settler/reject-without-copy", test_reject_without_copy },
    { "/settler/wait-in-slot", test_wait_in_slot },
    { "/settler/rest-of-a-delay-in-slot", test_rest_of_a_delay_in_slot },
    { "/settler/hurry", test_hurry },
    { "/settler/detached-while-settling", test_detached_while_settling },
    { "/settler/detached-before", test_detached_before },
  };

  g_test_init (&argc, &argv, NULL);
  log_recorder_start ();
  for (unsigned int i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
