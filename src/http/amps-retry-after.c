/* SPDX-License-Identifier: MIT */
#include "amps-retry-after.h"

#include "base/amps-log.h"

#include <libsoup/soup.h>
#include <string.h>

/**
 * amps_retry_after_parse:
 * @value: (nullable): of a `Retry-After` header, RFC 9110, section 10.2.3
 *
 * Returns: µs to wait from now, at most as many as in %G_MAXINT32 seconds; -1 when it
 *   says nothing that makes sense
 */
gint64
amps_retry_after_parse (const char *value)
{
  g_autoptr (GDateTime) date = NULL;
  gsize n_digits = value != NULL ? strspn (value, "0123456789") : 0;

  if (value == NULL)
    return -1;
  /* However many digits: it is bounded by who waits. */
  if (n_digits > 0 && value[n_digits] == '\0')
    return (gint64) MIN (g_ascii_strtoull (value, NULL, 10), G_MAXINT32) * G_USEC_PER_SEC;

  date = soup_date_time_new_from_http_string (value);
  if (date == NULL)
    {
      amps_log (DEBUG, RETRY_AFTER_IGNORED,
                "Ignored a Retry-After that is neither seconds nor a date");
      return -1;
    }

  return CLAMP (g_date_time_to_unix (date) * G_USEC_PER_SEC - g_get_real_time (), 0,
                G_MAXINT32 * (gint64) G_USEC_PER_SEC);
}
