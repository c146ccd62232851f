/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-session.h"
#include "amps-config.h"
#include "core/amps-clock.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpLink:
 * @role: what its connections are there for
 * @config: has the URIs
 * @clock: what time is measured by
 * @settings: for the sessions
 * @events: gets what they have to tell
 * @session: (nullable): while connected, or trying
 * @timer: due for the next try
 * @open: whether it is connected
 * @uri_index: of the broker that is tried
 * @begun: monotonic µs: when @session began
 * @max_busy_time: µs that one call of the library may take
 * @failures: tries in a row that came to nothing
 * @n_short_lives: sessions in a row that came to something, and to an end at once
 * @problem: (owned) (nullable): why there is none, for people
 *
 * One of the two connections, which is made again whenever it is lost.
 */
typedef struct {
  const AmpsAmqpRole *role;
  AmpsConfig *config;
  AmpsClock *clock;
  const AmpsAmqpSettings *settings;
  AmpsMailbox *events;
  AmpsAmqpSession *session;
  GSource *timer;
  gboolean open;
  unsigned int uri_index;
  gint64 begun;
  gint64 max_busy_time;
  unsigned int failures;
  unsigned int n_short_lives;
  char *problem;
} AmpsAmqpLink;

void amps_amqp_link_init (AmpsAmqpLink *self, GSourceFunc on_timer, gpointer user_data);
void amps_amqp_link_clear (AmpsAmqpLink *self);
void amps_amqp_link_connect (AmpsAmqpLink *self);
void amps_amqp_link_open (AmpsAmqpLink *self);
void amps_amqp_link_close (AmpsAmqpLink *self, const char *why);
void amps_amqp_link_schedule (AmpsAmqpLink *self, gboolean good);
void amps_amqp_link_stop (AmpsAmqpLink *self);
void amps_amqp_link_watch (AmpsAmqpLink *self, gboolean hangs);
gboolean amps_amqp_link_is_stuck (AmpsAmqpLink *self);

G_END_DECLS
