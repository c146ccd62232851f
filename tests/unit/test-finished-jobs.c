/* SPDX-License-Identifier: MIT */
#include "base/amps-clock.h"
#include "jobs/amps-finished-jobs.h"
#include "jobs/amps-job-private.h"
#include "make-job.h"

#define CAPACITY 3
#define SECOND G_USEC_PER_SEC

static const AmpsSettlement acknowledge = { .kind = AMPS_SETTLE_ACKNOWLEDGE };

/* One that was delivered on connection 1, and has ended there. */
static void
finish (AmpsFinishedJobs *memory, const char *id, const char *body, AmpsOutcome outcome,
        const AmpsSettlement *settlement, gint64 now)
{
  g_autoptr (AmpsJob) job = make_job (id, body, 1);

  job->outcome = outcome;
  amps_finished_jobs_remember (memory, job, settlement, now);
}

static gboolean
recall (AmpsFinishedJobs *memory, AmpsJob *job, gint64 now)
{
  AmpsSettlement settlement = { 0 };
  gboolean found = amps_finished_jobs_recall (memory, job, now, &settlement);

  g_free (settlement.detail);
  return found;
}

/* The broker did not hear of it, so that it hears of it again. Once. */
static void
test_redelivery_gets_the_outcome (void)
{
  g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (CAPACITY);
  g_autoptr (AmpsJob) again = make_redelivered_job ("a", "body", 2);
  g_autofree char *detail = g_strdup ("bad");
  AmpsSettlement reject = { AMPS_SETTLE_DEAD_LETTER, 0, 0, "rejected", detail };
  AmpsSettlement settlement = { 0 };

  finish (memory, "a", "body", AMPS_OUTCOME_REJECTED, &reject, 0);
  amps_finished_jobs_end_epoch (memory, 1, SECOND);
  g_assert_true (amps_finished_jobs_recall (memory, again, 2 * SECOND, &settlement));
  g_assert_cmpint (settlement.kind, ==, AMPS_SETTLE_DEAD_LETTER);
  g_assert_cmpstr (settlement.reason, ==, "rejected");
  g_assert_cmpstr (settlement.detail, ==, "bad");
  g_assert_cmpint (amps_job_get_outcome (again), ==, AMPS_OUTCOME_REJECTED);
  g_free (settlement.detail);

  g_assert_false (recall (memory, again, 2 * SECOND));
  g_assert_cmpint (amps_finished_jobs_find (memory, "a", 0), ==, AMPS_OUTCOME_REJECTED);
}

/* Everything else runs: a retry copy, a replay, a producer that uses an id again. */
static void
test_what_is_no_redelivery_runs (void)
{
  g_autoptr (AmpsJob) not_flagged = make_job ("a", "body", 2);
  g_autoptr (AmpsJob) other_body = make_redelivered_job ("a", "other", 2);
  g_autoptr (AmpsJob) other_attempt = make_redelivered_job ("a", "body", 2);
  g_autoptr (AmpsJob) same_connection = make_redelivered_job ("a", "body", 1);
  g_autoptr (AmpsJob) other_id = make_redelivered_job ("b", "body", 2);
  g_autoptr (AmpsJob) copy = make_redelivered_job ("a", "body", 2);
  AmpsJob *const jobs[] = {
    not_flagged, other_body, other_attempt, same_connection, other_id, copy
  };

  amps_job_get_delivery (other_attempt)->attempt = 2;
  /* Of the same attempt, since the failure did not count; another AMPS had it before. */
  amps_job_get_delivery (copy)->copy = 1;
  for (unsigned int i = 0; i < G_N_ELEMENTS (jobs); i++)
    {
      g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (CAPACITY);
      g_autoptr (AmpsJob) genuine = make_redelivered_job ("a", "body", 2);

      finish (memory, "a", "body", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge, 0);
      amps_finished_jobs_end_epoch (memory, 1, 0);
      g_test_message ("%u", i);
      g_assert_false (recall (memory, jobs[i], 0));
      g_assert_cmpint (amps_job_get_outcome (jobs[i]), ==, AMPS_OUTCOME_NONE);
      g_assert_true (recall (memory, genuine, 0));
    }
}

/* While its connection lives the settlement has arrived, or will. */
static void
test_only_after_the_connection_died (void)
{
  g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (CAPACITY);
  g_autoptr (AmpsJob) again = make_redelivered_job ("a", "body", 2);

  finish (memory, "a", "body", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge, 0);
  g_assert_false (recall (memory, again, 0));
  amps_finished_jobs_end_epoch (memory, 7, 0);
  g_assert_false (recall (memory, again, 0));
  amps_finished_jobs_end_epoch (memory, 1, 0);
  g_assert_true (recall (memory, again, 0));
}

/* It ended when its connection was dead already. */
static void
test_detached (void)
{
  g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (CAPACITY);
  g_autoptr (AmpsJob) job = make_job ("a", "body", 1);
  g_autoptr (AmpsJob) again = make_redelivered_job ("a", "body", 2);

  job->detached = TRUE;
  amps_finished_jobs_remember (memory, job, &acknowledge, 0);
  g_assert_true (recall (memory, again, 0));
}

/* The broker may have two equal copies. When the workload has acknowledged one of them, the other
 * one is done as well: redelivered or not, after the same connection or another one, and as often
 * as they come. What has ended otherwise is not. */
static void
test_second_copy (void)
{
  static const struct {
    AmpsOutcome outcome;
    gboolean repeated;
    gboolean redelivered;
    unsigned int epoch;
    gint64 now;
    gboolean done;
  } cases[] = {
    { AMPS_OUTCOME_ACKNOWLEDGED, TRUE, TRUE, 1, 0, TRUE },
    { AMPS_OUTCOME_ACKNOWLEDGED, TRUE, FALSE, 1, 0, TRUE },
    { AMPS_OUTCOME_ACKNOWLEDGED, TRUE, FALSE, 2, 600 * SECOND, TRUE },
    { AMPS_OUTCOME_ACKNOWLEDGED, TRUE, FALSE, 2, 601 * SECOND, FALSE },
    { AMPS_OUTCOME_ACKNOWLEDGED, FALSE, TRUE, 1, 0, FALSE },
    { AMPS_OUTCOME_ACKNOWLEDGED, FALSE, FALSE, 1, 0, FALSE },
    { AMPS_OUTCOME_REJECTED, TRUE, TRUE, 1, 0, FALSE },
    { AMPS_OUTCOME_RETRIED, TRUE, FALSE, 1, 0, FALSE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (CAPACITY);
      g_autoptr (AmpsJob) second = make_job ("a", "body", cases[i].epoch);
      AmpsSettlement settlement = {
        .kind = cases[i].outcome == AMPS_OUTCOME_ACKNOWLEDGED ? AMPS_SETTLE_ACKNOWLEDGE
                                                              : AMPS_SETTLE_DEAD_LETTER,
      };

      g_test_message ("%u", i);
      amps_job_get_delivery (second)->repeated = cases[i].repeated;
      amps_job_get_delivery (second)->redelivered = cases[i].redelivered;
      finish (memory, "a", "body", cases[i].outcome, &settlement, 0);
      g_assert_cmpint (recall (memory, second, cases[i].now), ==, cases[i].done);
    }
}

static void
test_one_that_shall_run_again (void)
{
  g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (CAPACITY);
  g_autoptr (AmpsJob) again = make_redelivered_job ("a", "body", 2);

  finish (memory, "a", "body", AMPS_OUTCOME_RELEASED, NULL, 0);
  amps_finished_jobs_end_epoch (memory, 1, 0);
  g_assert_false (recall (memory, again, 0));
  g_assert_cmpint (amps_finished_jobs_find (memory, "a", 0), ==, AMPS_OUTCOME_RELEASED);
}

static void
test_age (void)
{
  g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (CAPACITY);
  g_autoptr (AmpsJob) again = make_redelivered_job ("a", "body", 2);
  g_autoptr (AmpsJob) early = make_redelivered_job ("early", "body", 2);

  /* What was sent three minutes before the connection died has arrived. */
  finish (memory, "early", "body", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge, 0);
  finish (memory, "a", "body", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge, 100 * SECOND);
  amps_finished_jobs_end_epoch (memory, 1, 181 * SECOND);
  g_assert_false (recall (memory, early, 181 * SECOND));

  /* And no redelivery takes ten minutes, once there is a connection again. */
  amps_finished_jobs_begin_epoch (memory, AMPS_SECONDS (5000));
  g_assert_false (recall (memory, again, AMPS_SECONDS (5601)));
  g_assert_true (recall (memory, again, AMPS_SECONDS (5600)));
}

/* A copy and its original may both come back, each to its own outcome. */
static void
test_attempts_are_remembered_apart (void)
{
  g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (CAPACITY);
  g_autoptr (AmpsJob) first = make_job ("a", "body", 1);
  g_autoptr (AmpsJob) second = make_job ("a", "body", 1);
  g_autoptr (AmpsJob) first_again = make_redelivered_job ("a", "body", 2);
  g_autoptr (AmpsJob) second_again = make_redelivered_job ("a", "body", 2);

  amps_job_get_delivery (second)->attempt = 2;
  amps_job_get_delivery (second_again)->attempt = 2;
  first->outcome = AMPS_OUTCOME_RETRIED;
  second->outcome = AMPS_OUTCOME_ACKNOWLEDGED;
  amps_finished_jobs_remember (memory, first, &acknowledge, 0);
  amps_finished_jobs_remember (memory, second, &acknowledge, 0);
  amps_finished_jobs_end_epoch (memory, 1, 0);

  g_assert_cmpint (amps_finished_jobs_find (memory, "a", 0), ==, AMPS_OUTCOME_ACKNOWLEDGED);
  g_assert_true (recall (memory, first_again, 0));
  g_assert_cmpint (amps_job_get_outcome (first_again), ==, AMPS_OUTCOME_RETRIED);

  /* Another one begins: the older is forgotten, from the end of the chain. */
  amps_finished_jobs_forget (memory, first);
  g_assert_true (recall (memory, second_again, 0));
  amps_finished_jobs_forget (memory, second);
  g_assert_cmpint (amps_finished_jobs_find (memory, "a", 0), ==, AMPS_OUTCOME_NONE);
}

static void
test_capacity (void)
{
  g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (CAPACITY);

  for (int i = 0; i < CAPACITY + 2; i++)
    {
      g_autoptr (AmpsJob) job = NULL;
      char id[8];

      g_snprintf (id, sizeof id, "%d", i);
      job = make_job (id, "body", 1);
      job->run = 100 + i;
      job->outcome = AMPS_OUTCOME_ACKNOWLEDGED;
      amps_finished_jobs_remember (memory, job, &acknowledge, i);
    }

  g_assert_cmpint (amps_finished_jobs_find (memory, "1", 0), ==, AMPS_OUTCOME_NONE);
  g_assert_cmpint (amps_finished_jobs_find (memory, "?", 101), ==, AMPS_OUTCOME_NONE);
  g_assert_cmpint (amps_finished_jobs_find (memory, "2", 0), ==, AMPS_OUTCOME_ACKNOWLEDGED);
  g_assert_cmpint (amps_finished_jobs_find (memory, "?", 102), ==, AMPS_OUTCOME_ACKNOWLEDGED);
  g_assert_cmpint (amps_finished_jobs_find (memory, "4", 0), ==, AMPS_OUTCOME_ACKNOWLEDGED);
}

/* A retry may wait behind more jobs than are remembered. */
static void
test_late_success_stays_until_its_retry_comes (void)
{
  const unsigned int capacity = 4;
  g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (capacity);

  /* Half of the room is for others: the oldest of three goes. */
  for (unsigned int i = 0; i < 3; i++)
    {
      char id[] = { (char) ('a' + i), '\0' };

      finish (memory, id, "body", AMPS_OUTCOME_EXPIRED, &acknowledge, 0);
      g_assert_true (amps_finished_jobs_succeed (memory, id, NULL));
    }

  for (unsigned int i = 0; i < 10 * capacity; i++)
    {
      g_autofree char *id = g_strdup_printf ("later %u", i);

      finish (memory, id, "body", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge, SECOND);
      g_assert_cmpint (amps_finished_jobs_find (memory, id, 0), ==, AMPS_OUTCOME_ACKNOWLEDGED);
    }

  for (unsigned int i = 0; i < 3; i++)
    {
      char id[] = { (char) ('a' + i), '\0' };
      g_autoptr (AmpsJob) retry = make_job (id, "body", 2);

      retry->delivery->copy = 1;
      g_assert_cmpint (amps_finished_jobs_has_succeeded (memory, retry, SECOND), ==, i > 0);
      g_assert_false (amps_finished_jobs_has_succeeded (memory, retry, SECOND));
    }

  /* Then they are like any other. */
  for (unsigned int i = 0; i < capacity; i++)
    finish (memory, "next", "body", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge, SECOND);
  for (unsigned int i = 0; i < capacity; i++)
    {
      g_autofree char *id = g_strdup_printf ("last %u", i);

      finish (memory, id, "body", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge, SECOND);
    }
  g_assert_cmpint (amps_finished_jobs_find (memory, "b", 0), ==, AMPS_OUTCOME_NONE);
}

/* After a day it is rather somebody's copy. */
static void
test_late_success_goes_after_a_day (void)
{
  const gint64 day = AMPS_SECONDS (24 * 3600);
  g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (CAPACITY);

  finish (memory, "a", "body", AMPS_OUTCOME_EXPIRED, &acknowledge, 0);
  g_assert_true (amps_finished_jobs_succeed (memory, "a", NULL));
  for (int i = 0; i < CAPACITY; i++)
    {
      char id[] = { (char) ('b' + i), '\0' };

      finish (memory, id, "body", AMPS_OUTCOME_ACKNOWLEDGED, &acknowledge, day + 1);
    }
  g_assert_cmpint (amps_finished_jobs_find (memory, "a", 0), ==, AMPS_OUTCOME_NONE);
}

typedef struct {
  char id[2];
  unsigned int attempt;
  gint64 run;
  AmpsOutcome outcome; /* NONE: forgotten */
} Known;

static AmpsOutcome
find_known (const Known *known, int n_known, const char *id, gint64 run)
{
  for (int i = n_known - 1; i >= MAX (n_known - CAPACITY, 0); i--)
    {
      if (known[i].outcome != AMPS_OUTCOME_NONE && g_str_equal (known[i].id, id))
        return known[i].outcome;
    }

  for (int i = n_known - 1; run != 0 && i >= MAX (n_known - CAPACITY, 0); i--)
    {
      if (known[i].outcome != AMPS_OUTCOME_NONE && known[i].run == run)
        return known[i].outcome;
    }
  return AMPS_OUTCOME_NONE;
}

/* In whatever order jobs end and are forgotten, it says what a plain list says. */
static void
test_as_a_list (void)
{
  g_autoptr (AmpsFinishedJobs) memory = amps_finished_jobs_new (CAPACITY);
  Known known[1000];

  for (int i = 0; i < (int) G_N_ELEMENTS (known); i++)
    {
      Known *one = &known[i];
      char id = (char) g_test_rand_int_range ('a', 'e');
      g_autoptr (AmpsJob) job = NULL;

      *one = (Known){
        .id = { id, '\0' },
        .attempt = (unsigned int) g_test_rand_int_range (1, 3),
        .run = g_test_rand_int_range (0, 20),
        .outcome = (AmpsOutcome) g_test_rand_int_range (AMPS_OUTCOME_NONE + 1, AMPS_N_OUTCOMES),
      };
      job = make_job (one->id, "body", 1);
      job->delivery->attempt = one->attempt;
      job->run = one->run;
      job->outcome = one->outcome;

      for (int j = 0; j < i; j++)
        {
          if (known[j].attempt == one->attempt && g_str_equal (known[j].id, one->id))
            known[j].outcome = AMPS_OUTCOME_NONE;
        }
      amps_finished_jobs_remember (memory, job, &acknowledge, i);
      if (g_test_rand_int_range (0, 4) == 0)
        {
          amps_finished_jobs_forget (memory, job);
          one->outcome = AMPS_OUTCOME_NONE;
        }

      for (id = 'a'; id < 'e'; id++)
        g_assert_cmpint (amps_finished_jobs_find (memory, (char[]){ id, '\0' }, 0), ==,
                         find_known (known, i + 1, (char[]){ id, '\0' }, 0));
      for (gint64 run = 0; run < 20; run++)
        g_assert_cmpint (amps_finished_jobs_find (memory, "?", run), ==,
                         find_known (known, i + 1, "?", run));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test) g_test_add_func ("/finished-jobs/" name, test)
  ADD ("redelivery-gets-the-outcome", test_redelivery_gets_the_outcome);
  ADD ("what-is-no-redelivery-runs", test_what_is_no_redelivery_runs);
  ADD ("only-after-the-connection-died", test_only_after_the_connection_died);
  ADD ("detached", test_detached);
  ADD ("second-copy", test_second_copy);
  ADD ("one-that-shall-run-again", test_one_that_shall_run_again);
  ADD ("age", test_age);
  ADD ("attempts-are-remembered-apart", test_attempts_are_remembered_apart);
  ADD ("capacity", test_capacity);
  ADD ("late-success-stays-until-its-retry-comes", test_late_success_stays_until_its_retry_comes);
  ADD ("late-success-goes-after-a-day", test_late_success_goes_after_a_day);
  ADD ("as-a-list", test_as_a_list);
  return g_test_run ();
}
