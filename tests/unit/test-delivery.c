/* SPDX-License-Identifier: MIT */
#include "jobs/amps-delivery.h"

/* Counted from its arrival, by the clock of this machine alone. */
static void
test_remaining_delay (void)
{
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new_static ("", 0));

  delivery->received = 1000;
  g_assert_cmpint (amps_delivery_get_remaining_delay (delivery, 1000), ==, 0);

  delivery->delay = 500;
  g_assert_cmpint (amps_delivery_get_remaining_delay (delivery, 1000), ==, 500);
  g_assert_cmpint (amps_delivery_get_remaining_delay (delivery, 1200), ==, 300);
  g_assert_cmpint (amps_delivery_get_remaining_delay (delivery, 1500), ==, 0);
  g_assert_cmpint (amps_delivery_get_remaining_delay (delivery, G_MAXINT64), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/delivery/remaining-delay", test_remaining_delay);
  return g_test_run ();
}
