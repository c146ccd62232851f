/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsConnectionWatch:
 *
 * Notices at once when the other side ends one of many connections, whether anybody
 * reads from it or not: with one descriptor and one source for all of them.
 */
typedef struct _AmpsConnectionWatch AmpsConnectionWatch;

/**
 * AmpsConnectionEndedFunc:
 * @user_data: as given
 *
 * One or more connections have been ended by the other side.
 */
typedef void (*AmpsConnectionEndedFunc) (gpointer user_data);

AmpsConnectionWatch *amps_connection_watch_new (AmpsConnectionEndedFunc ended, gpointer user_data);
void amps_connection_watch_free (AmpsConnectionWatch *self);
void amps_connection_watch_add (AmpsConnectionWatch *self, GSocket *socket);
unsigned int amps_connection_watch_get_n_ended (AmpsConnectionWatch *self);
gboolean amps_connection_watch_has_open (AmpsConnectionWatch *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsConnectionWatch, amps_connection_watch_free)

G_END_DECLS
