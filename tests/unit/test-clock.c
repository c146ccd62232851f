/* SPDX-License-Identifier: MIT */
#include "base/amps-clock.h"
#include "fake-clock.h"

static gboolean
count (gpointer user_data)
{
  ++*(int *) user_data;
  return G_SOURCE_CONTINUE;
}

static void
test_system_timer (void)
{
  g_autoptr (AmpsClock) clock = amps_clock_new ();
  g_autoptr (GSource) timer = amps_clock_create_timer (clock, "test");
  gint64 start = amps_clock_get_monotonic_time (clock);
  int fired = 0;

  g_source_set_callback (timer, count, &fired, NULL);
  g_source_attach (timer, NULL);
  g_assert_false (g_main_context_iteration (NULL, FALSE));

  amps_timer_set_due (timer, start + 20000);
  while (fired == 0)
    g_main_context_iteration (NULL, TRUE);

  g_assert_cmpint (amps_clock_get_monotonic_time (clock), >=, start + 20000);
  g_assert_cmpint (amps_timer_get_due (timer), ==, -1);
  g_assert_false (g_main_context_iteration (NULL, FALSE));
  g_source_destroy (timer);
}

static void
test_fake_timer (void)
{
  g_autoptr (AmpsClock) clock = fake_clock_new ();
  g_autoptr (GSource) timer = amps_clock_create_timer (clock, "test");
  gint64 start = amps_clock_get_monotonic_time (clock);
  int fired = 0;

  g_source_set_callback (timer, count, &fired, NULL);
  g_source_attach (timer, NULL);

  amps_timer_set_due (timer, start + AMPS_SECONDS (3600));
  fake_clock_advance (clock, AMPS_SECONDS (3599));
  g_assert_cmpint (fired, ==, 0);
  fake_clock_advance (clock, AMPS_SECONDS (1));
  g_assert_cmpint (fired, ==, 1);
  fake_clock_advance (clock, AMPS_SECONDS (3600));
  g_assert_cmpint (fired, ==, 1);
  g_source_destroy (timer);
}

static void
test_wall_clock (void)
{
  g_autoptr (AmpsClock) clock = fake_clock_new ();
  gint64 now = amps_clock_get_monotonic_time (clock);
  gint64 real = amps_clock_get_real_time (clock);
  g_autoptr (GDateTime) moment = g_date_time_new_from_unix_utc ((real + 1500000) / G_USEC_PER_SEC);
  g_autofree char *seconds = g_date_time_format (moment, "%Y-%m-%dT%H:%M:%S");
  g_autofree char *expected =
      g_strdup_printf ("%s.%03dZ", seconds, (int) ((real + 1500000) % G_USEC_PER_SEC / 1000));
  g_autofree char *text = amps_clock_format_time (clock, now + 1500000);
  g_autofree char *never = amps_clock_format_time (clock, G_MAXINT64 / 4);

  g_assert_cmpint (amps_clock_to_real_time (clock, now - 7), ==, real - 7);
  g_assert_cmpstr (text, ==, expected);
  g_assert_null (never);
}

/* It is what threads without a clock go by, too, and never behind the monotonic one,
 * which stands still while the machine is suspended. */
static void
test_boot_time (void)
{
  g_autoptr (AmpsClock) clock = amps_clock_new ();
  gint64 monotonic = amps_clock_get_monotonic_time (clock);
  gint64 before = amps_get_boot_time ();
  gint64 boot = amps_clock_get_boot_time (clock);

  g_assert_cmpint (before, >=, monotonic);
  g_assert_cmpint (boot, >=, before);
  g_assert_cmpint (boot, <=, amps_get_boot_time ());
  g_assert_cmpint (boot - before, <, AMPS_SECONDS (60));
}

static void
test_attached_timer (void)
{
  g_autoptr (AmpsClock) clock = fake_clock_new ();
  int fired = 0;
  GSource *timer = amps_clock_attach_timer (clock, "test", count, &fired);

  amps_timer_set_due (timer, amps_clock_get_monotonic_time (clock) + 1);
  fake_clock_advance (clock, 1);
  g_assert_cmpint (fired, ==, 1);

  amps_timer_set_due (timer, amps_clock_get_monotonic_time (clock) + 1);
  amps_timer_free (timer);
  fake_clock_advance (clock, 1);
  g_assert_cmpint (fired, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/clock/wall-clock", test_wall_clock);
  g_test_add_func ("/clock/system-timer", test_system_timer);
  g_test_add_func ("/clock/fake-timer", test_fake_timer);
  g_test_add_func ("/clock/boot-time", test_boot_time);
  g_test_add_func ("/clock/attached-timer", test_attached_timer);
  return g_test_run ();
}
