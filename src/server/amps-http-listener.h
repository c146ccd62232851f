/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"

#include <gio/gio.h>
#include <libsoup/soup.h>
#include <sys/types.h>

G_BEGIN_DECLS

/**
 * AmpsHttpListenerFuncs:
 * @check: called when the headers have come; refuses the request by setting a status
 * @handle: called when the body has come too, unless @check refused
 * @answered: (nullable): called when the answer was sent, also that of a refusal; not
 *   when the client went before. There is no message if what came is no request that
 *   AMPS reads
 *
 * What is done with requests, in the main thread.
 */
typedef struct {
  void (*check) (SoupServerMessage *message, const char *path, gpointer user_data);
  void (*handle) (SoupServerMessage *message, const char *path, gpointer user_data);
  void (*answered) (SoupServerMessage *message, unsigned int status, gpointer user_data);
} AmpsHttpListenerFuncs;

/**
 * AmpsHttpListener:
 *
 * A TCP port, and perhaps a unix socket, that speaks HTTP, for peers that may be slow,
 * greedy or broken.
 */
#define AMPS_TYPE_HTTP_LISTENER (amps_http_listener_get_type ())
G_DECLARE_FINAL_TYPE (AmpsHttpListener, amps_http_listener, AMPS, HTTP_LISTENER, GObject)

AmpsHttpListener *amps_http_listener_new (AmpsClock *clock, unsigned int max_connections,
                                          gsize max_body_size, const AmpsHttpListenerFuncs *funcs,
                                          gpointer user_data);

gboolean amps_http_listener_listen (AmpsHttpListener *self, guint16 port, GError **error);
gboolean amps_http_listener_listen_at (AmpsHttpListener *self, const char *path, mode_t mode,
                                       GError **error);
guint16 amps_http_listener_get_port (AmpsHttpListener *self);
unsigned int amps_http_listener_get_n_connections (AmpsHttpListener *self);
void amps_http_listener_stop (AmpsHttpListener *self);

void amps_http_listener_pause (AmpsHttpListener *self, SoupServerMessage *message);
gboolean amps_http_listener_charge (AmpsHttpListener *self, SoupServerMessage *message, gsize size,
                                    GError **error);
void amps_http_listener_unpause (AmpsHttpListener *self, SoupServerMessage *message);

G_END_DECLS
