/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsAmqpWatch:
 *
 * What the main thread sees of an I/O thread, in order to free it from a library
 * call that hangs. All members are atomic.
 */
typedef struct {
  gpointer busy_since; /* monotonic ms in the pointer's bits; NULL when idle */
  int fd;              /* -1 when there is no socket */
  int fd_in_use;       /* a lock, so that no other file's descriptor is shut down */
} AmpsAmqpWatch;

void amps_amqp_watch_init (AmpsAmqpWatch *self);
void amps_amqp_watch_begin_work (AmpsAmqpWatch *self);
void amps_amqp_watch_end_work (AmpsAmqpWatch *self);
void amps_amqp_watch_set_fd (AmpsAmqpWatch *self, int fd);
gint64 amps_amqp_watch_get_busy_time (AmpsAmqpWatch *self);
void amps_amqp_watch_break (AmpsAmqpWatch *self);

G_END_DECLS
