/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsAmqpHangGuard:
 *
 * What the main thread sees of an I/O thread, in order to free it from a library
 * call that hangs. All members are atomic.
 */
typedef struct {
  gpointer busy_since; /* monotonic ms in the pointer's bits; NULL when idle */
  int fd;              /* -1 when there is no socket */
  int fd_in_use;       /* a lock, so that no other file's descriptor is shut down */
} AmpsAmqpHangGuard;

void amps_amqp_hang_guard_init (AmpsAmqpHangGuard *self);
void amps_amqp_hang_guard_begin_work (AmpsAmqpHangGuard *self);
void amps_amqp_hang_guard_end_work (AmpsAmqpHangGuard *self);
void amps_amqp_hang_guard_set_fd (AmpsAmqpHangGuard *self, int fd);
gint64 amps_amqp_hang_guard_get_busy_time (AmpsAmqpHangGuard *self);
void amps_amqp_hang_guard_break (AmpsAmqpHangGuard *self);

G_END_DECLS
