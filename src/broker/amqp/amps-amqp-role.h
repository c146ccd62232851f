/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-library.h"
#include "amps-amqp-message.h"
#include "base/amps-mailbox.h"

G_BEGIN_DECLS

typedef struct _AmpsAmqpConnection AmpsAmqpConnection;

/**
 * AmpsAmqpCommand:
 * @mail: what the mailbox needs
 * @free: frees the command
 *
 * What the main thread wants of a connection. To be the first member of what a
 * role understands.
 */
typedef struct {
  AmpsMail mail;
  GDestroyNotify free;
} AmpsAmqpCommand;

/**
 * AmpsAmqpRole:
 * @name: for the connection's name
 * @takes_jobs: whether messages are jobs, and so held within MAX_IN_FLIGHT_BYTES
 * @start: makes the role; the channel is open, and it may talk to the broker
 * @waits: (nullable): whether a command waits for the broker's answer; %NULL if the
 *   I/O thread is to do everything, else it does only what waits
 * @command: takes and does a command
 * @message: takes a whole message that came on a channel
 * @method: another method frame came on a channel; returns whether it was expected
 * @closed: (nullable): the broker closed a channel, and not in reply to a request;
 *   returns whether there is a new one, or the connection has failed
 * @flush: (nullable): sends what commands have left to be sent; returns whether all
 *   of it could be
 * @free: frees the role
 *
 * What a connection is there for. What fails calls amps_amqp_connection_fail().
 */
typedef struct {
  const char *name;
  gboolean takes_jobs;
  gpointer (*start) (AmpsAmqpConnection *connection);
  gboolean (*waits) (const AmpsAmqpCommand *command);
  void (*command) (gpointer role, AmpsAmqpCommand *command);
  void (*message) (gpointer role, amqp_channel_t channel, AmpsAmqpMessage *message);
  gboolean (*method) (gpointer role, amqp_channel_t channel, const amqp_method_t *method);
  gboolean (*closed) (gpointer role, amqp_channel_t channel, int code, const char *text);
  gboolean (*flush) (gpointer role);
  void (*free) (gpointer role);
} AmpsAmqpRole;

G_END_DECLS
