/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * AmpsHttpConnection:
 *
 * The stream that a SoupServer reads requests from and writes answers to: a
 * TCP connection that knows whether it is between two requests.
 */
#define AMPS_TYPE_HTTP_CONNECTION (amps_http_connection_get_type ())
G_DECLARE_FINAL_TYPE (AmpsHttpConnection, amps_http_connection, AMPS, HTTP_CONNECTION, GIOStream)

AmpsHttpConnection *amps_http_connection_new (GSocket *socket, GError **error);
AmpsHttpConnection *amps_http_connection_from_message (SoupServerMessage *message);

GSocket *amps_http_connection_get_socket (AmpsHttpConnection *self);
GSocketAddress *amps_http_connection_get_local_address (AmpsHttpConnection *self);
GSocketAddress *amps_http_connection_get_remote_address (AmpsHttpConnection *self);

void amps_http_connection_set_idle (AmpsHttpConnection *self, gboolean idle);
gboolean amps_http_connection_is_idle (AmpsHttpConnection *self);
void amps_http_connection_set_due (AmpsHttpConnection *self, gint64 due);
gint64 amps_http_connection_get_due (AmpsHttpConnection *self);
void amps_http_connection_end (AmpsHttpConnection *self);

G_END_DECLS
