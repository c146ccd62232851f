/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsReadiness:
 *
 * Tells which of many descriptors can be read from, by one descriptor of the main loop. GLib
 * wakes up the loop for each source with a descriptor that is attached, dispatched or
 * destroyed. Here a descriptor is watched once for as long as it is open, and sources that
 * come and go ask for what is known of it.
 */
typedef struct _AmpsReadiness AmpsReadiness;

/**
 * AmpsReadable:
 *
 * A descriptor, and whether it may be read from.
 */
typedef struct _AmpsReadable AmpsReadable;

AmpsReadiness *amps_readiness_new (void);
void amps_readiness_free (AmpsReadiness *self);
AmpsReadable *amps_readiness_watch (AmpsReadiness *self, int fd);

AmpsReadable *amps_readable_ref (AmpsReadable *self);
void amps_readable_unref (AmpsReadable *self);
void amps_readable_forget (AmpsReadable *self);
gssize amps_readable_receive (AmpsReadable *self, void *buffer, gsize size);
gboolean amps_readable_is_watched (AmpsReadable *self);
gboolean amps_readable_is_ready (AmpsReadable *self);
int amps_readable_get_fd (AmpsReadable *self);

G_END_DECLS
