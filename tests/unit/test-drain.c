/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "delivery/amps-drain.h"

static void
count (AmpsDrain *drain G_GNUC_UNUSED, unsigned int *n)
{
  (*n)++;
}

/* Told once for each change, and only for a change. */
static void
test_changes (void)
{
  g_autoptr (AmpsDrain) drain = amps_drain_new ();
  unsigned int n = 0;

  g_signal_connect (drain, "changed", G_CALLBACK (count), &n);
  g_assert_false (amps_drain_is_on (drain));
  g_assert_true (amps_drain_end (drain, NULL));
  g_assert_cmpuint (n, ==, 0);

  amps_drain_begin (drain);
  amps_drain_begin (drain);
  g_assert_true (amps_drain_is_on (drain));
  g_assert_false (amps_drain_is_hurried (drain));
  g_assert_cmpuint (n, ==, 1);

  amps_drain_hurry (drain);
  amps_drain_begin (drain);
  g_assert_true (amps_drain_is_hurried (drain));
  g_assert_cmpuint (n, ==, 2);
  amps_drain_hurry (drain);
  g_assert_cmpuint (n, ==, 3);

  g_assert_true (amps_drain_end (drain, NULL));
  g_assert_false (amps_drain_is_on (drain));
  g_assert_false (amps_drain_is_hurried (drain));
  g_assert_cmpuint (n, ==, 4);
}

static void
test_for_good (void)
{
  g_autoptr (AmpsDrain) drain = amps_drain_new ();
  g_autoptr (GError) error = NULL;
  unsigned int n = 0;

  amps_drain_begin (drain);
  g_signal_connect (drain, "changed", G_CALLBACK (count), &n);
  amps_drain_begin_for_good (drain);
  g_assert_true (amps_drain_is_for_good (drain));
  g_assert_cmpuint (n, ==, 1);
  g_assert_false (amps_drain_end (drain, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_CONFLICT);
  g_assert_true (amps_drain_is_on (drain));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/drain/changes", test_changes);
  g_test_add_func ("/drain/for-good", test_for_good);
  return g_test_run ();
}
