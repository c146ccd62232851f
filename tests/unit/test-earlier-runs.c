/* SPDX-License-Identifier: MIT */
#include "jobs/amps-earlier-runs.h"
#include "jobs/amps-run-ids.h"
#include "make-job.h"

static gint64
give_up (AmpsEarlierRuns *earlier, AmpsRunIds *runs, AmpsJob *job)
{
  amps_run_ids_begin (runs, job);
  amps_earlier_runs_add (earlier, job);
  return amps_run_ids_parse (runs, amps_job_get_run_id (job));
}

static void
test_find (void)
{
  AmpsEarlierRuns *earlier = amps_earlier_runs_new (2);
  AmpsRunIds *runs = amps_run_ids_new ();
  g_autoptr (AmpsJob) a = make_job ("a", "body a", 1);
  g_autoptr (AmpsJob) b = make_job ("b", "body b", 1);
  gint64 first = give_up (earlier, runs, a);
  gint64 second = give_up (earlier, runs, a);
  gint64 third;
  const AmpsEarlierRun *run;

  g_assert_null (amps_earlier_runs_find (earlier, 0));
  g_assert_null (amps_earlier_runs_find (earlier, second + 1));
  g_assert_cmpstr (amps_earlier_runs_find (earlier, first)->id, ==, "a");

  /* The oldest one has made room for it. */
  third = give_up (earlier, runs, b);
  g_assert_null (amps_earlier_runs_find (earlier, first));
  g_assert_cmpstr (amps_earlier_runs_find (earlier, second)->id, ==, "a");
  run = amps_earlier_runs_find (earlier, third);
  g_assert_cmpstr (run->id, ==, "b");
  g_assert_cmpint (run->run, ==, third);
  g_assert_cmpuint (run->body_hash, ==, amps_job_get_delivery (b)->body_hash);

  amps_run_ids_free (runs);
  amps_earlier_runs_free (earlier);
}

/* Neither what was never POSTed nor what is known. */
static void
test_add_in_vain (void)
{
  AmpsEarlierRuns *earlier = amps_earlier_runs_new (2);
  AmpsRunIds *runs = amps_run_ids_new ();
  g_autoptr (AmpsJob) job = make_job ("a", "a", 1);
  gint64 run;

  amps_earlier_runs_add (earlier, job);
  g_assert_null (amps_earlier_runs_find (earlier, 0));
  run = give_up (earlier, runs, job);
  for (unsigned int i = 0; i < 3; i++)
    amps_earlier_runs_add (earlier, job);
  g_assert_cmpstr (amps_earlier_runs_find (earlier, run)->id, ==, "a");

  amps_run_ids_free (runs);
  amps_earlier_runs_free (earlier);
}

/* Ids may be long: they take up no more than a MiB and a little. */
static void
test_long_ids (void)
{
  AmpsEarlierRuns *earlier = amps_earlier_runs_new (10000);
  AmpsRunIds *runs = amps_run_ids_new ();
  g_autofree char *id = g_strnfill (300 * 1024, 'x');
  g_autoptr (AmpsJob) job = make_job (id, "a", 1);
  gint64 numbers[10];
  unsigned int n_known = 0;

  for (unsigned int i = 0; i < G_N_ELEMENTS (numbers); i++)
    numbers[i] = give_up (earlier, runs, job);
  for (unsigned int i = 0; i < G_N_ELEMENTS (numbers); i++)
    n_known += amps_earlier_runs_find (earlier, numbers[i]) != NULL;
  g_assert_cmpuint (n_known, ==, 4);
  g_assert_nonnull (amps_earlier_runs_find (earlier, numbers[9]));

  amps_run_ids_free (runs);
  amps_earlier_runs_free (earlier);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/earlier-runs/find", test_find);
  g_test_add_func ("/earlier-runs/add-in-vain", test_add_in_vain);
  g_test_add_func ("/earlier-runs/long-ids", test_long_ids);
  return g_test_run ();
}
