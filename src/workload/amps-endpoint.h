/* SPDX-License-Identifier: MIT */
#pragma once

#include "config/amps-config.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * AmpsEndpoint:
 *
 * Where the workload is, and what is needed to talk to it: a socket's path, a
 * password, certificates.
 */
#define AMPS_TYPE_ENDPOINT (amps_endpoint_get_type ())
G_DECLARE_FINAL_TYPE (AmpsEndpoint, amps_endpoint, AMPS, ENDPOINT, GObject)

AmpsEndpoint *amps_endpoint_new (AmpsConfig *config);

SoupSession *amps_endpoint_create_session (AmpsEndpoint *self, unsigned int n_connections,
                                           unsigned int timeout);
SoupMessage *amps_endpoint_create_message (AmpsEndpoint *self, const char *method,
                                           const char *path);
GError *amps_endpoint_explain_failure (AmpsEndpoint *self, SoupMessage *message,
                                       const GError *error);
gboolean amps_endpoint_is_tls (AmpsEndpoint *self);
void amps_endpoint_connect_async (AmpsEndpoint *self, unsigned int timeout,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data);
void amps_endpoint_look_async (AmpsEndpoint *self, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
gboolean amps_endpoint_connect_finish (AmpsEndpoint *self, GAsyncResult *result, GError **error);

G_END_DECLS
