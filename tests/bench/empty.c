/* SPDX-License-Identifier: MIT */
/* Does nothing, but is linked with all that AMPS is linked with: what it takes is
 * taken before the first line of AMPS runs. Prints its peak of memory in KiB. */
#include "peak.h"

int
main (void)
{
  g_print ("%" G_GINT64_FORMAT "\n", peak_get_kib ());
  return 0;
}
