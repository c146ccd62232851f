/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-window.h"

#define LIMIT 100
#define SECOND G_USEC_PER_SEC

typedef struct {
  AmpsByteBudget *budget;
  AmpsAmqpWindow *window;
  unsigned int n_rooms;
} Fixture;

static gboolean
on_room (gpointer user_data)
{
  ((Fixture *) user_data)->n_rooms++;
  return G_SOURCE_REMOVE;
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->budget = amps_byte_budget_new (LIMIT);
  f->window = amps_amqp_window_new (f->budget, 10, on_room, f);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_amqp_window_free (f->window);
  amps_byte_budget_unref (f->budget);
}

static void
run_main_context (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* Messages that wait for a moment cost nothing. */
static void
test_waits_a_while (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_false (amps_amqp_window_is_full (f->window));
  amps_amqp_window_set_full (f->window, TRUE, 1);
  g_assert_true (amps_amqp_window_is_full (f->window));
  g_assert_false (amps_amqp_window_close_if_stuck (f->window, 5 * SECOND));
  amps_amqp_window_set_full (f->window, FALSE, 5 * SECOND);
  amps_amqp_window_set_full (f->window, TRUE, 5 * SECOND);
  g_assert_false (amps_amqp_window_close_if_stuck (f->window, 9 * SECOND));
  g_assert_false (amps_amqp_window_is_closed (f->window));
  g_assert_cmpuint (amps_amqp_window_get_size (f->window), ==, 10);
}

static void
close_window (Fixture *f)
{
  amps_byte_budget_add (f->budget, LIMIT);
  amps_amqp_window_set_full (f->window, TRUE, 1);
  g_assert_true (amps_amqp_window_close_if_stuck (f->window, 6 * SECOND));
  g_assert_false (amps_amqp_window_close_if_stuck (f->window, 7 * SECOND));
  amps_amqp_window_set_full (f->window, FALSE, 7 * SECOND);
  amps_amqp_window_shrink (f->window);
}

static void
test_closes_until_half_is_free (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_amqp_window_count (f->window, 4);
  amps_amqp_window_count (f->window, -1);
  close_window (f);
  g_assert_true (amps_amqp_window_is_closed (f->window));
  g_assert_true (amps_amqp_window_is_full (f->window));
  g_assert_cmpuint (amps_amqp_window_get_size (f->window), ==, 3);

  amps_byte_budget_give_back (f->budget, LIMIT / 2 - 1);
  run_main_context ();
  g_assert_true (amps_amqp_window_is_closed (f->window));
  amps_byte_budget_give_back (f->budget, 1);
  run_main_context ();
  g_assert_false (amps_amqp_window_is_closed (f->window));
  g_assert_false (amps_amqp_window_is_full (f->window));
  g_assert_cmpuint (f->n_rooms, ==, 1);
  g_assert_cmpuint (amps_amqp_window_get_size (f->window), ==, 3);
}

/* Of what is held none may be of this connection. */
static void
test_never_shrinks_to_nothing (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_amqp_window_count (f->window, 4);
  amps_amqp_window_reset (f->window);
  close_window (f);
  g_assert_cmpuint (amps_amqp_window_get_size (f->window), ==, 1);
}

static void
test_grows_when_used_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_amqp_window_count (f->window, 3);
  close_window (f);
  g_assert_false (amps_amqp_window_grow (f->window));

  amps_byte_budget_give_back (f->budget, LIMIT / 2);
  amps_amqp_window_count (f->window, -1);
  g_assert_false (amps_amqp_window_grow (f->window));
  amps_amqp_window_count (f->window, 1);
  g_assert_true (amps_amqp_window_grow (f->window));
  g_assert_cmpuint (amps_amqp_window_get_size (f->window), ==, 6);

  amps_amqp_window_count (f->window, 3);
  g_assert_true (amps_amqp_window_grow (f->window));
  g_assert_cmpuint (amps_amqp_window_get_size (f->window), ==, 10);
  amps_amqp_window_count (f->window, 4);
  g_assert_false (amps_amqp_window_grow (f->window));
}

static void
test_new_maximum (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  close_window (f);
  amps_amqp_window_set_maximum (f->window, 20);
  g_assert_cmpuint (amps_amqp_window_get_size (f->window), ==, 20);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test) g_test_add ("/amqp-window/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("waits-a-while", test_waits_a_while);
  ADD ("closes-until-half-is-free", test_closes_until_half_is_free);
  ADD ("never-shrinks-to-nothing", test_never_shrinks_to_nothing);
  ADD ("grows-when-used-up", test_grows_when_used_up);
  ADD ("new-maximum", test_new_maximum);
  return g_test_run ();
}
