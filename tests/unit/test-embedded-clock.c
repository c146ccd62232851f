/* SPDX-License-Identifier: MIT */
#include "base/amps-clock.h"
#include "broker/embedded/amps-embedded-clock.h"
#include "fixture-tests.h"

#define HOUR AMPS_SECONDS (3600)

/* Two processes on one file, in which a job waits for a retry, one is leased and one
 * is fresh. */
typedef struct {
  AmpsEmbeddedStore *store;
  AmpsEmbeddedClock *first;
  AmpsEmbeddedClock *second;
  AmpsEmbeddedTime now;
} Fixture;

static void
execute (Fixture *f, const char *sql)
{
  g_autoptr (GError) error = NULL;
  gint64 n_changed;

  g_assert_true (amps_embedded_store_execute (f->store, sql, &n_changed, &error));
  g_assert_no_error (error);
}

static gint64
get_due (Fixture *f, const char *queue)
{
  gint64 due;

  g_assert_true (amps_embedded_store_get_next_due (f->store, queue, &due, NULL));
  return due;
}

/* How much later all times are than in the beginning. */
static void
assert_moved (Fixture *f, gint64 by)
{
  g_assert_cmpint (get_due (f, "delayed"), ==, 5 * HOUR + by);
  g_assert_cmpint (get_due (f, "leased"), ==, 4 * HOUR + by);
  g_assert_cmpint (get_due (f, "fresh"), ==, 0);
}

static void
enter (Fixture *f, AmpsEmbeddedClock *clock)
{
  amps_embedded_clock_observe (clock, f->now);
  g_assert_false (amps_embedded_clock_was_set (clock));
  g_assert_true (amps_embedded_clock_enter (clock, f->store, f->now.real, NULL));
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  f->store = amps_embedded_store_open (":memory:", FALSE, &error);
  g_assert_no_error (error);
  execute (f, "INSERT INTO jobs (queue, due, owner, body, published) VALUES"
              " ('delayed', 18000000000, NULL, 'x', 1), ('leased', 14400000000, 'me', 'x', 1),"
              " ('fresh', 0, NULL, 'x', 1)");
  f->now = (AmpsEmbeddedTime){ 3 * HOUR, AMPS_SECONDS (10) };
  f->first = amps_embedded_clock_new ("it's today's");
  f->second = amps_embedded_clock_new ("it's today's");
  enter (f, f->first);
  enter (f, f->second);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_embedded_clock_free (f->first);
  amps_embedded_clock_free (f->second);
  amps_embedded_store_close (f->store);
}

static void
pass (Fixture *f, gint64 time)
{
  f->now.real += time;
  f->now.boot += time;
}

static void
adjust (Fixture *f, AmpsEmbeddedClock *clock, gboolean commit)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (amps_embedded_store_begin (f->store, NULL));
  g_assert_true (amps_embedded_clock_adjust (clock, f->store, &error));
  g_assert_no_error (error);
  if (!commit)
    {
      amps_embedded_store_roll_back (f->store);
      return;
    }

  g_assert_true (amps_embedded_store_commit (f->store, NULL));
  amps_embedded_clock_committed (clock);
  g_assert_false (amps_embedded_clock_was_set (clock));
}

static void
set_clock (Fixture *f, gint64 by)
{
  f->now.real += by;
  amps_embedded_clock_observe (f->first, f->now);
  amps_embedded_clock_observe (f->second, f->now);
}

/* A clock that is right, or that is slowly being put right. */
static void
test_time_passes (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  for (unsigned int i = 0; i < 100; i++)
    {
      pass (f, AMPS_SECONDS (2));
      set_clock (f, AMPS_MILLISECONDS (500));
      g_assert_false (amps_embedded_clock_was_set (f->first));
      adjust (f, f->first, TRUE);
    }
  pass (f, 12 * HOUR); /* Suspended. */
  set_clock (f, 0);
  g_assert_false (amps_embedded_clock_was_set (f->first));
  assert_moved (f, 0);
}

static void
test_clock_is_set (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const gint64 jumps[] = { HOUR, -HOUR, 2 * HOUR, AMPS_SECONDS (-7) };
  gint64 moved = 0;

  for (unsigned int i = 0; i < G_N_ELEMENTS (jumps); i++)
    {
      pass (f, AMPS_SECONDS (2));
      moved += jumps[i];
      set_clock (f, jumps[i]);
      g_assert_true (amps_embedded_clock_was_set (f->first));
      g_assert_true (amps_embedded_clock_was_set (f->second));
      adjust (f, i % 2 == 0 ? f->first : f->second, TRUE);
      assert_moved (f, moved);
      pass (f, AMPS_MILLISECONDS (300));
      set_clock (f, 0);
      adjust (f, i % 2 == 0 ? f->second : f->first, TRUE);
      assert_moved (f, moved);
    }
}

/* A time of 0 would mean something else. */
static void
test_clock_is_set_back_to_the_beginning (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  set_clock (f, -5 * HOUR);
  adjust (f, f->first, TRUE);
  g_assert_cmpint (get_due (f, "delayed"), ==, 1);
  g_assert_cmpint (get_due (f, "leased"), ==, 1);
}

static void
test_transaction_that_fails (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  set_clock (f, HOUR);
  adjust (f, f->first, FALSE);
  assert_moved (f, 0);
  set_clock (f, HOUR);
  adjust (f, f->first, TRUE);
  assert_moved (f, 2 * HOUR);
}

/* Whatever the shift was then, it means nothing now, and the time of day is right. */
static void
test_machine_is_started_anew (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsEmbeddedClock) clock = amps_embedded_clock_new ("tomorrow's");

  f->now.boot = AMPS_SECONDS (1);
  enter (f, clock);
  adjust (f, clock, TRUE);
  assert_moved (f, 0);
  f->now.real += HOUR;
  amps_embedded_clock_observe (clock, f->now);
  adjust (f, clock, TRUE);
  assert_moved (f, HOUR);
}

/* While nobody used the file. Who still has an older time in mind changes nothing. */
static void
test_clock_is_set_in_between (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const gint64 jumps[] = { 24 * HOUR, -48 * HOUR, HOUR };
  gint64 moved = 0;

  for (unsigned int i = 0; i < G_N_ELEMENTS (jumps); i++)
    {
      g_autoptr (AmpsEmbeddedClock) clock = amps_embedded_clock_new ("it's today's");

      f->now.real += jumps[i];
      /* No time in the file is before 1970, else it would be none. */
      moved = MAX (moved + jumps[i], -4 * HOUR + 1);
      enter (f, clock);
      g_assert_cmpint (get_due (f, "leased"), ==, 4 * HOUR + moved);
      adjust (f, clock, TRUE);
      g_assert_cmpint (get_due (f, "leased"), ==, 4 * HOUR + moved);
      amps_embedded_clock_observe (f->first, f->now);
      adjust (f, f->first, TRUE);
      g_assert_cmpint (get_due (f, "leased"), ==, 4 * HOUR + moved);
    }
}

/* The machine was started anew, and nobody can tell what time has passed: but what was to
 * wait for 2 s does not wait for longer. */
static void
test_clock_is_set_while_machine_is_off (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const struct {
    gint64 by;
    gint64 delayed, leased, unknown; /* how far away they are then */
  } cases[] = {
    { 0, 5 * HOUR, HOUR, HOUR },
    { -HOUR, 5 * HOUR, 2 * HOUR, 2 * HOUR },
    { -24 * HOUR, 5 * HOUR, 2 * HOUR, 25 * HOUR },
    { 24 * HOUR, -19 * HOUR, -23 * HOUR, -23 * HOUR },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *boot_id = g_strdup_printf ("another %u", i);
      g_autoptr (AmpsEmbeddedClock) clock = amps_embedded_clock_new (boot_id);
      const gint64 start = 100 * HOUR;
      g_autofree char *sql = g_strdup_printf (
          "DELETE FROM jobs; INSERT INTO jobs (queue, due, wait, body, published) VALUES"
          " ('delayed', %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ", 'x', 1),"
          " ('leased', %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ", 'x', 1),"
          " ('unknown', %" G_GINT64_FORMAT ", 0, 'x', 1), ('fresh', 0, 0, 'x', 1)",
          start + 5 * HOUR, 5 * HOUR, start + HOUR, 2 * HOUR, start + HOUR);

      execute (f, sql);
      f->now = (AmpsEmbeddedTime){ start + cases[i].by, AMPS_SECONDS (1) };
      enter (f, clock);
      g_assert_cmpint (get_due (f, "delayed") - f->now.real, ==, cases[i].delayed);
      g_assert_cmpint (get_due (f, "leased") - f->now.real, ==, cases[i].leased);
      g_assert_cmpint (get_due (f, "unknown") - f->now.real, ==, cases[i].unknown);
      g_assert_cmpint (get_due (f, "fresh"), ==, 0);
    }
}

static void
test_system (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsEmbeddedClock) clock = amps_embedded_clock_new_for_system ();

  enter (f, clock);
  adjust (f, clock, TRUE);
  assert_moved (f, 0);
}

FIXTURE_TESTS = {
  { "/embedded-clock/time-passes", test_time_passes },
  { "/embedded-clock/set", test_clock_is_set },
  { "/embedded-clock/set-to-the-beginning", test_clock_is_set_back_to_the_beginning },
  { "/embedded-clock/failed-transaction", test_transaction_that_fails },
  { "/embedded-clock/set-in-between", test_clock_is_set_in_between },
  { "/embedded-clock/set-while-off", test_clock_is_set_while_machine_is_off },
  { "/embedded-clock/started-anew", test_machine_is_started_anew },
  { "/embedded-clock/system", test_system },
};

FIXTURE_TESTS_MAIN
