/* SPDX-License-Identifier: MIT */
#include "base/amps-byte-budget.h"

#define LIMIT 100

static void
test_limit (void)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (LIMIT);

  g_assert_true (amps_byte_budget_take (budget, 60));
  g_assert_false (amps_byte_budget_take (budget, 41));
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 60);
  g_assert_true (amps_byte_budget_take (budget, 40));
  g_assert_false (amps_byte_budget_fits (budget, 1));
  g_assert_true (amps_byte_budget_fits (budget, 0));

  amps_byte_budget_give_back (budget, 60);
  g_assert_true (amps_byte_budget_take (budget, 60));
}

/* It could never pass otherwise. But nothing passes beside it. */
static void
test_larger_than_limit (void)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (LIMIT);

  g_assert_true (amps_byte_budget_take (budget, LIMIT + 1));
  g_assert_false (amps_byte_budget_fits (budget, 1));
  g_assert_false (amps_byte_budget_fits (budget, 0));
  amps_byte_budget_give_back (budget, LIMIT + 1);
  g_assert_true (amps_byte_budget_take (budget, 1));
  g_assert_false (amps_byte_budget_take (budget, LIMIT + 1));
  g_assert_false (amps_byte_budget_take (budget, G_MAXSIZE));
}

static void
test_added_is_held (void)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (LIMIT);

  amps_byte_budget_add (budget, LIMIT);
  amps_byte_budget_add (budget, LIMIT);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 2 * LIMIT);
  g_assert_false (amps_byte_budget_fits (budget, 0));
}

static void
test_wrapped_bytes (void)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (LIMIT);
  GBytes *bytes, *other;

  g_assert_true (amps_byte_budget_take (budget, 70));
  bytes = amps_byte_budget_wrap (budget, g_bytes_new_static ("body", 4), 70);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "body", 4);

  other = g_bytes_ref (bytes);
  g_bytes_unref (bytes);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 70);
  g_bytes_unref (other);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 0);
}

/* An event that is in flight when the broker goes. */
static void
test_bytes_outlive_it (void)
{
  AmpsByteBudget *budget = amps_byte_budget_new (LIMIT);
  g_autoptr (GBytes) bytes = NULL;

  amps_byte_budget_add (budget, 4);
  bytes = amps_byte_budget_wrap (budget, g_bytes_new_static ("body", 4), 4);
  amps_byte_budget_unref (budget);
}

static gboolean
on_room (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

static void
test_waits_for_room (void)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (LIMIT);
  g_autoptr (GSource) source = amps_byte_budget_source_new (budget, 50);
  g_autoptr (GMainContext) context = g_main_context_new ();
  gboolean called = FALSE;

  amps_byte_budget_add (budget, LIMIT);
  g_source_set_callback (source, on_room, &called, NULL);
  g_source_attach (source, context);
  g_assert_false (g_main_context_iteration (context, FALSE));

  amps_byte_budget_give_back (budget, 49);
  g_assert_false (g_main_context_iteration (context, FALSE));
  amps_byte_budget_give_back (budget, 1);
  g_assert_true (g_main_context_iteration (context, FALSE));
  g_assert_true (called);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/byte-budget/limit", test_limit);
  g_test_add_func ("/byte-budget/larger-than-limit", test_larger_than_limit);
  g_test_add_func ("/byte-budget/added-is-held", test_added_is_held);
  g_test_add_func ("/byte-budget/wrapped-bytes", test_wrapped_bytes);
  g_test_add_func ("/byte-budget/bytes-outlive-it", test_bytes_outlive_it);
  g_test_add_func ("/byte-budget/waits-for-room", test_waits_for_room);
  return g_test_run ();
}
