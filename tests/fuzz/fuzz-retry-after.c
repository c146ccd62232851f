/* SPDX-License-Identifier: MIT */
#include "http/amps-retry-after.h"

#include <libsoup/soup.h>
#include <string.h>

/* What a Retry-After means does not depend on how it is written, and has bounds. */

#define LONGEST (G_MAXINT32 * (gint64) G_USEC_PER_SEC)

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static gint64
add_digits (const char *digits)
{
  gint64 seconds = 0;

  for (; *digits != '\0'; digits++)
    seconds = MIN (seconds * 10 + (*digits - '0'), G_MAXINT32);
  return seconds * G_USEC_PER_SEC;
}

/* The date that is so far away, in the form that is to be sent (RFC 9110, section 5.6.7). */
static void
check_date (gint64 wait)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) date = g_date_time_add (now, wait);
  g_autofree char *text = soup_date_time_to_string (date, SOUP_DATE_HTTP);

  g_assert_cmpint (ABS (amps_retry_after_parse (text) - wait), <=, 2 * G_USEC_PER_SEC);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup (size > 0 ? (const char *) data : "", size);
  gint64 wait = amps_retry_after_parse (text);

  g_assert_cmpint (wait, >=, -1);
  g_assert_cmpint (wait, <=, LONGEST);
  if (*text != '\0' && strspn (text, "0123456789") == strlen (text))
    {
      g_autofree char *longer = g_strconcat ("000", text, NULL);

      g_assert_cmpint (wait, ==, add_digits (text));
      g_assert_cmpint (wait, ==, amps_retry_after_parse (longer));
    }
  else if (wait >= 0)
    {
      check_date (wait);
    }
  return 0;
}
