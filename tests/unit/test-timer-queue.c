/* SPDX-License-Identifier: MIT */
#include "base/amps-timer-queue.h"
#include "fake-clock.h"

typedef struct {
  AmpsClock *clock;
  AmpsTimerQueue *queue;
  GString *seen;            /* a word for each thing that became due */
  const char *to_add;       /* (nullable) added, at once due, by the next one */
  AmpsTimerEntry *to_leave; /* (nullable) removed by the next one */
} Fixture;

static gint64
in_seconds (Fixture *f, gint64 seconds)
{
  return amps_clock_get_monotonic_time (f->clock) + AMPS_SECONDS (seconds);
}

static void
on_due (gpointer item, gpointer user_data)
{
  Fixture *f = user_data;

  g_string_append_printf (f->seen, "%s ", (const char *) item);
  if (f->to_add != NULL)
    amps_timer_queue_add (f->queue, in_seconds (f, 0), (gpointer) g_steal_pointer (&f->to_add));
  if (f->to_leave != NULL)
    amps_timer_queue_remove (f->queue, g_steal_pointer (&f->to_leave));
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->clock = fake_clock_new ();
  f->queue = amps_timer_queue_new (f->clock, "test", on_due, f);
  f->seen = g_string_new (NULL);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_timer_queue_free (f->queue);
  g_string_free (f->seen, TRUE);
  g_assert_finalize_object (f->clock);
}

static AmpsTimerEntry *
add (Fixture *f, gint64 seconds, const char *name)
{
  return amps_timer_queue_add (f->queue, in_seconds (f, seconds), (gpointer) name);
}

static void
assert_seen (Fixture *f, const char *expected)
{
  g_assert_cmpstr (f->seen->str, ==, expected);
  g_string_truncate (f->seen, 0);
}

/* By their time, and those of one time in the order in which they came. */
static void
test_order (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  add (f, 3, "c");
  add (f, 1, "a");
  add (f, 2, "b1");
  add (f, 2, "b2");
  add (f, 9, "late");

  fake_clock_advance (f->clock, AMPS_SECONDS (1) - 1);
  assert_seen (f, "");
  fake_clock_advance (f->clock, 1);
  assert_seen (f, "a ");
  fake_clock_advance (f->clock, AMPS_SECONDS (2));
  assert_seen (f, "b1 b2 c ");
  fake_clock_advance (f->clock, AMPS_SECONDS (100));
  assert_seen (f, "late ");
}

static void
test_remove (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsTimerEntry *first = add (f, 1, "first");

  add (f, 2, "second");
  amps_timer_queue_remove (f->queue, first);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_seen (f, "");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_seen (f, "second ");
}

/* As a job that expires may end another, or begin again. */
static void
test_change_while_running (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  add (f, 1, "first");
  f->to_leave = add (f, 1, "removed");
  f->to_add = "added";
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_seen (f, "first added ");
}

/* Else something that comes back at once would go round for ever. */
static void
test_flush_leaves_what_is_added_by_it (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  add (f, 1, "a");
  add (f, 3600, "b");
  f->to_add = "added";
  amps_timer_queue_flush (f->queue);
  assert_seen (f, "a b ");
  fake_clock_advance (f->clock, 0);
  assert_seen (f, "added ");
  fake_clock_advance (f->clock, AMPS_SECONDS (7200));
  assert_seen (f, "");
}

/* Ten thousand of them must not cost the main loop ten thousand sources. */
static void
test_one_source_for_all (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  GMainContext *context = g_main_context_default ();
  int n_before;
  int n_after;
  int priority;
  g_autofree GPollFD *fds = g_new (GPollFD, 64);
  int timeout;

  g_assert_true (g_main_context_acquire (context));
  g_main_context_prepare (context, &priority);
  n_before = g_main_context_query (context, priority, &timeout, fds, 64);
  for (int i = 0; i < 10000; i++)
    add (f, 60, "x");
  g_main_context_prepare (context, &priority);
  n_after = g_main_context_query (context, priority, &timeout, fds, 64);
  g_main_context_release (context);

  g_assert_cmpint (n_after, ==, n_before);
  g_assert_cmpint (timeout, ==, 60000);
  fake_clock_advance (f->clock, AMPS_SECONDS (60));
  g_assert_cmpuint (f->seen->len, ==, 10000 * strlen ("x "));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test) g_test_add ("/timer-queue/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("order", test_order);
  ADD ("remove", test_remove);
  ADD ("change-while-running", test_change_while_running);
  ADD ("flush-leaves-what-is-added-by-it", test_flush_leaves_what_is_added_by_it);
  ADD ("one-source-for-all", test_one_source_for_all);
  return g_test_run ();
}
