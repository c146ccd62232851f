/* SPDX-License-Identifier: MIT */
#include "http/amps-retry-after.h"

#define SECOND G_USEC_PER_SEC
#define LONGEST (G_MAXINT32 * (gint64) SECOND)

static void
test_seconds (void)
{
  g_assert_cmpint (amps_retry_after_parse ("0"), ==, 0);
  g_assert_cmpint (amps_retry_after_parse ("120"), ==, 120 * SECOND);
  g_assert_cmpint (amps_retry_after_parse ("2147483648"), ==, LONGEST);
  g_assert_cmpint (amps_retry_after_parse ("99999999999999999999999999"), ==, LONGEST);
}

static void
test_date (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) later = g_date_time_add_seconds (now, 100);
  g_autofree char *text = g_date_time_format (later, "%a, %d %b %Y %H:%M:%S GMT");
  gint64 wait = amps_retry_after_parse (text);

  g_assert_cmpint (wait, >, 50 * SECOND);
  g_assert_cmpint (wait, <=, 100 * SECOND);
  g_assert_cmpint (amps_retry_after_parse ("Wed, 21 Oct 2015 07:28:00 GMT"), ==, 0);
  /* The last year that libsoup 3.6 takes. */
  g_assert_cmpint (amps_retry_after_parse ("Thu, 31 Dec 9998 23:59:59 GMT"), ==, LONGEST);
}

static void
test_nonsense (void)
{
  const char *const texts[] = { NULL, "", "soon", "-1", "1.5", "1s", " 1", "0x10" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_cmpint (amps_retry_after_parse (texts[i]), ==, -1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/retry-after/seconds", test_seconds);
  g_test_add_func ("/retry-after/date", test_date);
  g_test_add_func ("/retry-after/nonsense", test_nonsense);
  return g_test_run ();
}
