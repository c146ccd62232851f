/* SPDX-License-Identifier: MIT */
#include "amps-descriptor-limit.h"

#include <sys/resource.h>

/**
 * amps_descriptor_limit_raise_limit:
 *
 * Lets the process open as many file descriptors as the system allows it
 * (RLIMIT_NOFILE, getrlimit(2)): the soft limit is often 1024, for the sake of
 * select(), which nothing here uses.
 *
 * Returns: how many there may be at once; %G_MAXUINT64 when there is no limit
 */
guint64
amps_descriptor_limit_raise_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    return G_MAXUINT64;

  if (limit.rlim_cur < limit.rlim_max)
    {
      rlim_t before = limit.rlim_cur;

      limit.rlim_cur = limit.rlim_max;
      if (setrlimit (RLIMIT_NOFILE, &limit) != 0)
        limit.rlim_cur = before;
    }

  return limit.rlim_cur == RLIM_INFINITY ? G_MAXUINT64 : limit.rlim_cur;
}
