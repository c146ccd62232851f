/* SPDX-License-Identifier: MIT */
#include "amps-timestamp.h"

#include <time.h>

#define MAX_DIGITS 6
#define MAX_YEAR 9999

/**
 * amps_timestamp_write:
 * @real: µs since 1970-01-01 UTC
 * @n_digits: how many digits the seconds have behind their point, 0 to 6; what is beyond is
 *   cut off
 * @buffer: (out caller-allocates): where to write that moment as of RFC 3339, in UTC
 *
 * In any thread. Takes no memory.
 *
 * Returns: whether there is such a text: RFC 3339 has the years from 0 to 9999
 */
gboolean
amps_timestamp_write (gint64 real, unsigned int n_digits, char buffer[AMPS_TIMESTAMP_SIZE])
{
  gint64 fraction = real % G_USEC_PER_SEC;
  time_t seconds = (time_t) (real / G_USEC_PER_SEC);
  struct tm utc;
  int length;

  g_return_val_if_fail (n_digits <= MAX_DIGITS, FALSE);

  if (fraction < 0)
    {
      fraction += G_USEC_PER_SEC;
      seconds--;
    }
  if (gmtime_r (&seconds, &utc) == NULL || utc.tm_year < -1900 || utc.tm_year > MAX_YEAR - 1900)
    return FALSE;

  for (unsigned int i = n_digits; i < MAX_DIGITS; i++)
    fraction /= 10;
  length =
      g_snprintf (buffer, AMPS_TIMESTAMP_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", utc.tm_year + 1900,
                  utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  if (n_digits > 0)
    length += g_snprintf (buffer + length, AMPS_TIMESTAMP_SIZE - (gsize) length, ".%0*d",
                          (int) n_digits, (int) fraction);
  g_strlcpy (buffer + length, "Z", AMPS_TIMESTAMP_SIZE - (gsize) length);
  return TRUE;
}

/**
 * amps_timestamp_format:
 * @real: µs since 1970-01-01 UTC
 * @n_digits: as for amps_timestamp_write()
 *
 * In any thread.
 *
 * Returns: (transfer full) (nullable): that moment as of RFC 3339, in UTC; %NULL before the
 *   year 0 and beyond 9999
 */
char *
amps_timestamp_format (gint64 real, unsigned int n_digits)
{
  char buffer[AMPS_TIMESTAMP_SIZE];

  return amps_timestamp_write (real, n_digits, buffer) ? g_strdup (buffer) : NULL;
}
