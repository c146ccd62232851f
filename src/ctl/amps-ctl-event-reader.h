/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-context.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsCtlEventReader:
 *
 * Reads events, as bytes, out of one of these: one event; a JSON array of events; lines with an
 * event each (NDJSON), of which there may be more than would fit into memory.
 */
#define AMPS_CTL_TYPE_EVENT_READER (amps_ctl_event_reader_get_type ())
G_DECLARE_FINAL_TYPE (AmpsCtlEventReader, amps_ctl_event_reader, AMPS_CTL, EVENT_READER, GObject)

AmpsCtlEventReader *amps_ctl_event_reader_new (AmpsCtlContext *context, GInputStream *stream);
AmpsCtlEventReader *amps_ctl_event_reader_open (AmpsCtlContext *context, const char *path,
                                                GError **error);

gboolean amps_ctl_event_reader_read (AmpsCtlEventReader *self, GBytes **event, GError **error);
guint64 amps_ctl_event_reader_get_position (AmpsCtlEventReader *self);
gboolean amps_ctl_event_reader_has_lines (AmpsCtlEventReader *self);

G_END_DECLS
