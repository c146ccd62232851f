/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-session.h"
#include "amps-config.h"
#include "core/amps-clock.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpLink:
 * @role: what its connections are there for
 * @session: (nullable): while connected, or trying
 * @timer: due for the next try
 * @open: whether it is connected
 * @uri_index: of the broker that is tried
 * @begun: monotonic µs: when @session began
 * @max_busy_time: µs that one call of the library may take
 * @failures: sessions in a row that did not live long
 *
 * One of the two connections, which is made again whenever it is lost.
 */
typedef struct {
  const AmpsAmqpRole *role;
  AmpsAmqpSession *session;
  GSource *timer;
  gboolean open;
  unsigned int uri_index;
  gint64 begun;
  gint64 max_busy_time;
  unsigned int failures;
} AmpsAmqpLink;

void amps_amqp_link_connect (AmpsAmqpLink *self, AmpsConfig *config,
                             const AmpsAmqpSettings *settings, AmpsMailbox *events, gint64 now);
void amps_amqp_link_close (AmpsAmqpLink *self);
void amps_amqp_link_schedule (AmpsAmqpLink *self, AmpsConfig *config, gint64 now);
void amps_amqp_link_watch (AmpsAmqpLink *self, gboolean hangs);

G_END_DECLS
