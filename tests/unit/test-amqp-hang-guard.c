/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-hang-guard.h"

#include <sys/socket.h>
#include <unistd.h>

static void
test_busy_time (void)
{
  AmpsAmqpHangGuard watch;

  amps_amqp_hang_guard_init (&watch);
  g_assert_cmpint (amps_amqp_hang_guard_get_busy_time (&watch), ==, 0);
  amps_amqp_hang_guard_begin_work (&watch);
  while (amps_amqp_hang_guard_get_busy_time (&watch) < 3000)
    ;
  amps_amqp_hang_guard_end_work (&watch);
  g_assert_cmpint (amps_amqp_hang_guard_get_busy_time (&watch), ==, 0);
}

typedef struct {
  AmpsAmqpHangGuard watch;
  int sockets[2];
} Fixture;

/* As a library call that hangs: the peer says nothing. */
static gpointer
read_for_ever (gpointer data)
{
  Fixture *f = data;
  char byte;

  return GINT_TO_POINTER ((int) read (f->sockets[0], &byte, 1));
}

static void
test_break (void)
{
  Fixture f;
  GThread *thread;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, f.sockets), ==, 0);
  amps_amqp_hang_guard_init (&f.watch);
  amps_amqp_hang_guard_break (&f.watch);
  amps_amqp_hang_guard_set_fd (&f.watch, f.sockets[0]);

  thread = g_thread_new ("hanging", read_for_ever, &f);
  amps_amqp_hang_guard_break (&f.watch);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, 0);

  amps_amqp_hang_guard_set_fd (&f.watch, -1);
  close (f.sockets[0]);
  close (f.sockets[1]);
}

/* The number of a closed socket soon means another file. */
static void
test_breaks_nothing_else (void)
{
  Fixture f;

  amps_amqp_hang_guard_init (&f.watch);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, f.sockets), ==, 0);
  amps_amqp_hang_guard_set_fd (&f.watch, f.sockets[0]);
  amps_amqp_hang_guard_set_fd (&f.watch, -1);
  amps_amqp_hang_guard_break (&f.watch);
  g_assert_cmpint ((int) write (f.sockets[0], "x", 1), ==, 1);
  close (f.sockets[0]);
  close (f.sockets[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-hang-guard/busy-time", test_busy_time);
  g_test_add_func ("/amqp-hang-guard/break", test_break);
  g_test_add_func ("/amqp-hang-guard/breaks-nothing-else", test_breaks_nothing_else);
  return g_test_run ();
}
