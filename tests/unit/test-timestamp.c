/* SPDX-License-Identifier: MIT */
#include "base/amps-timestamp.h"

#include <string.h>

static void
assert_text (gint64 real, unsigned int n_digits, const char *expected)
{
  g_autofree char *text = amps_timestamp_format (real, n_digits);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_digits (void)
{
  const gint64 moment = G_GINT64_CONSTANT (1767225599987654);

  assert_text (0, 0, "1970-01-01T00:00:00Z");
  assert_text (0, 3, "1970-01-01T00:00:00.000Z");
  assert_text (7000, 3, "1970-01-01T00:00:00.007Z");
  assert_text (moment, 0, "2025-12-31T23:59:59Z");
  assert_text (moment, 1, "2025-12-31T23:59:59.9Z");
  assert_text (moment, 3, "2025-12-31T23:59:59.987Z");
  assert_text (moment, 6, "2025-12-31T23:59:59.987654Z");
}

/* As GLib has it, which counts in another way; it writes years of three digits without a 0. */
static void
test_as_glib (void)
{
  for (unsigned int i = 0; i < 1000; i++)
    {
      gint64 seconds = (gint64) g_test_rand_double_range (-30e9, 253e9);
      g_autoptr (GDateTime) moment = g_date_time_new_from_unix_utc (seconds);
      g_autofree char *expected = g_date_time_format (moment, "%Y-%m-%dT%H:%M:%SZ");

      assert_text (seconds * G_USEC_PER_SEC, 0, expected);
    }
}

static void
test_bounds (void)
{
  const gint64 end = G_GINT64_CONSTANT (253402300800) * G_USEC_PER_SEC;

  assert_text (-1, 6, "1969-12-31T23:59:59.999999Z");
  assert_text (end - 1, 6, "9999-12-31T23:59:59.999999Z");
  g_assert_cmpuint (strlen ("9999-12-31T23:59:59.999999Z") + 1, ==, AMPS_TIMESTAMP_SIZE);
  assert_text (end, 6, NULL);
  assert_text (G_MAXINT64, 3, NULL);
  assert_text (G_MININT64, 3, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/timestamp/digits", test_digits);
  g_test_add_func ("/timestamp/as-glib", test_as_glib);
  g_test_add_func ("/timestamp/bounds", test_bounds);
  return g_test_run ();
}
