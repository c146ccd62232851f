/* SPDX-License-Identifier: MIT */
#include "amps-signals.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

static gboolean
on_signal (gpointer user_data)
{
  (*(unsigned int *) user_data)++;
  return G_SOURCE_CONTINUE;
}

static gpointer
get_mask (gpointer mask)
{
  pthread_sigmask (SIG_BLOCK, NULL, mask);
  return NULL;
}

/* One that comes too early is not lost, and another thread takes none. */
static void
test_held (void)
{
  unsigned int n_came[G_N_ELEMENTS (signals)] = { 0 };
  unsigned int sources[G_N_ELEMENTS (signals)];
  sigset_t of_thread;

  amps_signals_hold ();
  for (unsigned int i = 0; i < G_N_ELEMENTS (signals); i++)
    g_assert_cmpint (kill (getpid (), signals[i]), ==, 0);
  g_thread_join (g_thread_new ("other", get_mask, &of_thread));

  for (unsigned int i = 0; i < G_N_ELEMENTS (signals); i++)
    sources[i] = g_unix_signal_add (signals[i], on_signal, &n_came[i]);
  amps_signals_let_through ();
  for (unsigned int i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      while (n_came[i] == 0)
        g_main_context_iteration (NULL, TRUE);
      g_assert_true (sigismember (&of_thread, signals[i]));
      g_source_remove (sources[i]);
    }
}

static void
test_file_that_would_be_too_large (void)
{
  const struct rlimit small = { 8, RLIM_INFINITY };
  struct rlimit before;
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp (NULL, &path, NULL);

  amps_signals_hold ();
  amps_signals_let_through ();
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_cmpint (pwrite (fd, "x", 1, 8), ==, -1);
  g_assert_cmpint (errno, ==, EFBIG);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  close (fd);
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signals/held", test_held);
  g_test_add_func ("/signals/file-that-would-be-too-large", test_file_that_would_be_too_large);
  return g_test_run ();
}
