/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-endpoint.h"
#include "core/amps-clock.h"

G_BEGIN_DECLS

/**
 * AmpsSessionPool:
 *
 * As many connections as are needed, each in a session of its own: libsoup's
 * queue and its look at idle connections cost with the square of their number.
 * What is not used for 4 s is closed.
 */
typedef struct _AmpsSessionPool AmpsSessionPool;

AmpsSessionPool *amps_session_pool_new (AmpsClock *clock, AmpsEndpoint *endpoint);
void amps_session_pool_free (AmpsSessionPool *self);
SoupSession *amps_session_pool_acquire (AmpsSessionPool *self);
void amps_session_pool_release (AmpsSessionPool *self, SoupSession *session);
void amps_session_pool_send_async (SoupSession *session, SoupMessage *message,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);
gboolean amps_session_pool_connected (AmpsSessionPool *self, SoupSession *session);
gboolean amps_session_pool_overlook_connecting (AmpsSessionPool *self);
void amps_session_pool_grow (AmpsSessionPool *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsSessionPool, amps_session_pool_free)

G_END_DECLS
