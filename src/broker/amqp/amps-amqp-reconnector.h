/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-io-thread.h"
#include "base/amps-clock.h"
#include "config/amps-config.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpShared:
 * @config: has the URIs
 * @clock: what time is measured by
 * @settings: for the connections
 * @events: gets what they have to tell
 *
 * What the reconnectors of one owner share. It outlives them.
 */
typedef struct {
  AmpsConfig *config;
  AmpsClock *clock;
  const AmpsAmqpSettings *settings;
  AmpsMailbox *events;
} AmpsAmqpShared;

/**
 * AmpsAmqpReconnector:
 * @role: what its connections are there for
 * @shared: what it has of its owner
 * @io_thread: (nullable): while connected, or trying
 * @timer: due for the next try
 * @open: whether it is connected
 * @uri_index: of the broker that is tried
 * @begun: monotonic µs: when @io_thread began
 * @max_busy_time: µs that one call of the library may take
 * @failures: tries in a row that came to nothing
 * @n_short_lives: connections in a row that came to something, and to an end at once
 * @problem: (nullable): owned; why there is none, for people
 *
 * One of the two connections, which is made again whenever it is lost.
 */
typedef struct {
  const AmpsAmqpRole *role;
  AmpsAmqpShared shared;
  AmpsAmqpIoThread *io_thread;
  GSource *timer;
  gboolean open;
  unsigned int uri_index;
  gint64 begun;
  gint64 max_busy_time;
  unsigned int failures;
  unsigned int n_short_lives;
  char *problem;
} AmpsAmqpReconnector;

void amps_amqp_reconnector_init (AmpsAmqpReconnector *self, const AmpsAmqpRole *role,
                                 const AmpsAmqpShared *shared, GSourceFunc on_timer,
                                 gpointer user_data);
void amps_amqp_reconnector_clear (AmpsAmqpReconnector *self);
void amps_amqp_reconnector_connect (AmpsAmqpReconnector *self);
void amps_amqp_reconnector_open (AmpsAmqpReconnector *self);
void amps_amqp_reconnector_close (AmpsAmqpReconnector *self, const char *why);
void amps_amqp_reconnector_schedule (AmpsAmqpReconnector *self, gboolean good);
void amps_amqp_reconnector_stop (AmpsAmqpReconnector *self);
void amps_amqp_reconnector_watch (AmpsAmqpReconnector *self, gboolean hangs);
gboolean amps_amqp_reconnector_is_stuck (AmpsAmqpReconnector *self);

G_END_DECLS
