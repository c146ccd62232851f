/* SPDX-License-Identifier: MIT */
#include "peak.h"

#include <string.h>

#define PEAK "VmHWM:"

/* The most memory that this process has had resident. */
gint64
peak_get_kib (void)
{
  g_autofree char *status = NULL;
  g_autoptr (GError) error = NULL;
  const char *peak;

  g_file_get_contents ("/proc/self/status", &status, NULL, &error);
  g_assert_no_error (error);
  peak = strstr (status, PEAK);
  g_assert_nonnull (peak);
  return g_ascii_strtoll (peak + strlen (PEAK), NULL, 10);
}
