/* SPDX-License-Identifier: MIT */
#include "amps-amqp-hang-guard.h"

#include <sys/socket.h>

/**
 * amps_amqp_hang_guard_init:
 * @self: (out caller-allocates): the guard of a thread that is idle
 */
void
amps_amqp_hang_guard_init (AmpsAmqpHangGuard *self)
{
  self->busy_since = NULL;
  self->fd = -1;
  self->fd_in_use = FALSE;
}

/**
 * amps_amqp_hang_guard_begin_work:
 * @self: a guard
 *
 * In the I/O thread: what follows must not take long.
 */
void
amps_amqp_hang_guard_begin_work (AmpsAmqpHangGuard *self)
{
  g_atomic_pointer_set (&self->busy_since, (gpointer) (gsize) (g_get_monotonic_time () / 1000));
}

/**
 * amps_amqp_hang_guard_end_work:
 * @self: a guard
 *
 * In the I/O thread: it will wait for something to do.
 */
void
amps_amqp_hang_guard_end_work (AmpsAmqpHangGuard *self)
{
  g_atomic_pointer_set (&self->busy_since, NULL);
}

static void
lock_fd (AmpsAmqpHangGuard *self)
{
  while (!g_atomic_int_compare_and_exchange (&self->fd_in_use, FALSE, TRUE))
    g_thread_yield ();
}

static void
unlock_fd (AmpsAmqpHangGuard *self)
{
  g_atomic_int_set (&self->fd_in_use, FALSE);
}

/**
 * amps_amqp_hang_guard_set_fd:
 * @self: a guard
 * @fd: the socket, or -1 before it is closed
 *
 * In the I/O thread.
 */
void
amps_amqp_hang_guard_set_fd (AmpsAmqpHangGuard *self, int fd)
{
  lock_fd (self);
  g_atomic_int_set (&self->fd, fd);
  unlock_fd (self);
}

/**
 * amps_amqp_hang_guard_get_busy_time:
 * @self: a guard
 *
 * In the main thread.
 *
 * Returns: µs for which the I/O thread has been in one piece of work; 0 when idle
 */
gint64
amps_amqp_hang_guard_get_busy_time (AmpsAmqpHangGuard *self)
{
  gint64 since = (gint64) (gsize) g_atomic_pointer_get (&self->busy_since) * 1000;

  return since != 0 ? MAX (g_get_monotonic_time () - since, 0) : 0;
}

/**
 * amps_amqp_hang_guard_break:
 * @self: a guard
 *
 * In the main thread. Shuts the socket down, so that a call which hangs fails.
 */
void
amps_amqp_hang_guard_break (AmpsAmqpHangGuard *self)
{
  int fd;

  lock_fd (self);
  fd = g_atomic_int_get (&self->fd);
  if (fd >= 0)
    shutdown (fd, SHUT_RDWR);
  unlock_fd (self);
}
