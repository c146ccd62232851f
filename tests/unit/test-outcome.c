/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "jobs/amps-outcome.h"

/* Each is a label of a metric. */
static void
test_names (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (unsigned int i = 0; i < AMPS_N_OUTCOMES; i++)
    {
      const char *name = amps_outcome_to_string ((AmpsOutcome) i);

      g_assert_nonnull (name);
      g_assert_true (g_hash_table_add (names, (gpointer) name));
    }
}

static void
test_given_up (void)
{
  for (unsigned int i = 0; i < AMPS_N_OUTCOMES; i++)
    g_assert_cmpint (amps_outcome_is_given_up ((AmpsOutcome) i), ==,
                     i == AMPS_OUTCOME_RETRIED || i == AMPS_OUTCOME_EXPIRED);
}

static void
assert_check (AmpsOutcome decided, AmpsOutcome wanted, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (amps_outcome_check ("x", decided, wanted, &error), ==, code < 0);
  if (code < 0)
    g_assert_no_error (error);
  else
    g_assert_error (error, AMPS_ERROR, code);
}

/* The same call again is no error, another one is. */
static void
test_check (void)
{
  assert_check (AMPS_OUTCOME_ACKNOWLEDGED, AMPS_OUTCOME_ACKNOWLEDGED, -1);
  assert_check (AMPS_OUTCOME_REJECTED, AMPS_OUTCOME_REJECTED, -1);
  assert_check (AMPS_OUTCOME_REJECTED, AMPS_OUTCOME_ACKNOWLEDGED, AMPS_ERROR_CONFLICT);
  assert_check (AMPS_OUTCOME_RESCHEDULED, AMPS_OUTCOME_REJECTED, AMPS_ERROR_CONFLICT);
  assert_check (AMPS_OUTCOME_NONE, AMPS_OUTCOME_ACKNOWLEDGED, AMPS_ERROR_NOT_FOUND);
  assert_check (AMPS_OUTCOME_EXPIRED, AMPS_OUTCOME_ACKNOWLEDGED, AMPS_ERROR_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/outcome/names", test_names);
  g_test_add_func ("/outcome/given-up", test_given_up);
  g_test_add_func ("/outcome/check", test_check);
  return g_test_run ();
}
