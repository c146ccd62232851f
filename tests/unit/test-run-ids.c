/* SPDX-License-Identifier: MIT */
#include "jobs/amps-run-ids.h"
#include "make-job.h"

#include <string.h>

/* A late answer of an earlier run must not decide a later one. */
static void
test_only_the_latest_run (void)
{
  AmpsRunIds *ids = amps_run_ids_new ();
  g_autoptr (AmpsJob) job = make_job ("a", "a", 1);
  g_autoptr (AmpsJob) other = make_job ("b", "b", 1);
  g_autofree char *first = NULL;

  g_assert_null (amps_job_get_run_id (job));
  amps_run_ids_begin (ids, job);
  amps_run_ids_begin (ids, other);
  first = g_strdup (amps_job_get_run_id (job));
  g_assert_true (amps_run_ids_lookup (ids, first) == job);

  amps_run_ids_begin (ids, job);
  g_assert_cmpstr (amps_job_get_run_id (job), !=, first);
  g_assert_null (amps_run_ids_lookup (ids, first));
  g_assert_true (amps_run_ids_lookup (ids, amps_job_get_run_id (job)) == job);
  g_assert_true (amps_run_ids_lookup (ids, amps_job_get_run_id (other)) == other);

  /* The run is over, and its number can still be told. */
  amps_run_ids_forget (ids, job);
  g_assert_null (amps_run_ids_lookup (ids, amps_job_get_run_id (job)));
  g_assert_cmpint (amps_run_ids_parse (ids, amps_job_get_run_id (job)), ==, 3);
  amps_run_ids_free (ids);
}

/* It travels in a header, and comes back in a URL. */
static void
test_form (void)
{
  AmpsRunIds *ids = amps_run_ids_new ();
  g_autoptr (AmpsJob) job = make_job ("\xc3\xa4 /?", "a", 1);

  amps_run_ids_begin (ids, job);
  for (const char *c = amps_job_get_run_id (job); *c != '\0'; c++)
    g_assert_true (g_ascii_isalnum (*c) || *c == '-');
  amps_run_ids_free (ids);
}

static void
test_of_nobody (void)
{
  AmpsRunIds *ids = amps_run_ids_new ();
  AmpsRunIds *of_another_process = amps_run_ids_new ();
  g_autoptr (AmpsJob) job = make_job ("a", "a", 1);
  g_autoptr (AmpsJob) theirs = make_job ("a", "a", 1);
  g_autofree char *boot = NULL;

  amps_run_ids_begin (ids, job);
  amps_run_ids_begin (of_another_process, theirs);
  boot = g_strndup (amps_job_get_run_id (job), strlen (amps_job_get_run_id (job)) - 1);

  for (unsigned int i = 0; i < 8; i++)
    {
      static const char *const ends[] = { "", "0", "-1", "+1", "1 ", "1x", "99999999999999999999",
                                          "2" };
      g_autofree char *identifier = g_strconcat (boot, ends[i], NULL);

      g_assert_null (amps_run_ids_lookup (ids, identifier));
    }
  g_assert_null (amps_run_ids_lookup (ids, ""));
  g_assert_null (amps_run_ids_lookup (ids, "a"));
  g_assert_null (amps_run_ids_lookup (ids, amps_job_get_run_id (theirs)));
  g_assert_cmpint (amps_run_ids_parse (ids, amps_job_get_run_id (theirs)), ==, 0);

  amps_run_ids_free (of_another_process);
  amps_run_ids_free (ids);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/run-ids/only-the-latest-run", test_only_the_latest_run);
  g_test_add_func ("/run-ids/form", test_form);
  g_test_add_func ("/run-ids/of-nobody", test_of_nobody);
  return g_test_run ();
}
