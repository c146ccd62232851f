/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-event.h"
#include "amps-amqp-role.h"
#include "amps-amqp-settings.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpIoThread:
 *
 * One connection, from the first try to connect until it is closed, and its I/O
 * thread, for rabbitmq-c blocks while it waits for an answer.
 *
 * A role that says which of its commands wait has the thread only for those. In
 * between the connection is lent to the main loop, where a delivery need not wake
 * up another thread to get on, which took longer than reading it (docs/performance.md).
 * So the connection belongs to either thread, never to both: the I/O thread lends
 * it by an event, its last word on it, and gets it back with the next command.
 */
typedef struct _AmpsAmqpIoThread AmpsAmqpIoThread;

AmpsAmqpIoThread *amps_amqp_io_thread_new (const AmpsAmqpRole *role, const char *uri,
                                           const AmpsAmqpSettings *settings, AmpsMailbox *events);
void amps_amqp_io_thread_free (AmpsAmqpIoThread *self);
void amps_amqp_io_thread_send (AmpsAmqpIoThread *self, AmpsAmqpCommand *command);
void amps_amqp_io_thread_stop (AmpsAmqpIoThread *self);
void amps_amqp_io_thread_take (AmpsAmqpIoThread *self);
void amps_amqp_io_thread_break (AmpsAmqpIoThread *self);
gint64 amps_amqp_io_thread_get_busy_time (AmpsAmqpIoThread *self);

G_END_DECLS
