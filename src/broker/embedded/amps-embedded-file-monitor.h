/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsEmbeddedFileMonitor:
 *
 * How processes that share a file tell each other that there is something new in
 * it: whoever has committed it touches the write-ahead log, and the others get
 * that from inotify. Its writes would come too early, before the commit is seen.
 */
typedef struct _AmpsEmbeddedFileMonitor AmpsEmbeddedFileMonitor;

AmpsEmbeddedFileMonitor *amps_embedded_file_monitor_new (void);
void amps_embedded_file_monitor_free (AmpsEmbeddedFileMonitor *self);

int amps_embedded_file_monitor_get_fd (AmpsEmbeddedFileMonitor *self);
void amps_embedded_file_monitor_follow (AmpsEmbeddedFileMonitor *self, const char *log);
void amps_embedded_file_monitor_announce (AmpsEmbeddedFileMonitor *self);
void amps_embedded_file_monitor_clear (AmpsEmbeddedFileMonitor *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsEmbeddedFileMonitor, amps_embedded_file_monitor_free)

G_END_DECLS
