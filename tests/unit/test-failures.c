/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "dispatcher-fixture.h"

#include <string.h>

typedef DispatcherFixture Fixture;

/* The failures, the latest first, one on a line. */
static void
assert_failures (Fixture *f, const char *expected)
{
  AmpsFailures *failures = amps_manifest_get_failures (f->manifest);
  g_autoptr (GString) text = g_string_new (NULL);
  const AmpsFailure *failure;

  for (unsigned int n = 0; (failure = amps_failures_get (failures, n)) != NULL; n++)
    g_string_append_printf (text, "%s %u %s %s: %s\n", failure->id != NULL ? failure->id : "-",
                            failure->attempt, amps_outcome_to_string (failure->outcome),
                            failure->reason, failure->detail != NULL ? failure->detail : "");
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_order (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsFailures) failures = amps_failures_new (f->clock);

  g_assert_null (amps_failures_get (failures, 0));
  for (unsigned int i = 0; i < AMPS_FAILURES_MAX + 5; i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);
      g_autoptr (AmpsJob) job = make_job (id, "{}", 1);

      fake_clock_skip (f->clock, AMPS_SECONDS (1));
      amps_failures_add (failures, job, AMPS_OUTCOME_REJECTED, "rejected", NULL);
    }

  g_assert_cmpstr (amps_failures_get (failures, 0)->id, ==, "24");
  g_assert_cmpint (amps_failures_get (failures, 0)->time, ==,
                   amps_clock_get_monotonic_time (f->clock));
  g_assert_cmpstr (amps_failures_get (failures, AMPS_FAILURES_MAX - 1)->id, ==, "5");
  g_assert_null (amps_failures_get (failures, AMPS_FAILURES_MAX));
}

static void
test_long_id (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsFailures) failures = amps_failures_new (f->clock);
  g_autofree char *id = g_strnfill (100000, 'x');
  g_autoptr (AmpsJob) job = make_job (id, "{}", 1);

  amps_failures_add (failures, job, AMPS_OUTCOME_EXPIRED, "expired", "too late");
  g_assert_cmpuint (strlen (amps_failures_get (failures, 0)->id), <=, AMPS_FOREIGN_TEXT_MAX);
}

/* What succeeds is not there, nor what is given back. */
static void
test_calls (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  run (f, "b");
  run (f, "c");
  amps_decider_acknowledge (f->decider, "a", NULL);
  amps_decider_reschedule (f->decider, "c", 0, NULL);
  assert_failures (f, "");
  amps_decider_reject (f->decider, "b", "no such customer", NULL);
  amps_decider_reject (f->decider, "b", "again", NULL);
  iterate_until_idle ();
  assert_failures (f, "b 1 rejected rejected: no such customer\n");
}

/* A retry that waits in its place, and one that goes back to the broker. */
static void
test_answers (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  f->status = 500;
  f->answer = "{}";
  run (f, "a");
  iterate_until_idle ();
  assert_failures (f, "a 1 retried status: the workload answered 500: {}\n");
}

static void
test_expiry (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  fake_clock_advance (f->clock, AMPS_SECONDS (120));
  assert_failures (f, "a 1 expired expired: no outcome came in time\n");
}

/* It ends as a dead letter. */
static void
test_last_expiry (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  run (f, "a");
  fake_clock_advance (f->clock, AMPS_SECONDS (120));
  assert_failures (f, "a 1 rejected expired: no outcome came in time\n");
}

static void
test_malformed (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new_static ("{}", 2));

  deliver (f, amps_job_new_malformed (
                  delivery, g_error_new_literal (AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "why")));
  assert_failures (f, "- 1 malformed malformed: why\n");
}

int
main (int argc, char **argv)
{
  static const DispatcherTest tests[] = {
    { "/failures/order", test_order, NULL },
    { "/failures/long-id", test_long_id, NULL },
    { "/failures/calls", test_calls, NULL },
    { "/failures/answers/in-slot", test_answers, "RETRY_MIN_BACKOFF=1ms\nRETRY_MAX_BACKOFF=1ms" },
    { "/failures/answers/at-broker", test_answers, "RETRY_MIN_BACKOFF=1h\nRETRY_MAX_BACKOFF=1h" },
    { "/failures/expiry", test_expiry, "MAX_ATTEMPTS=2" },
    { "/failures/last-expiry", test_last_expiry, "MAX_ATTEMPTS=1" },
    { "/failures/malformed", test_malformed, NULL },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
