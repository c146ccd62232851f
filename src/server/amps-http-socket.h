/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>
#include <sys/types.h>

G_BEGIN_DECLS

/**
 * AmpsHttpSocket:
 *
 * A TCP port, or the file of a unix socket, at which connections come.
 */
typedef struct _AmpsHttpSocket AmpsHttpSocket;

AmpsHttpSocket *amps_http_socket_new_for_port (guint16 port, GError **error);
AmpsHttpSocket *amps_http_socket_new_for_path (const char *path, mode_t mode, GError **error);
void amps_http_socket_free (AmpsHttpSocket *self);

guint16 amps_http_socket_get_port (AmpsHttpSocket *self);
void amps_http_socket_start (AmpsHttpSocket *self, GSocketSourceFunc incoming, gpointer user_data);
void amps_http_socket_stop (AmpsHttpSocket *self);

GSocket *amps_http_socket_create_silent (GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsHttpSocket, amps_http_socket_free)

G_END_DECLS
