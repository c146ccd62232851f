/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-channel.h"
#include "amps-amqp-event.h"
#include "amps-amqp-hang-guard.h"
#include "amps-amqp-library.h"
#include "amps-amqp-role.h"
#include "amps-amqp-settings.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpConnection:
 *
 * A connection of rabbitmq-c and the role it has. It knows of no thread, and belongs
 * to one at a time, which whoever makes it sees to.
 */

/* For whoever runs it. */
AmpsAmqpConnection *amps_amqp_connection_new (const AmpsAmqpRole *role,
                                              const AmpsAmqpSettings *settings,
                                              AmpsMailbox *events);
gboolean amps_amqp_connection_open (AmpsAmqpConnection *self, const char *address,
                                    AmpsAmqpHangGuard *guard);
char *amps_amqp_connection_free (AmpsAmqpConnection *self, AmpsAmqpHangGuard *guard);
void amps_amqp_connection_start (AmpsAmqpConnection *self);
gboolean amps_amqp_connection_is_running (AmpsAmqpConnection *self);
void amps_amqp_connection_set_on_main_loop (AmpsAmqpConnection *self, gboolean on_main_loop);
void amps_amqp_connection_do (AmpsAmqpConnection *self, AmpsAmqpCommand *command);
gboolean amps_amqp_connection_flush (AmpsAmqpConnection *self);

/* For roles. */
const AmpsAmqpSettings *amps_amqp_connection_get_settings (AmpsAmqpConnection *self);
amqp_connection_state_t amps_amqp_connection_get_state (AmpsAmqpConnection *self);
gboolean amps_amqp_connection_can_send (AmpsAmqpConnection *self);
gboolean amps_amqp_connection_send_heartbeat (AmpsAmqpConnection *self);
void amps_amqp_connection_post (AmpsAmqpConnection *self, AmpsAmqpEvent *event);
void amps_amqp_connection_tell (AmpsAmqpConnection *self, AmpsAmqpEvent *event);
void amps_amqp_connection_read (AmpsAmqpConnection *self);
gboolean amps_amqp_connection_is_full (AmpsAmqpConnection *self);
void amps_amqp_connection_set_patient (AmpsAmqpConnection *self, gboolean patient);
void amps_amqp_connection_fail (AmpsAmqpConnection *self, const char *format, ...)
    G_GNUC_PRINTF (2, 3);
void amps_amqp_connection_fail_protocol (AmpsAmqpConnection *self, const char *format, ...)
    G_GNUC_PRINTF (2, 3);
gboolean amps_amqp_connection_check (AmpsAmqpConnection *self, int status, const char *what);
gboolean amps_amqp_connection_check_reply (AmpsAmqpConnection *self, const char *what,
                                           int *channel_error, char **channel_text);
gboolean amps_amqp_connection_open_channel (AmpsAmqpConnection *self, amqp_channel_t channel);
gboolean amps_amqp_connection_reopen_channel (AmpsAmqpConnection *self, amqp_channel_t channel);
gboolean amps_amqp_connection_is_version (AmpsAmqpConnection *self, unsigned int major,
                                          unsigned int minor);

G_END_DECLS
