/* SPDX-License-Identifier: MIT */
#include "main-loop.h"

void
iterate_until_idle (void)
{
  /* The sockets of loopback are quick, but not at once. */
  gint64 end = g_get_monotonic_time () + 50000;

  while (g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, FALSE);
}
