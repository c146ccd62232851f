/* SPDX-License-Identifier: MIT */
#include "amps-descriptor-limit.h"

#include <sys/resource.h>

static void
test_raise_limit (void)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = 100;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);

  g_assert_cmpuint (amps_descriptor_limit_raise_limit (), >=, limit.rlim_max);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_cmpuint (limit.rlim_cur, ==, limit.rlim_max);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/descriptor-limit/raise-limit", test_raise_limit);
  return g_test_run ();
}
