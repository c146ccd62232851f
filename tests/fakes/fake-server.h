/* SPDX-License-Identifier: MIT */
#pragma once

#include "broker/amps-broker.h"

G_BEGIN_DECLS

/* Queues in memory, which outlive the brokers that are connected to them. */
typedef struct _FakeServer FakeServer;

FakeServer *fake_server_new (void);
void fake_server_free (FakeServer *self);
void fake_server_declare (FakeServer *self, const char *queue);
gboolean fake_server_put (FakeServer *self, const char *queue, GBytes *body);
AmpsQueueDepths *fake_server_count (FakeServer *self, const char *subject);

/* A connection to one, by which @broker consumes a queue. */
typedef struct _FakeSession FakeSession;

FakeSession *fake_session_new (FakeServer *server, const char *subject, AmpsBroker *broker);
void fake_session_free (FakeSession *self);
FakeServer *fake_session_get_server (FakeSession *self);
const char *fake_session_get_subject (FakeSession *self);
void fake_session_consume (FakeSession *self, unsigned int prefetch);
void fake_session_give_back (FakeSession *self);
AmpsSettled fake_session_settle (FakeSession *self, guint64 tag, const AmpsSettlement *settlement,
                                 gboolean rejects);

G_END_DECLS
