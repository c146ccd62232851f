/* SPDX-License-Identifier: MIT */
#include "delivery/amps-queue-gauge.h"
#include "fake-broker.h"
#include "fake-clock.h"
#include "main-loop.h"

#include <string.h>

typedef struct {
  AmpsClock *clock;
  FakeBroker *broker;
  AmpsMetrics *metrics;
  AmpsQueueGauge *gauge;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->clock = fake_clock_new ();
  f->broker = fake_broker_new ();
  f->metrics = amps_metrics_new ();
  f->gauge = amps_queue_gauge_new (f->clock, AMPS_BROKER (f->broker), f->metrics);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_finalize_object (f->gauge);
  g_assert_finalize_object (f->broker);
  g_assert_finalize_object (f->metrics);
  g_assert_finalize_object (f->clock);
}

static void
assert_n_counts (Fixture *f, unsigned int expected)
{
  iterate_until_idle ();
  g_assert_cmpuint (fake_broker_get_n_counts (f->broker), ==, expected);
}

static void
answer (Fixture *f, gint64 n_messages)
{
  fake_broker_answer_count (f->broker, n_messages);
  iterate_until_idle ();
}

/* @expected: -1 for nothing */
static void
assert_shown (Fixture *f, int expected)
{
  g_autofree char *text = amps_metrics_format (f->metrics, AMPS_METRICS_PROMETHEUS);
  g_autofree char *line = g_strdup_printf ("\namps_queue_messages{queue=\"jobs\"} %d\n", expected);

  if (expected < 0)
    g_assert_null (strstr (text, "amps_queue_messages{"));
  else
    g_assert_nonnull (strstr (text, line));
}

/* The first count leaves the start to the jobs. */
static void
start (Fixture *f)
{
  amps_broker_start (AMPS_BROKER (f->broker));
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
}

static void
disconnect (Fixture *f)
{
  amps_broker_change_state (AMPS_BROKER (f->broker), AMPS_BROKER_DISCONNECTED, NULL);
}

static void
connect_again (Fixture *f)
{
  amps_broker_change_state (AMPS_BROKER (f->broker), AMPS_BROKER_CONNECTED, NULL);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
}

static void
test_interval (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  fake_clock_advance (f->clock, AMPS_SECONDS (100));
  assert_n_counts (f, 0);
  amps_broker_start (AMPS_BROKER (f->broker));
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (999));
  assert_n_counts (f, 0);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (1));
  assert_n_counts (f, 1);
  assert_shown (f, -1);
  answer (f, 7);
  assert_shown (f, 7);

  fake_clock_advance (f->clock, AMPS_MILLISECONDS (14999));
  assert_n_counts (f, 1);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (1));
  assert_n_counts (f, 2);
  assert_shown (f, 7);
  answer (f, 0);
  assert_shown (f, 0);
}

/* A broker that does not answer is not asked again. */
static void
test_slow_answer (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  assert_n_counts (f, 1);
  fake_clock_advance (f->clock, AMPS_SECONDS (100));
  connect_again (f);
  fake_clock_advance (f->clock, AMPS_SECONDS (100));
  assert_n_counts (f, 1);
  answer (f, 7);
  fake_clock_advance (f->clock, AMPS_SECONDS (15));
  assert_n_counts (f, 2);
  answer (f, 8);
}

static void
test_failure (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  assert_n_counts (f, 1);
  answer (f, 7);
  fake_clock_advance (f->clock, AMPS_SECONDS (15));
  assert_n_counts (f, 2);
  answer (f, -1);
  assert_shown (f, -1);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_n_counts (f, 3);
  answer (f, 9);
  assert_shown (f, 9);
}

/* What the broker had then is not what it has now. */
static void
test_disconnected (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  assert_n_counts (f, 1);
  answer (f, 7);
  disconnect (f);
  assert_shown (f, -1);
  fake_clock_advance (f->clock, AMPS_SECONDS (100));
  assert_n_counts (f, 1);

  connect_again (f);
  assert_n_counts (f, 2);
  disconnect (f);
  answer (f, 8);
  assert_shown (f, -1);
  connect_again (f);
  assert_n_counts (f, 3);
  answer (f, 9);
  assert_shown (f, 9);
}

/* A change of the state is no reason to count more often. */
static void
test_state_changes (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  assert_n_counts (f, 1);
  answer (f, 7);
  for (unsigned int i = 0; i < 10; i++)
    {
      amps_broker_change_state (AMPS_BROKER (f->broker),
                                i % 2 == 0 ? AMPS_BROKER_CONNECTED : AMPS_BROKER_CONSUMING, NULL);
      iterate_until_idle ();
    }
  assert_n_counts (f, 1);
  assert_shown (f, 7);
}

static void
test_stop (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  assert_n_counts (f, 1);
  g_object_run_dispose (G_OBJECT (f->gauge));
  answer (f, 7);
  assert_shown (f, -1);
  disconnect (f);
  connect_again (f);
  fake_clock_advance (f->clock, AMPS_SECONDS (100));
  assert_n_counts (f, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test) g_test_add ("/queue-gauge/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("interval", test_interval);
  ADD ("slow-answer", test_slow_answer);
  ADD ("failure", test_failure);
  ADD ("disconnected", test_disconnected);
  ADD ("state-changes", test_state_changes);
  ADD ("stop", test_stop);
  return g_test_run ();
}
