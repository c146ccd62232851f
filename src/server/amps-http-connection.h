/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-http-admission.h"
#include "amps-http-framing.h"
#include "base/amps-clock.h"
#include "base/amps-readiness.h"

#include <gio/gio.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * AmpsHttpConnection:
 *
 * The stream that a SoupServer reads requests from and writes answers to: a
 * TCP or unix connection that knows whether it is between two requests, and of which a
 * SoupServer sees nothing but good requests.
 */
#define AMPS_TYPE_HTTP_CONNECTION (amps_http_connection_get_type ())
G_DECLARE_FINAL_TYPE (AmpsHttpConnection, amps_http_connection, AMPS, HTTP_CONNECTION, GIOStream)

/**
 * AmpsHttpConnectionRefuse:
 * @connection: a connection
 * @problem: what is wrong with what came by it
 * @user_data: what was passed to amps_http_connection_new()
 *
 * Answers in libsoup's place, after the answers to what came before.
 */
typedef void (*AmpsHttpConnectionRefuse) (AmpsHttpConnection *connection,
                                          const AmpsHttpProblem *problem, gpointer user_data);

AmpsHttpConnection *amps_http_connection_new (GSocket *socket, AmpsClock *clock,
                                              AmpsReadiness *readiness, gsize max_body_size,
                                              AmpsHttpConnectionRefuse refuse, gpointer user_data,
                                              GError **error);
AmpsHttpConnection *amps_http_connection_from_message (SoupServerMessage *message);

GSocket *amps_http_connection_take (AmpsHttpConnection *self);
GSocketAddress *amps_http_connection_get_local_address (AmpsHttpConnection *self);
GSocketAddress *amps_http_connection_get_remote_address (AmpsHttpConnection *self);

const AmpsHttpStanding *amps_http_connection_get_standing (AmpsHttpConnection *self);
void amps_http_connection_set_stage (AmpsHttpConnection *self, AmpsHttpStage stage);
gboolean amps_http_connection_is_late (AmpsHttpConnection *self);
void amps_http_connection_end (AmpsHttpConnection *self);
void amps_http_connection_abort (AmpsHttpConnection *self);

G_END_DECLS
