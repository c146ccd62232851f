/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-connection-watch.h"
#include "amps-context-source.h"
#include "amps-endpoint.h"

G_BEGIN_DECLS

/**
 * AmpsPooledSession:
 *
 * A few connections to the workload that share a session of libsoup and a main
 * context, and since when each that is not used is idle.
 *
 * It is libsoup that chooses the connection for a request. So the one that is told of
 * as the last to be used may not be it, but none has been idle for longer than is told.
 */
typedef struct _AmpsPooledSession AmpsPooledSession;

AmpsPooledSession *amps_pooled_session_new (AmpsEndpoint *endpoint, GSource *context_source,
                                            GMainContext *context, unsigned int size,
                                            AmpsConnectionWatch *watch);
void amps_pooled_session_free (AmpsPooledSession *self);

gboolean amps_pooled_session_is_shared (AmpsPooledSession *self);
gboolean amps_pooled_session_has_room (AmpsPooledSession *self);
gint64 amps_pooled_session_get_idle_since (AmpsPooledSession *self);
void amps_pooled_session_take_new (AmpsPooledSession *self);
void amps_pooled_session_take_idle (AmpsPooledSession *self);
void amps_pooled_session_set_alone (AmpsPooledSession *self, gboolean alone);
void amps_pooled_session_give_back (AmpsPooledSession *self, SoupMessage *message, gint64 now);
unsigned int amps_pooled_session_close_idle (AmpsPooledSession *self);
gboolean amps_pooled_session_is_empty (AmpsPooledSession *self);

void amps_pooled_session_send_async (AmpsPooledSession *self, SoupMessage *message,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data);
void amps_pooled_session_wake (AmpsPooledSession *self);
void amps_pooled_session_call (AmpsPooledSession *self, AmpsContextSourceFunc func,
                               gpointer user_data);
GSocket *amps_pooled_session_get_socket (AmpsPooledSession *self, SoupMessage *message);
void amps_pooled_session_end_sending (AmpsPooledSession *self, SoupMessage *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsPooledSession, amps_pooled_session_free)

G_END_DECLS
