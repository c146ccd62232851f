/* SPDX-License-Identifier: MIT */
#include "open-descriptors.h"

#include <sys/resource.h>

unsigned int
count_open_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  unsigned int count = 0;

  while (g_dir_read_name (dir) != NULL)
    count++;
  return count;
}

guint64
limit_open_descriptors (guint64 limit)
{
  struct rlimit limits;
  guint64 before;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limits), ==, 0);
  before = limits.rlim_cur;
  limits.rlim_cur = limit;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limits), ==, 0);
  return before;
}
