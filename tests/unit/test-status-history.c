/* SPDX-License-Identifier: MIT */
#include "fake-clock.h"
#include "server/amps-status-history.h"

#include <string.h>

typedef struct {
  AmpsClock *clock;
  AmpsMetrics *metrics;
  AmpsStatusHistory *history;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->clock = fake_clock_new ();
  f->metrics = amps_metrics_new ();
  f->history = amps_status_history_new (f->clock, f->metrics);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_status_history_free (f->history);
  g_assert_finalize_object (f->metrics);
  g_assert_finalize_object (f->clock);
}

static char *
get_samples (Fixture *f, unsigned int max)
{
  g_autoptr (GString) json = g_string_new (NULL);

  amps_status_history_append (f->history, json, max);
  return g_string_free (g_steal_pointer (&json), FALSE);
}

static void
assert_samples (Fixture *f, const char *expected)
{
  g_autofree char *samples = get_samples (f, G_MAXUINT);

  g_assert_cmpstr (samples, ==, expected);
}

static unsigned int
count_samples (Fixture *f, unsigned int max)
{
  g_autofree char *samples = get_samples (f, max);
  unsigned int count = 0;

  for (const char *p = samples; (p = strstr (p, "\"time\"")) != NULL; p++)
    count++;
  return count;
}

/* A job that comes now and ends after @duration. */
static void
finish_job (Fixture *f, AmpsOutcome outcome, gint64 duration)
{
  amps_metrics_increment (f->metrics, AMPS_COUNTER_MESSAGES_INSERTED);
  amps_metrics_increment (f->metrics, AMPS_COUNTER_MESSAGES_DELETED);
  amps_metrics_count_outcome (f->metrics, outcome);
  amps_metrics_observe (f->metrics, AMPS_HISTOGRAM_JOB_DURATION, duration, NULL);
}

static void
test_sample (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  assert_samples (f, "[]");
  for (unsigned int i = 0; i < 100; i++)
    finish_job (f, AMPS_OUTCOME_ACKNOWLEDGED, 500);
  finish_job (f, AMPS_OUTCOME_REJECTED, 500);
  finish_job (f, AMPS_OUTCOME_RETRIED, 500);
  finish_job (f, AMPS_OUTCOME_EXPIRED, 500);
  amps_metrics_set_gauge (f->metrics, AMPS_GAUGE_JOBS_IN_FLIGHT, 7);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (10));
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  /* The clock of the test stands at 1 s in the beginning. */
  assert_samples (f, "[{\"time\":1767225606010,\"done\":100,\"failed\":1,\"retried\":2,"
                     "\"in_flight\":7,\"seconds\":5.000000,\"p50\":0.000500,\"p95\":0.000950,"
                     "\"p99\":0.000990}]");

  /* The next one is of what came after it alone. */
  finish_job (f, AMPS_OUTCOME_MALFORMED, AMPS_SECONDS (4000));
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  g_assert_cmpuint (count_samples (f, G_MAXUINT), ==, 2);

  g_autofree char *last = get_samples (f, 1);

  g_assert_cmpstr (last, ==,
                   "[{\"time\":1767225611010,\"done\":0,\"failed\":1,\"retried\":0,"
                   "\"in_flight\":7,\"seconds\":5.000000,\"p50\":3600.000000,"
                   "\"p95\":3600.000000,\"p99\":3600.000000}]");
}

/* Nothing wakes up while nothing is counted, and what is counted then is put down to its
 * own five seconds. */
static void
test_idle (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  finish_job (f, AMPS_OUTCOME_ACKNOWLEDGED, 1000);
  fake_clock_advance (f->clock, 0);
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  g_assert_cmpuint (count_samples (f, G_MAXUINT), ==, 1);
  fake_clock_advance (f->clock, AMPS_SECONDS (5));

  fake_clock_skip (f->clock, AMPS_SECONDS (600));
  g_assert_false (g_main_context_pending (NULL));
  g_assert_cmpuint (count_samples (f, G_MAXUINT), ==, 1);

  finish_job (f, AMPS_OUTCOME_ACKNOWLEDGED, 1000);
  fake_clock_advance (f->clock, 0);
  fake_clock_advance (f->clock, AMPS_SECONDS (5));

  g_autofree char *last = get_samples (f, 1);

  g_assert_nonnull (strstr (last, "\"seconds\":5.000000"));
  g_assert_nonnull (strstr (last, "\"done\":1,"));
}

/* A run that is retried in its place is neither received nor settled. */
static void
test_retries (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_metrics_count_outcome (f->metrics, AMPS_OUTCOME_RETRIED);
  fake_clock_advance (f->clock, 0);
  fake_clock_advance (f->clock, AMPS_SECONDS (5));

  g_autofree char *last = get_samples (f, 1);

  g_assert_nonnull (strstr (last, "\"retried\":1,"));
  g_assert_nonnull (strstr (last, "\"p50\":null,\"p95\":null,\"p99\":null}"));
}

static void
test_old_ones_go (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  for (unsigned int i = 0; i < AMPS_STATUS_HISTORY_MAX + 20; i++)
    {
      finish_job (f, AMPS_OUTCOME_ACKNOWLEDGED, 1000);
      fake_clock_advance (f->clock, 0);
      fake_clock_advance (f->clock, AMPS_SECONDS (5));
    }
  g_assert_cmpuint (count_samples (f, G_MAXUINT), ==, AMPS_STATUS_HISTORY_MAX);
  g_assert_cmpuint (count_samples (f, 6), ==, 6);

  fake_clock_skip (f->clock, AMPS_SECONDS (10 * 60));
  g_assert_cmpuint (count_samples (f, G_MAXUINT), ==, 60);
  fake_clock_skip (f->clock, AMPS_SECONDS (5 * 60));
  assert_samples (f, "[]");
}

#define ADD(name, function)                                                                        \
  g_test_add ("/status-history/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("sample", test_sample);
  ADD ("idle", test_idle);
  ADD ("retries", test_retries);
  ADD ("old-ones-go", test_old_ones_go);
  return g_test_run ();
}
