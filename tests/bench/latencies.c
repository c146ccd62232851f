/* SPDX-License-Identifier: MIT */
#include "latencies.h"

#include <string.h>

/* Of gint64, in ns. */
GArray *
latencies_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (gint64));
}

/* @length may be -1 for an event that ends with a NUL. Returns: whether it says when
 * it was made. */
gboolean
latencies_note (GArray *latencies, const char *event, gssize length, gint64 now)
{
  const char *sent = g_strstr_len (event, length, LATENCIES_SENT);
  gint64 latency;

  if (sent == NULL)
    return FALSE;

  latency = now - g_ascii_strtoll (sent + strlen (LATENCIES_SENT), NULL, 10);
  g_array_append_val (latencies, latency);
  return TRUE;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a;
  gint64 y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

void
latencies_sort (GArray *latencies)
{
  g_array_sort (latencies, compare);
}

/* Of sorted ones; 0 if there are none. */
double
latencies_get_quantile_ms (const GArray *latencies, double quantile)
{
  if (latencies->len == 0)
    return 0;
  return (double) g_array_index (latencies, gint64,
                                 (unsigned int) (quantile * (latencies->len - 1))) /
         1e6;
}
