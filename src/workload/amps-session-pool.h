/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-pooled-session.h"
#include "base/amps-clock.h"

G_BEGIN_DECLS

/**
 * AmpsSessionPool:
 *
 * As many connections as are needed, a few in each session: at each step of a request a
 * session looks at all its requests and connections. What is not used for 4 s is closed.
 */
typedef struct _AmpsSessionPool AmpsSessionPool;

AmpsSessionPool *amps_session_pool_new (AmpsClock *clock, AmpsEndpoint *endpoint,
                                        AmpsConnectionWatch *watch);
void amps_session_pool_free (AmpsSessionPool *self);
AmpsPooledSession *amps_session_pool_acquire_idle (AmpsSessionPool *self);
AmpsPooledSession *amps_session_pool_acquire_new (AmpsSessionPool *self);
void amps_session_pool_release (AmpsSessionPool *self, AmpsPooledSession *session,
                                SoupMessage *message);
void amps_session_pool_grow (AmpsSessionPool *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsSessionPool, amps_session_pool_free)

G_END_DECLS
