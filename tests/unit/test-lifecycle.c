/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "delivery/amps-lifecycle.h"

static void
count (AmpsLifecycle *lifecycle G_GNUC_UNUSED, unsigned int *n)
{
  (*n)++;
}

static void
note_state (AmpsLifecycle *lifecycle, GParamSpec *pspec G_GNUC_UNUSED, GString *states)
{
  g_autofree char *state = NULL;

  g_object_get (lifecycle, "state", &state, NULL);
  g_string_append_printf (states, "%s ", state);
}

/* Told once for each change, and only for a change. */
static void
test_changes (void)
{
  g_autoptr (AmpsLifecycle) lifecycle = amps_lifecycle_new ();
  unsigned int n = 0;

  g_signal_connect (lifecycle, "changed", G_CALLBACK (count), &n);
  g_assert_false (amps_lifecycle_is_draining (lifecycle));
  g_assert_true (amps_lifecycle_resume (lifecycle, NULL));
  g_assert_cmpuint (n, ==, 0);

  amps_lifecycle_note_ready (lifecycle);
  amps_lifecycle_note_ready (lifecycle);
  g_assert_cmpuint (n, ==, 1);

  amps_lifecycle_pause (lifecycle);
  amps_lifecycle_pause (lifecycle);
  g_assert_true (amps_lifecycle_is_paused (lifecycle));
  g_assert_cmpuint (n, ==, 2);

  amps_lifecycle_drain (lifecycle);
  amps_lifecycle_drain (lifecycle);
  g_assert_true (amps_lifecycle_is_draining (lifecycle));
  g_assert_true (amps_lifecycle_is_paused (lifecycle));
  g_assert_false (amps_lifecycle_is_hurried (lifecycle));
  g_assert_cmpuint (n, ==, 3);

  g_assert_true (amps_lifecycle_resume (lifecycle, NULL));
  g_assert_false (amps_lifecycle_is_draining (lifecycle));
  g_assert_false (amps_lifecycle_is_paused (lifecycle));
  g_assert_cmpuint (n, ==, 4);
}

/* It is told again, for what could not be given back before. */
static void
test_hurry (void)
{
  g_autoptr (AmpsLifecycle) lifecycle = amps_lifecycle_new ();
  unsigned int n = 0;

  amps_lifecycle_drain (lifecycle);
  g_signal_connect (lifecycle, "changed", G_CALLBACK (count), &n);
  amps_lifecycle_hurry (lifecycle);
  amps_lifecycle_drain (lifecycle);
  g_assert_true (amps_lifecycle_is_hurried (lifecycle));
  g_assert_cmpuint (n, ==, 1);
  amps_lifecycle_hurry (lifecycle);
  g_assert_cmpuint (n, ==, 2);

  g_assert_true (amps_lifecycle_resume (lifecycle, NULL));
  g_assert_false (amps_lifecycle_is_draining (lifecycle));
  g_assert_false (amps_lifecycle_is_hurried (lifecycle));
  g_assert_cmpuint (n, ==, 3);

  amps_lifecycle_hurry (lifecycle);
  g_assert_true (amps_lifecycle_is_draining (lifecycle));
  g_assert_false (amps_lifecycle_is_stopping (lifecycle));
}

static void
test_stop (void)
{
  g_autoptr (AmpsLifecycle) lifecycle = amps_lifecycle_new ();
  g_autoptr (GError) error = NULL;
  unsigned int n = 0;

  amps_lifecycle_pause (lifecycle);
  amps_lifecycle_drain (lifecycle);
  g_signal_connect (lifecycle, "changed", G_CALLBACK (count), &n);
  amps_lifecycle_stop (lifecycle);
  g_assert_true (amps_lifecycle_is_stopping (lifecycle));
  g_assert_cmpuint (n, ==, 1);
  amps_lifecycle_hurry (lifecycle);
  amps_lifecycle_drain (lifecycle);
  g_assert_cmpuint (n, ==, 2);

  g_assert_false (amps_lifecycle_resume (lifecycle, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_CONFLICT);
  g_assert_true (amps_lifecycle_is_draining (lifecycle));
  g_assert_true (amps_lifecycle_is_hurried (lifecycle));
  g_assert_false (amps_lifecycle_is_paused (lifecycle));
  g_assert_cmpuint (n, ==, 3);

  g_assert_true (amps_lifecycle_end (lifecycle));
  g_assert_false (amps_lifecycle_end (lifecycle));
  g_assert_true (amps_lifecycle_is_stopping (lifecycle));
  g_assert_false (amps_lifecycle_resume (lifecycle, NULL));
}

/* Each word is told once, and stopping is no other word than draining. */
static void
test_states (void)
{
  g_autoptr (AmpsLifecycle) lifecycle = amps_lifecycle_new ();
  g_autoptr (GString) states = g_string_new (NULL);

  g_assert_cmpstr (amps_lifecycle_get_state (lifecycle), ==, "starting");
  g_signal_connect (lifecycle, "notify::state", G_CALLBACK (note_state), states);
  amps_lifecycle_pause (lifecycle);
  amps_lifecycle_resume (lifecycle, NULL);
  amps_lifecycle_note_ready (lifecycle);
  amps_lifecycle_drain (lifecycle);
  amps_lifecycle_pause (lifecycle);
  amps_lifecycle_hurry (lifecycle);
  amps_lifecycle_resume (lifecycle, NULL);
  amps_lifecycle_drain (lifecycle);
  amps_lifecycle_stop (lifecycle);
  amps_lifecycle_end (lifecycle);
  g_assert_cmpstr (states->str, ==, "paused starting running draining running draining ");
  g_assert_cmpstr (amps_lifecycle_get_state (lifecycle), ==, "draining");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lifecycle/changes", test_changes);
  g_test_add_func ("/lifecycle/hurry", test_hurry);
  g_test_add_func ("/lifecycle/stop", test_stop);
  g_test_add_func ("/lifecycle/states", test_states);
  return g_test_run ();
}
