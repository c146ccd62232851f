/* SPDX-License-Identifier: MIT */
#include "amps-amqp-watch.h"

#include <sys/socket.h>

/**
 * amps_amqp_watch_init:
 * @self: (out caller-allocates): a watch on a thread that is idle
 */
void
amps_amqp_watch_init (AmpsAmqpWatch *self)
{
  self->busy_since = NULL;
  self->fd = -1;
  self->fd_in_use = FALSE;
}

/**
 * amps_amqp_watch_begin_work:
 * @self: a watch
 *
 * In the I/O thread: what follows must not take long.
 */
void
amps_amqp_watch_begin_work (AmpsAmqpWatch *self)
{
  g_atomic_pointer_set (&self->busy_since, (gpointer) (gsize) (g_get_monotonic_time () / 1000));
}

/**
 * amps_amqp_watch_end_work:
 * @self: a watch
 *
 * In the I/O thread: it will wait for something to do.
 */
void
amps_amqp_watch_end_work (AmpsAmqpWatch *self)
{
  g_atomic_pointer_set (&self->busy_since, NULL);
}

static void
lock_fd (AmpsAmqpWatch *self)
{
  while (!g_atomic_int_compare_and_exchange (&self->fd_in_use, FALSE, TRUE))
    g_thread_yield ();
}

static void
unlock_fd (AmpsAmqpWatch *self)
{
  g_atomic_int_set (&self->fd_in_use, FALSE);
}

/**
 * amps_amqp_watch_set_fd:
 * @self: a watch
 * @fd: the socket, or -1 before it is closed
 *
 * In the I/O thread.
 */
void
amps_amqp_watch_set_fd (AmpsAmqpWatch *self, int fd)
{
  lock_fd (self);
  g_atomic_int_set (&self->fd, fd);
  unlock_fd (self);
}

/**
 * amps_amqp_watch_get_busy_time:
 * @self: a watch
 *
 * In the main thread.
 *
 * Returns: µs for which the I/O thread has been in one piece of work; 0 when idle
 */
gint64
amps_amqp_watch_get_busy_time (AmpsAmqpWatch *self)
{
  gint64 since = (gint64) (gsize) g_atomic_pointer_get (&self->busy_since) * 1000;

  return since != 0 ? MAX (g_get_monotonic_time () - since, 0) : 0;
}

/**
 * amps_amqp_watch_break:
 * @self: a watch
 *
 * In the main thread. Shuts the socket down, so that a call which hangs fails.
 */
void
amps_amqp_watch_break (AmpsAmqpWatch *self)
{
  int fd;

  lock_fd (self);
  fd = g_atomic_int_get (&self->fd);
  if (fd >= 0)
    shutdown (fd, SHUT_RDWR);
  unlock_fd (self);
}
