/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-parcels.h"

static void
add (AmpsAmqpParcels *parcels, guint64 tag, gboolean redriven)
{
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new_static ("", 0));

  delivery->tag = tag;
  amps_amqp_parcels_add (parcels, delivery, redriven ? amps_dead_letter_new () : NULL);
}

static void
test_window (void)
{
  g_autoptr (AmpsAmqpParcels) parcels = amps_amqp_parcels_new (2);
  AmpsAmqpParcel *confirmed;

  g_assert_true (amps_amqp_parcels_is_empty (parcels));
  for (guint64 tag = 1; tag <= 3; tag++)
    add (parcels, tag, tag == 1);

  g_assert_true (amps_amqp_parcels_are_confirmed (parcels));
  g_assert_cmpuint (amps_amqp_parcels_send_next (parcels)->delivery->tag, ==, 1);
  g_assert_cmpuint (amps_amqp_parcels_send_next (parcels)->delivery->tag, ==, 2);
  g_assert_null (amps_amqp_parcels_send_next (parcels));
  g_assert_false (amps_amqp_parcels_are_confirmed (parcels));

  confirmed = amps_amqp_parcels_confirm (parcels, 1);
  g_assert_nonnull (confirmed->letter);
  amps_amqp_parcel_free (confirmed);
  g_assert_null (amps_amqp_parcels_confirm (parcels, 1));

  g_assert_cmpuint (amps_amqp_parcels_send_next (parcels)->delivery->tag, ==, 3);
  for (guint64 tag = 2; tag <= 3; tag++)
    {
      g_autoptr (AmpsAmqpParcel) parcel = amps_amqp_parcels_confirm (parcels, tag);

      g_assert_null (parcel->letter);
    }
  g_assert_true (amps_amqp_parcels_is_empty (parcels));
}

static void
test_clear (void)
{
  g_autoptr (AmpsAmqpParcels) parcels = amps_amqp_parcels_new (1);

  add (parcels, 1, TRUE);
  add (parcels, 2, TRUE);
  amps_amqp_parcels_send_next (parcels);
  amps_amqp_parcels_clear (parcels);
  g_assert_true (amps_amqp_parcels_is_empty (parcels));
  g_assert_null (amps_amqp_parcels_confirm (parcels, 1));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-parcels/window", test_window);
  g_test_add_func ("/amqp-parcels/clear", test_clear);
  return g_test_run ();
}
