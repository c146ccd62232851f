/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsCtlProgress:
 *
 * How far something has come, on standard error, if that is a terminal.
 */
typedef struct _AmpsCtlProgress AmpsCtlProgress;

AmpsCtlProgress *amps_ctl_progress_new (const char *label, guint64 total);
void amps_ctl_progress_free (AmpsCtlProgress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsCtlProgress, amps_ctl_progress_free)

void amps_ctl_progress_set_total (AmpsCtlProgress *self, guint64 total);
void amps_ctl_progress_set_done (AmpsCtlProgress *self, guint64 done);
void amps_ctl_progress_hide (AmpsCtlProgress *self);

char *amps_ctl_progress_format (const char *label, guint64 done, guint64 total, gint64 elapsed,
                                unsigned int width);

G_END_DECLS
