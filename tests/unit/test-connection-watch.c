/* SPDX-License-Identifier: MIT */
#include "main-loop.h"
#include "workload/amps-connection-watch.h"

#include <sys/socket.h>
#include <unistd.h>

static void
on_ended (gpointer user_data)
{
  (*(unsigned int *) user_data)++;
}

/* Returns: (transfer full): one end of a connection whose other end is @peer */
static GSocket *
connect_pair (int *peer)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket;
  int ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  socket = g_socket_new_from_fd (ends[0], &error);
  g_assert_no_error (error);
  *peer = ends[1];
  return socket;
}

/* It is told at once and once, though nobody reads. */
static void
test_ended_by_peer (void)
{
  unsigned int n = 0;
  g_autoptr (AmpsConnectionWatch) watch = amps_connection_watch_new (on_ended, &n);
  int peers[2];
  g_autoptr (GSocket) first = connect_pair (&peers[0]);
  g_autoptr (GSocket) second = connect_pair (&peers[1]);

  g_assert_false (amps_connection_watch_has_open (watch));
  amps_connection_watch_add (watch, first);
  amps_connection_watch_add (watch, second);
  g_assert_cmpint (write (peers[0], "bytes", 5), ==, 5);
  iterate_until_idle ();
  g_assert_cmpuint (n, ==, 0);

  close (peers[0]);
  iterate_until_idle ();
  g_assert_cmpuint (n, ==, 1);
  g_assert_true (amps_connection_watch_has_open (watch));
  iterate_until_idle ();
  g_assert_cmpuint (n, ==, 1);
  close (peers[1]);
  iterate_until_idle ();
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpuint (amps_connection_watch_get_n_ended (watch), ==, 2);
  g_assert_false (amps_connection_watch_has_open (watch));
}

/* What this side ends is no news. */
static void
test_ended_here (void)
{
  unsigned int n = 0;
  g_autoptr (AmpsConnectionWatch) watch = amps_connection_watch_new (on_ended, &n);
  int peers[2];
  GSocket *dropped = connect_pair (&peers[0]);
  g_autoptr (GSocket) closed = connect_pair (&peers[1]);

  amps_connection_watch_add (watch, dropped);
  amps_connection_watch_add (watch, closed);
  g_object_unref (dropped);
  g_socket_close (closed, NULL);
  iterate_until_idle ();
  g_assert_cmpuint (n, ==, 0);
  g_assert_false (amps_connection_watch_has_open (watch));
  close (peers[0]);
  close (peers[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/connection-watch/ended-by-peer", test_ended_by_peer);
  g_test_add_func ("/connection-watch/ended-here", test_ended_here);
  return g_test_run ();
}
