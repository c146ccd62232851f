/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/amqp/amps-amqp-copying.h"

#include <string.h>

static AmpsDelivery *
make_delivery (unsigned int returns, gboolean incomplete)
{
  AmpsDelivery *delivery = amps_delivery_new (g_bytes_new_static ("", 0));

  delivery->returns = returns;
  delivery->incomplete = incomplete;
  return delivery;
}

static void
test_needed (void)
{
  static const struct {
    const char *dead_letter_queue;
    AmpsSettlementKind kind;
    unsigned int returns;
    gboolean incomplete;
    gboolean can_publish;
    gboolean needed;
  } cases[] = {
    { "dead", AMPS_SETTLE_ACKNOWLEDGE, 20, FALSE, TRUE, FALSE },
    { "dead", AMPS_SETTLE_RETRY, 0, FALSE, FALSE, TRUE },
    { "dead", AMPS_SETTLE_DEAD_LETTER, 0, FALSE, TRUE, TRUE },
    /* Nothing is discarded for want of a connection, or for its size. */
    { "dead", AMPS_SETTLE_DEAD_LETTER, 0, FALSE, FALSE, TRUE },
    { "dead", AMPS_SETTLE_DEAD_LETTER, 0, TRUE, TRUE, TRUE },
    { NULL, AMPS_SETTLE_DEAD_LETTER, 0, FALSE, TRUE, FALSE },
    { NULL, AMPS_SETTLE_DEAD_LETTER, 0, TRUE, TRUE, FALSE },
    { "dead", AMPS_SETTLE_REQUEUE, 13, FALSE, TRUE, FALSE },
    { "dead", AMPS_SETTLE_REQUEUE, 14, FALSE, TRUE, TRUE },
    { "dead", AMPS_SETTLE_REQUEUE, 14, FALSE, FALSE, FALSE },
    { "dead", AMPS_SETTLE_REQUEUE, 14, TRUE, TRUE, FALSE },
    { "dead", AMPS_SETTLE_REQUEUE_FAILED, 0, FALSE, TRUE, TRUE },
    { "dead", AMPS_SETTLE_REQUEUE_FAILED, 0, FALSE, FALSE, FALSE },
    { "dead", AMPS_SETTLE_REQUEUE_FAILED, 0, TRUE, TRUE, FALSE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      AmpsAmqpSettings settings = { .dead_letter_queue = (char *) cases[i].dead_letter_queue };
      g_autoptr (AmpsDelivery) delivery = make_delivery (cases[i].returns, cases[i].incomplete);

      g_test_message ("case %u", i);
      g_assert_cmpint (
          amps_amqp_copying_is_needed (&settings, delivery, cases[i].kind, cases[i].can_publish),
          ==, cases[i].needed);
    }
}

static void
test_possible (void)
{
  g_autoptr (AmpsDelivery) whole = make_delivery (0, FALSE);
  g_autoptr (AmpsDelivery) huge = make_delivery (0, TRUE);
  g_autoptr (GError) away = NULL;
  g_autoptr (GError) too_large = NULL;

  g_assert_true (amps_amqp_copying_is_possible (whole, NULL, &away));
  g_assert_no_error (away);
  g_assert_false (amps_amqp_copying_is_possible (whole, "no connection", &away));
  g_assert_error (away, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);
  g_assert_cmpstr (away->message, ==, "no connection");

  g_assert_false (amps_amqp_copying_is_possible (huge, NULL, &too_large));
  g_assert_error (too_large, AMPS_ERROR, AMPS_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (too_large->message, "128 MiB"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-copying/needed", test_needed);
  g_test_add_func ("/amqp-copying/possible", test_possible);
  return g_test_run ();
}
