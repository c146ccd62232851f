/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define AMPS_TYPE_BODY_STREAM (amps_body_stream_get_type ())
G_DECLARE_FINAL_TYPE (AmpsBodyStream, amps_body_stream, AMPS, BODY_STREAM, GMemoryInputStream)

AmpsBodyStream *amps_body_stream_new (GBytes *body);
gsize amps_body_stream_get_size (AmpsBodyStream *self);
void amps_body_stream_set_socket (AmpsBodyStream *self, GSocket *socket);

G_END_DECLS
