/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GSocket *amps_http_socket_listen (guint16 port, GError **error);

G_END_DECLS
