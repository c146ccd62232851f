/* SPDX-License-Identifier: MIT */
#include "base/amps-backoff.h"

static void
test_ceiling (void)
{
  g_assert_cmpint (amps_backoff_get_ceiling (1000, 300000, 1), ==, 1000);
  g_assert_cmpint (amps_backoff_get_ceiling (1000, 300000, 2), ==, 2000);
  g_assert_cmpint (amps_backoff_get_ceiling (1000, 300000, 9), ==, 256000);
  g_assert_cmpint (amps_backoff_get_ceiling (1000, 300000, 10), ==, 300000);
  g_assert_cmpint (amps_backoff_get_ceiling (1000, 300000, G_MAXUINT), ==, 300000);
  g_assert_cmpint (amps_backoff_get_ceiling (1, G_MAXINT64, G_MAXUINT), ==, G_MAXINT64);
  g_assert_cmpint (amps_backoff_get_ceiling (7, 7, 3), ==, 7);
}

static void
test_jitter (void)
{
  gint64 lowest = G_MAXINT64, highest = 0;

  for (int i = 0; i < 10000; i++)
    {
      gint64 delay = amps_backoff_draw (1000, 64000, 7);

      lowest = MIN (lowest, delay);
      highest = MAX (highest, delay);
    }

  g_assert_cmpint (lowest, >=, 500);
  g_assert_cmpint (lowest, <, 2000);
  g_assert_cmpint (highest, >, 60000);
  g_assert_cmpint (highest, <=, 64000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backoff/ceiling", test_ceiling);
  g_test_add_func ("/backoff/jitter", test_jitter);
  return g_test_run ();
}
