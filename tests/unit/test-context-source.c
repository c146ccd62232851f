/* SPDX-License-Identifier: MIT */
#include "open-descriptors.h"
#include "workload/amps-context-source.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_CONTEXTS 200

typedef struct {
  GMainContext *nested;
  GMainContext *another;
  GSource *source;
  unsigned int n_calls;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->source = amps_context_source_new ();
  f->nested = amps_context_source_add (f->source);
  g_source_attach (f->source, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_source_destroy (f->source);
  g_source_unref (f->source);
}

static gboolean
count (gpointer user_data)
{
  Fixture *f = user_data;

  f->n_calls++;
  g_assert_true (g_main_context_get_thread_default () == f->nested);
  return G_SOURCE_REMOVE;
}

static GSource *
attach (Fixture *f, GSource *source, GSourceFunc callback)
{
  g_source_set_callback (source, callback, f, NULL);
  g_source_attach (source, f->nested);
  amps_context_source_wake (f->source, f->nested);
  return source;
}

static gboolean
count_any (gpointer user_data)
{
  Fixture *f = user_data;

  f->n_calls++;
  return G_SOURCE_REMOVE;
}

static GSource *
create_timeout (void)
{
  return g_timeout_source_new (10);
}

/* Whatever is ready, and no more. */
static void
assert_called (Fixture *f, unsigned int n_calls)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (f->n_calls, ==, n_calls);
}

static gboolean
count_to_a_hundred (gpointer user_data)
{
  count (user_data);
  return ((Fixture *) user_data)->n_calls < 100;
}

/* Attached by the main loop. */
static void
test_idle (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  assert_called (f, 0);
  g_source_unref (attach (f, g_idle_source_new (), count));
  assert_called (f, 1);
  g_source_unref (attach (f, g_idle_source_new (), count));
  g_source_unref (attach (f, g_idle_source_new (), count));
  assert_called (f, 3);
  g_source_unref (attach (f, g_idle_source_new (), count_to_a_hundred));
  assert_called (f, 100);
}

static void
test_timeout (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  gint64 begun = g_get_monotonic_time ();

  g_source_unref (attach (f, g_timeout_source_new (50), count));
  assert_called (f, 0);
  while (f->n_calls == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (g_get_monotonic_time () - begun, >=, 50 * G_TIME_SPAN_MILLISECOND);

  /* Nothing is due any more, so nothing wakes up the loop. */
  assert_called (f, 1);
  g_assert_false (g_main_context_pending (NULL));
}

static gpointer
attach_in_thread (gpointer data)
{
  Fixture *f = data;

  g_autoptr (GSource) idle = g_idle_source_new ();

  g_usleep (20 * G_TIME_SPAN_MILLISECOND);
  g_source_set_callback (idle, count, f, NULL);
  g_source_attach (idle, f->nested);
  return NULL;
}

static void
test_thread (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  GThread *thread = g_thread_new ("attaching", attach_in_thread, f);

  while (f->n_calls == 0)
    g_main_context_iteration (NULL, TRUE);
  g_thread_join (thread);
}

static gboolean
count_byte (int fd, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  Fixture *f = user_data;
  char byte;

  g_assert_cmpint ((int) read (fd, &byte, 1), ==, 1);
  f->n_calls++;
  return G_SOURCE_CONTINUE;
}

static GSource *
watch (Fixture *f, int fd, GIOCondition condition)
{
  return attach (f, g_unix_fd_source_new (fd, condition), G_SOURCE_FUNC (count_byte));
}

static void
test_descriptors (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  enum { N = 40 };
  int pairs[N][2];
  GSource *sources[N];
  unsigned int expected = 0;

  for (unsigned int i = 0; i < N; i++)
    {
      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, pairs[i]), ==, 0);
      sources[i] = watch (f, pairs[i][0], G_IO_IN);
    }
  assert_called (f, 0);

  for (unsigned int i = 0; i < 400; i++)
    {
      unsigned int n = (unsigned int) g_test_rand_int_range (0, N);

      if (g_test_rand_int_range (0, 4) > 0)
        {
          g_assert_cmpint ((int) write (pairs[n][1], "x", 1), ==, 1);
          expected += sources[n] != NULL;
          assert_called (f, expected);
          if (sources[n] == NULL)
            {
              char byte;

              g_assert_cmpint ((int) read (pairs[n][0], &byte, 1), ==, 1);
            }
        }
      else if (sources[n] != NULL)
        {
          g_source_destroy (sources[n]);
          g_clear_pointer (&sources[n], g_source_unref);
        }
      else
        {
          sources[n] = watch (f, pairs[n][0], G_IO_IN);
        }
    }

  for (unsigned int i = 0; i < N; i++)
    {
      if (sources[i] != NULL)
        {
          g_source_destroy (sources[i]);
          g_source_unref (sources[i]);
        }
      close (pairs[i][0]);
      close (pairs[i][1]);
    }
}

static gboolean
go_on (gpointer user_data G_GNUC_UNUSED)
{
  return G_SOURCE_CONTINUE;
}

/* As when a connection is closed, and another one gets its number. */
static void
test_number_again (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  int old[2];
  int new[2];
  GSource *source;
  GSource *idle;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, old), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, new), ==, 0);
  source = watch (f, old[0], G_IO_IN);
  assert_called (f, 0);

  /* In the same turn, for something else. */
  g_source_destroy (source);
  g_source_unref (source);
  g_assert_cmpint (dup2 (new[0], old[0]), ==, old[0]);
  source = watch (f, old[0], G_IO_IN | G_IO_PRI);
  assert_called (f, 0);
  g_assert_cmpint ((int) write (new[1], "x", 1), ==, 1);
  assert_called (f, 1);

  /* A turn later, for the same. */
  g_source_destroy (source);
  g_source_unref (source);
  assert_called (f, 1);
  g_assert_cmpint (dup2 (new[1], old[0]), ==, old[0]);
  source = watch (f, old[0], G_IO_IN | G_IO_PRI);
  g_assert_cmpint ((int) write (new[0], "x", 1), ==, 1);
  assert_called (f, 2);

  /* A turn later, too, while there is something to do in each of them. */
  idle = attach (f, g_idle_source_new (), go_on);
  g_main_context_iteration (NULL, FALSE);
  g_source_destroy (source);
  g_source_unref (source);
  g_main_context_iteration (NULL, FALSE);
  g_assert_cmpint (dup2 (new[0], old[0]), ==, old[0]);
  source = watch (f, old[0], G_IO_IN | G_IO_PRI);
  g_main_context_iteration (NULL, FALSE);
  g_source_destroy (idle);
  g_source_unref (idle);
  assert_called (f, 2);
  g_assert_cmpint ((int) write (new[1], "x", 1), ==, 1);
  assert_called (f, 3);

  g_source_destroy (source);
  g_source_unref (source);
  close (old[0]);
  close (old[1]);
  close (new[0]);
  close (new[1]);
}

static gboolean
count_turn (gpointer user_data)
{
  unsigned int *n_turns = user_data;

  ++*n_turns;
  return G_SOURCE_CONTINUE;
}

static void
attach_to_each (GMainContext **contexts, unsigned int step, GSource *(*create) (void), Fixture *f)
{
  for (unsigned int i = 0; i < N_CONTEXTS; i += step)
    {
      f->nested = contexts[i];
      g_source_unref (attach (f, create (), count_any));
    }
}

typedef struct {
  GSource source;
  unsigned int count;
} Turns;

static gboolean
count_prepare (GSource *source, int *timeout)
{
  ((Turns *) source)->count++;
  *timeout = -1;
  return FALSE;
}

/* All that have something to do have a turn, and between them what else there is. */
static void
test_many (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  GMainContext *contexts[N_CONTEXTS];
  GSource *other = g_timeout_source_new (0);
  unsigned int n_turns = 0;

  g_source_set_callback (other, count_turn, &n_turns, NULL);
  g_source_attach (other, NULL);
  for (unsigned int i = 0; i < N_CONTEXTS; i++)
    contexts[i] = amps_context_source_add (f->source);

  attach_to_each (contexts, 1, g_idle_source_new, f);
  while (f->n_calls < N_CONTEXTS)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (n_turns, >=, 5);
  g_source_destroy (other);
  g_source_unref (other);

  for (unsigned int i = 1; i < N_CONTEXTS; i += 2)
    amps_context_source_remove (f->source, contexts[i]);
  attach_to_each (contexts, 2, create_timeout, f);
  while (f->n_calls < N_CONTEXTS + N_CONTEXTS / 2)
    g_main_context_iteration (NULL, TRUE);
  assert_called (f, N_CONTEXTS + N_CONTEXTS / 2);
  g_assert_false (g_main_context_pending (NULL));
}

/* And those that wait for something have none. */
static void
test_turns (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static GSourceFuncs functions = { .prepare = count_prepare };
  Turns *waiting = (Turns *) attach (f, g_source_new (&functions, sizeof (Turns)), NULL);
  Turns *all = (Turns *) g_source_new (&functions, sizeof (Turns));
  GMainContext *first = f->nested;

  g_source_unref (attach (f, g_timeout_source_new_seconds (1000), count));
  g_main_context_iteration (NULL, FALSE);
  waiting->count = 0;
  g_source_attach (&all->source, NULL);

  /* Nor does the main loop before it is time for one. */
  f->nested = amps_context_source_add (f->source);
  g_source_unref (attach (f, g_timeout_source_new (50), count));
  while (f->n_calls == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (all->count, <=, 4);
  g_assert_cmpuint (waiting->count, ==, 0);

  f->nested = first;
  g_source_destroy (&waiting->source);
  g_source_unref (&waiting->source);
  g_source_destroy (&all->source);
  g_source_unref (&all->source);
}

static gboolean
attach_count (gpointer user_data)
{
  Fixture *f = user_data;

  g_source_unref (attach (f, g_idle_source_new (), count));
  return count (f);
}

static gboolean
take_long (gpointer user_data G_GNUC_UNUSED)
{
  g_usleep (3 * G_TIME_SPAN_MILLISECOND);
  return G_SOURCE_CONTINUE;
}

/* However long each turn of the main loop takes, they have one as well. */
static void
test_busy (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSource) slow = g_timeout_source_new (0);
  g_autoptr (GSource) source = NULL;

  /* In each turn it comes before the next one. */
  g_source_set_callback (slow, take_long, NULL, NULL);
  g_source_attach (slow, NULL);
  g_source_destroy (f->source);
  g_source_unref (f->source);
  f->source = amps_context_source_new ();
  f->nested = amps_context_source_add (f->source);
  g_source_attach (f->source, NULL);

  source = attach (f, g_idle_source_new (), count);
  for (unsigned int i = 0; i < 3; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (f->n_calls, ==, 1);
  g_source_destroy (slow);
}

/* What comes of what is waiting happens, too. */
static void
test_remove (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_source_unref (attach (f, g_timeout_source_new (200), count));
  g_main_context_iteration (NULL, FALSE);
  g_source_unref (attach (f, g_idle_source_new (), attach_count));
  amps_context_source_remove (f->source, f->nested);
  g_assert_cmpuint (f->n_calls, ==, 2);
  g_usleep (200 * G_TIME_SPAN_MILLISECOND);
  assert_called (f, 2);
}

/* Which has all descriptors that were not closed. */
static void
test_remove_with_child (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  int pair[2];
  GSource *source;
  pid_t child;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
  source = watch (f, pair[0], G_IO_IN);
  assert_called (f, 0);
  child = fork ();
  if (child == 0)
    {
      alarm (5);
      pause ();
      _exit (0);
    }

  amps_context_source_remove (f->source, f->nested);
  g_assert_cmpint ((int) write (pair[1], "x", 1), ==, 1);
  g_assert_false (g_main_context_pending (NULL));

  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
  g_source_unref (source);
  close (pair[0]);
  close (pair[1]);
}

static gboolean
remove_both (gpointer user_data)
{
  Fixture *f = user_data;

  f->n_calls++;
  if (f->n_calls > 1)
    return G_SOURCE_REMOVE;

  amps_context_source_remove (f->source, f->nested);
  amps_context_source_remove (f->source, f->another);
  return G_SOURCE_REMOVE;
}

/* One that is running, and another that has something to do. */
static void
test_remove_in_turn (Fixture *f, gconstpointer due)
{
  GMainContext *contexts[] = { amps_context_source_add (f->source), f->nested };

  f->another = contexts[0];
  for (unsigned int i = 0; i < G_N_ELEMENTS (contexts); i++)
    {
      f->nested = contexts[i];
      g_source_unref (attach (f, g_timeout_source_new_seconds (1000), count));
      g_source_unref (
          attach (f, due != NULL ? create_timeout () : g_idle_source_new (), remove_both));
    }

  if (due != NULL)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (10 * G_TIME_SPAN_MILLISECOND);
    }
  assert_called (f, 2);
  g_assert_false (g_main_context_pending (NULL));
}

static void
test_no_descriptors (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  int next = dup (0);
  guint64 limit;

  close (next);
  limit = limit_open_descriptors ((guint64) next);
  g_assert_null (amps_context_source_new ());
  g_assert_null (amps_context_source_add (f->source));
  limit_open_descriptors ((guint64) next + 1);
  g_assert_nonnull (amps_context_source_add (f->source));
  g_assert_null (amps_context_source_add (f->source));
  limit_open_descriptors (limit);
  assert_called (f, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test) g_test_add ("/context-source/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("idle", test_idle);
  ADD ("timeout", test_timeout);
  ADD ("thread", test_thread);
  ADD ("descriptors", test_descriptors);
  ADD ("number-again", test_number_again);
  ADD ("many", test_many);
  ADD ("turns", test_turns);
  ADD ("busy", test_busy);
  ADD ("remove", test_remove);
  ADD ("remove-with-child", test_remove_with_child);
  g_test_add ("/context-source/remove-in-turn/ready", Fixture, NULL, set_up, test_remove_in_turn,
              tear_down);
  g_test_add ("/context-source/remove-in-turn/due", Fixture, "", set_up, test_remove_in_turn,
              tear_down);
  ADD ("no-descriptors", test_no_descriptors);
  return g_test_run ();
}
