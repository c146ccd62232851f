/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-context.h"

G_BEGIN_DECLS

/**
 * AmpsCtlScreen:
 *
 * The whole terminal, to show something that changes. The terminal is given back as it was.
 */
typedef struct _AmpsCtlScreen AmpsCtlScreen;

gboolean amps_ctl_screen_is_possible (AmpsCtlContext *context);

AmpsCtlScreen *amps_ctl_screen_new (AmpsCtlContext *context);
void amps_ctl_screen_free (AmpsCtlScreen *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsCtlScreen, amps_ctl_screen_free)

void amps_ctl_screen_show (AmpsCtlScreen *self, const char *lines);
gboolean amps_ctl_screen_wait (AmpsCtlScreen *self, gint64 duration);
gboolean amps_ctl_screen_has_quit (AmpsCtlScreen *self);

G_END_DECLS
