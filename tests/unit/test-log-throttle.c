/* SPDX-License-Identifier: MIT */
#include "base/amps-clock.h"
#include "base/amps-log-throttle.h"

static void
assert_said (AmpsLogThrottle *throttle, const char *problem, gint64 seconds, const char *expected)
{
  g_autofree char *said = amps_log_throttle_note (throttle, problem, AMPS_SECONDS (seconds));

  g_assert_cmpstr (said, ==, expected);
}

/* At once, then once a minute, with all tries since the last line. */
static void
test_same_problem (void)
{
  AmpsLogThrottle *throttle = amps_log_throttle_new ();

  assert_said (throttle, "no", 1000, "no");
  for (int second = 1001; second < 1060; second++)
    assert_said (throttle, "no", second, NULL);
  assert_said (throttle, "no", 1060, "still no, 60 tries in 60 s");
  assert_said (throttle, "no", 1061, NULL);
  assert_said (throttle, "no", 1150, "still no, 2 tries in 90 s");
  amps_log_throttle_free (throttle);
}

/* Several brokers that are tried in turn have a reason each. */
static void
test_alternating_problems (void)
{
  AmpsLogThrottle *throttle = amps_log_throttle_new ();

  assert_said (throttle, "a", 0, "a");
  assert_said (throttle, "b", 1, "b");
  assert_said (throttle, "a", 2, NULL);
  assert_said (throttle, "b", 3, NULL);
  assert_said (throttle, "a", 61, "still a, 3 tries in 60 s");
  assert_said (throttle, "b", 62, NULL);
  amps_log_throttle_free (throttle);
}

static void
test_end (void)
{
  AmpsLogThrottle *throttle = amps_log_throttle_new ();

  assert_said (throttle, "no", 0, "no");
  assert_said (throttle, "no", 1, NULL);
  amps_log_throttle_end (throttle);
  assert_said (throttle, "no", 2, "no");
  assert_said (throttle, "no", 62, "still no, 1 try in 60 s");
  amps_log_throttle_free (throttle);
}

/* A problem that has another number in it each time is no way around. */
static void
test_endless_problems (void)
{
  AmpsLogThrottle *throttle = amps_log_throttle_new ();
  unsigned int n_said = 0;

  for (int i = 0; i < 600; i++)
    {
      g_autofree char *problem = g_strdup_printf ("problem %d", i);
      g_autofree char *said =
          amps_log_throttle_note (throttle, problem, AMPS_MILLISECONDS (i * 99));

      n_said += said != NULL;
    }
  g_assert_cmpuint (n_said, ==, 8);
  amps_log_throttle_free (throttle);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log-throttle/same-problem", test_same_problem);
  g_test_add_func ("/log-throttle/alternating-problems", test_alternating_problems);
  g_test_add_func ("/log-throttle/end", test_end);
  g_test_add_func ("/log-throttle/endless-problems", test_endless_problems);
  return g_test_run ();
}
