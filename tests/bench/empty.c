/* SPDX-License-Identifier: MIT */
/* Does nothing, but is linked with all that AMPS is linked with: what it takes is
 * taken before the first line of AMPS runs. Prints its peak of memory. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define PEAK "VmHWM:"

int
main (void)
{
  g_autofree char *status = NULL;
  const char *peak;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL) ||
      (peak = strstr (status, PEAK)) == NULL)
    return EXIT_FAILURE;

  g_print ("%" G_GINT64_FORMAT "\n", g_ascii_strtoll (peak + strlen (PEAK), NULL, 10));
  return EXIT_SUCCESS;
}
