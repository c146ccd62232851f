/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsLifecycle:
 *
 * Whether AMPS starts, runs, is paused, drains, stops or has stopped: the one place that
 * knows. A drain means that jobs in flight are finished, or in a hurry that those are given
 * back, too. When the process is to end it can't be undone.
 */
#define AMPS_TYPE_LIFECYCLE (amps_lifecycle_get_type ())
G_DECLARE_FINAL_TYPE (AmpsLifecycle, amps_lifecycle, AMPS, LIFECYCLE, GObject)

AmpsLifecycle *amps_lifecycle_new (void);

void amps_lifecycle_note_ready (AmpsLifecycle *self);
void amps_lifecycle_pause (AmpsLifecycle *self);
void amps_lifecycle_drain (AmpsLifecycle *self);
gboolean amps_lifecycle_resume (AmpsLifecycle *self, GError **error);
void amps_lifecycle_stop (AmpsLifecycle *self);
void amps_lifecycle_hurry (AmpsLifecycle *self);
gboolean amps_lifecycle_end (AmpsLifecycle *self);

const char *amps_lifecycle_get_state (AmpsLifecycle *self);
gboolean amps_lifecycle_is_paused (AmpsLifecycle *self);
gboolean amps_lifecycle_is_draining (AmpsLifecycle *self);
gboolean amps_lifecycle_is_hurried (AmpsLifecycle *self);
gboolean amps_lifecycle_is_stopping (AmpsLifecycle *self);

G_END_DECLS
