/* SPDX-License-Identifier: MIT */
#pragma once

#include "amqp-peer.h"
#include "broker/amqp/amps-amqp-connection.h"

G_BEGIN_DECLS

/* The limit of AmqpFixture.settings.budget. */
#define AMQP_FIXTURE_BUDGET 1000000

/* A connection in the thread of the test, and a peer. */
typedef struct {
  AmqpPeer *peer;
  AmpsAmqpSettings settings;
  AmpsMailbox *mailbox;
  GPtrArray *events; /* AmpsAmqpEvent, all that were told */
  AmpsAmqpHangGuard guard;
  AmpsAmqpConnection *connection; /* (nullable) once ended */
} AmqpFixture;

void amqp_fixture_init (AmqpFixture *self, const AmpsAmqpRole *role);
void amqp_fixture_clear (AmqpFixture *self);
void amqp_fixture_open (AmqpFixture *self);
/* Returns: (nullable): why the connection failed; for good, as it is closed now */
char *amqp_fixture_end (AmqpFixture *self);
/* Reads frames until there is another event. Returns: (transfer none): it is of that kind */
const AmpsAmqpEvent *amqp_fixture_read_event (AmqpFixture *self, AmpsAmqpEventKind kind);
/* Reads frames until the connection fails, and ends it, for a reason that has @text. */
void amqp_fixture_assert_fails (AmqpFixture *self, const char *text);

G_END_DECLS
