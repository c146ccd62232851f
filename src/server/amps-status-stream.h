/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-http-listener.h"
#include "base/amps-clock.h"

G_BEGIN_DECLS

/**
 * AMPS_STATUS_STREAM_MAX_VIEWERS:
 *
 * How many viewers there may be: an eighth of all connections.
 */
#define AMPS_STATUS_STREAM_MAX_VIEWERS 128

/**
 * AmpsStatusStreamFuncs:
 * @greet: makes what a new viewer gets first
 * @look: makes what all viewers get then
 *
 * What a stream consists of. Each returns (transfer full) whole events of
 * `text/event-stream`.
 */
typedef struct {
  GBytes *(*greet) (gpointer user_data);
  GBytes *(*look) (gpointer user_data);
} AmpsStatusStreamFuncs;

/**
 * AmpsStatusStream:
 *
 * Answers that never end: a look at AMPS once a second, made once for all who watch.
 * While nobody watches it does nothing.
 */
typedef struct _AmpsStatusStream AmpsStatusStream;

AmpsStatusStream *amps_status_stream_new (AmpsClock *clock, AmpsHttpListener *listener,
                                          const AmpsStatusStreamFuncs *funcs, gpointer user_data);
void amps_status_stream_free (AmpsStatusStream *self);
gboolean amps_status_stream_add (AmpsStatusStream *self, SoupServerMessage *message,
                                 GError **error);
unsigned int amps_status_stream_get_n_viewers (const AmpsStatusStream *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsStatusStream, amps_status_stream_free)

G_END_DECLS
