/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A web server with threads of its own that answers each request with the same
 * bytes, whatever they are: for answers that no library would give. */
typedef struct _RawServer RawServer;

RawServer *raw_server_new (GSocketAddress *address);
void raw_server_free (RawServer *self);
guint16 raw_server_get_port (RawServer *self);

void raw_server_reply (RawServer *self, const char *reply);
void raw_server_answer_once (RawServer *self, gboolean once);
void raw_server_hold (RawServer *self, gboolean hold);
unsigned int raw_server_get_n_requests (RawServer *self);
void raw_server_wait_for_requests (RawServer *self, unsigned int count);
unsigned int raw_server_get_n_connections (RawServer *self);
unsigned int raw_server_get_n_segments (RawServer *self);
char *raw_server_dup_last_request (RawServer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RawServer, raw_server_free)

G_END_DECLS
