/* SPDX-License-Identifier: MIT */
#include "base/amps-readiness.h"
#include "open-descriptors.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  AmpsReadiness *readiness;
  int pair[2];
  AmpsReadable *readable;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->readiness = amps_readiness_new ();
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->pair), ==, 0);
  f->readable = amps_readiness_watch (f->readiness, f->pair[0]);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_clear_pointer (&f->readable, amps_readable_unref);
  amps_readiness_free (f->readiness);
  close (f->pair[0]);
  if (f->pair[1] >= 0)
    close (f->pair[1]);
}

/* What a source would be told in a turn of the main loop. */
static void
assert_ready (Fixture *f, gboolean ready)
{
  g_main_context_iteration (NULL, FALSE);
  g_assert_cmpint (amps_readable_is_ready (f->readable), ==, ready);
}

static void
put (Fixture *f, const char *text)
{
  g_assert_cmpint ((int) write (f->pair[1], text, strlen (text)), ==, (int) strlen (text));
}

static void
take (Fixture *f, gsize size, int expected)
{
  char buffer[16];

  g_assert_cmpuint (size, <=, sizeof buffer);
  g_assert_cmpint ((int) amps_readable_receive (f->readable, buffer, size), ==, expected);
}

static void
test_read (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_true (amps_readable_is_watched (f->readable));
  g_assert_cmpint (amps_readable_get_fd (f->readable), ==, f->pair[0]);
  assert_ready (f, FALSE);
  put (f, "abc");
  assert_ready (f, TRUE);

  /* Until nothing is left. */
  take (f, 2, 2);
  assert_ready (f, TRUE);
  take (f, 2, 1);
  assert_ready (f, FALSE);
  g_assert_false (g_main_context_pending (NULL));
  put (f, "de");
  assert_ready (f, TRUE);
  take (f, 2, 2);
  assert_ready (f, TRUE);
  take (f, 2, -1);
  g_assert_cmpint (errno, ==, EAGAIN);
  assert_ready (f, FALSE);
  g_assert_false (g_main_context_pending (NULL));
  put (f, "d");
  assert_ready (f, TRUE);
}

/* What came before that is not told again by the kernel. */
static void
test_watched_late (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_readable_unref (f->readable);
  put (f, "a");
  f->readable = amps_readiness_watch (f->readiness, f->pair[0]);
  assert_ready (f, TRUE);
}

static void
test_end (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  assert_ready (f, FALSE);
  put (f, "a");
  close (f->pair[1]);
  f->pair[1] = -1;
  assert_ready (f, TRUE);
  take (f, 2, 1);
  assert_ready (f, TRUE);
  take (f, 1, 0);
  assert_ready (f, TRUE);
}

static void
test_many (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  enum { N = 200 };
  int pairs[N][2];
  AmpsReadable *all[N];

  for (unsigned int i = 0; i < N; i++)
    {
      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pairs[i]), ==, 0);
      all[i] = amps_readiness_watch (f->readiness, pairs[i][0]);
      g_assert_cmpint ((int) write (pairs[i][1], "x", 1), ==, 1);
    }

  while (g_main_context_pending (NULL))
    g_main_context_iteration (NULL, FALSE);
  assert_ready (f, FALSE);
  for (unsigned int i = 0; i < N; i++)
    {
      assert_ready (f, FALSE);
      g_assert_true (amps_readable_is_ready (all[i]));
      amps_readable_unref (all[i]);
      close (pairs[i][0]);
      close (pairs[i][1]);
    }
}

/* The same file under another number, as a child process has it, does not wake up anybody. */
static void
test_forget (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  int same = dup (f->pair[0]);

  assert_ready (f, FALSE);
  amps_readable_forget (f->readable);
  amps_readable_forget (f->readable);
  g_assert_false (amps_readable_is_watched (f->readable));
  g_assert_true (amps_readable_is_ready (f->readable));
  put (f, "a");
  g_assert_false (g_main_context_pending (NULL));

  /* Nor the number for another file. */
  close (same);
  amps_readable_unref (amps_readable_ref (f->readable));
  amps_readable_unref (f->readable);
  f->readable = amps_readiness_watch (f->readiness, f->pair[0]);
  same = dup (f->pair[0]);
  close (f->pair[0]);
  amps_readable_unref (f->readable);
  f->readable = NULL;
  put (f, "b");
  while (g_main_context_pending (NULL) && same >= 0)
    {
      g_main_context_iteration (NULL, FALSE);
      close (same);
      same = -1;
    }
  g_assert_false (g_main_context_pending (NULL));
  f->pair[0] = dup (f->pair[1]);
}

static void
test_too_few_descriptors (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  guint64 limit = limit_open_descriptors (3);

  amps_readable_unref (f->readable);
  amps_readiness_free (f->readiness);
  f->readiness = amps_readiness_new ();
  limit_open_descriptors (limit);
  f->readable = amps_readiness_watch (f->readiness, f->pair[0]);
  g_assert_false (amps_readable_is_watched (f->readable));
  put (f, "a");
  take (f, 1, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test) g_test_add ("/readiness/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("read", test_read);
  ADD ("watched-late", test_watched_late);
  ADD ("end", test_end);
  ADD ("many", test_many);
  ADD ("forget", test_forget);
  ADD ("too-few-descriptors", test_too_few_descriptors);
  return g_test_run ();
}
