/* SPDX-License-Identifier: MIT */
#include "open-descriptors.h"

unsigned int
count_open_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  unsigned int count = 0;

  while (g_dir_read_name (dir) != NULL)
    count++;
  return count;
}
