/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsEmbeddedWatch:
 *
 * How processes that share a file tell each other that there is something new in
 * it: whoever has committed it touches the write-ahead log, and the others get
 * that from inotify. Its writes would come too early, before the commit is seen.
 */
typedef struct _AmpsEmbeddedWatch AmpsEmbeddedWatch;

AmpsEmbeddedWatch *amps_embedded_watch_new (void);
void amps_embedded_watch_free (AmpsEmbeddedWatch *self);

int amps_embedded_watch_get_fd (AmpsEmbeddedWatch *self);
void amps_embedded_watch_follow (AmpsEmbeddedWatch *self, const char *log);
void amps_embedded_watch_announce (AmpsEmbeddedWatch *self);
void amps_embedded_watch_clear (AmpsEmbeddedWatch *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsEmbeddedWatch, amps_embedded_watch_free)

G_END_DECLS
