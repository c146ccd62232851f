/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-kept.h"

/* One consumer may have all that there is. */
static void
test_enough (void)
{
  AmpsAmqpKept kept = { .max_prefetch = 10 };

  g_assert_cmpuint (amps_amqp_kept_begin_consumer (&kept, 10), ==, 10);
  for (unsigned int i = 0; i < 10; i++)
    amps_amqp_kept_add (&kept);
  g_assert_false (amps_amqp_kept_is_in_the_way (&kept));
}

/* What is kept would keep the rest from coming. */
static void
test_replaced (void)
{
  AmpsAmqpKept kept = { .max_prefetch = 10 };

  g_assert_cmpuint (amps_amqp_kept_begin_consumer (&kept, 11), ==, 10);
  for (unsigned int i = 0; i < 4; i++)
    amps_amqp_kept_add (&kept);
  g_assert_false (amps_amqp_kept_is_in_the_way (&kept));
  amps_amqp_kept_add (&kept);
  g_assert_true (amps_amqp_kept_is_in_the_way (&kept));

  g_assert_cmpuint (amps_amqp_kept_begin_consumer (&kept, 6), ==, 6);
  for (unsigned int i = 0; i < 6; i++)
    amps_amqp_kept_add (&kept);
  g_assert_false (amps_amqp_kept_is_in_the_way (&kept));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-kept/enough", test_enough);
  g_test_add_func ("/amqp-kept/replaced", test_replaced);
  return g_test_run ();
}
