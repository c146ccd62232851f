/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-assembler.h"
#include "amps-amqp-event.h"
#include "amps-amqp-library.h"
#include "amps-amqp-settings.h"

G_BEGIN_DECLS

/**
 * AMPS_AMQP_CHANNEL:
 *
 * The channel that consumes or publishes.
 */
#define AMPS_AMQP_CHANNEL 1

/**
 * AMPS_AMQP_DECLARING_CHANNEL:
 *
 * The channel for what may be refused while publications are not confirmed: a
 * broker that refuses closes the channel.
 */
#define AMPS_AMQP_DECLARING_CHANNEL 2

/**
 * AmpsAmqpCommand:
 * @mail: what the mailbox needs
 * @free: frees the command
 *
 * What the main thread has to tell an I/O thread. To be the first member of
 * what a role understands.
 */
typedef struct {
  AmpsMail mail;
  GDestroyNotify free;
} AmpsAmqpCommand;

/**
 * AmpsAmqpRole:
 * @name: for the connection's name
 * @start: makes the role; the channel is open, and it may talk to the broker
 * @command: something the main thread sent; takes it
 * @message: a whole message came
 * @method: another method frame came; returns whether it was expected
 * @flush: after a batch of commands
 * @free: frees the role
 *
 * What a session is there for. Everything runs in its I/O thread; what fails
 * calls amps_amqp_session_fail().
 */
typedef struct {
  const char *name;
  gpointer (*start) (AmpsAmqpSession *session);
  void (*command) (gpointer role, AmpsAmqpCommand *command);
  void (*message) (gpointer role, AmpsAmqpMessage *message);
  gboolean (*method) (gpointer role, const amqp_method_t *method);
  void (*flush) (gpointer role);
  void (*free) (gpointer role);
} AmpsAmqpRole;

AmpsAmqpSession *amps_amqp_session_new (const AmpsAmqpRole *role, const char *uri,
                                        const AmpsAmqpSettings *settings, AmpsMailbox *events);
void amps_amqp_session_free (AmpsAmqpSession *self);
void amps_amqp_session_send (AmpsAmqpSession *self, AmpsAmqpCommand *command);
void amps_amqp_session_stop (AmpsAmqpSession *self);
void amps_amqp_session_break (AmpsAmqpSession *self);
gint64 amps_amqp_session_get_busy_time (AmpsAmqpSession *self);

/* For roles, in the I/O thread. */
const AmpsAmqpSettings *amps_amqp_session_get_settings (AmpsAmqpSession *self);
amqp_connection_state_t amps_amqp_session_get_connection (AmpsAmqpSession *self);
void amps_amqp_session_tell (AmpsAmqpSession *self, AmpsAmqpEvent *event);
void amps_amqp_session_drain (AmpsAmqpSession *self);
void amps_amqp_session_fail (AmpsAmqpSession *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
gboolean amps_amqp_session_check (AmpsAmqpSession *self, int status, const char *what);
gboolean amps_amqp_session_check_reply (AmpsAmqpSession *self, const char *what, int *channel_error,
                                        char **channel_text);
gboolean amps_amqp_session_open_channel (AmpsAmqpSession *self, amqp_channel_t channel);
gboolean amps_amqp_session_reopen_channel (AmpsAmqpSession *self, amqp_channel_t channel);
gboolean amps_amqp_session_is_version (AmpsAmqpSession *self, unsigned int major,
                                       unsigned int minor);
void amps_amqp_session_quit (AmpsAmqpSession *self);

G_END_DECLS
