/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsLogThrottle:
 *
 * Keeps something that is tried again and again from filling the log.
 */
typedef struct _AmpsLogThrottle AmpsLogThrottle;

AmpsLogThrottle *amps_log_throttle_new (void);
void amps_log_throttle_free (AmpsLogThrottle *self);
char *amps_log_throttle_note (AmpsLogThrottle *self, const char *problem, gint64 now);
void amps_log_throttle_end (AmpsLogThrottle *self);

G_END_DECLS
