/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-readiness.h"

#include <gio/gio.h>

G_BEGIN_DECLS

GSource *amps_http_ready_source_new_for_input (GObject *stream, AmpsReadable *readable,
                                               GCancellable *cancellable);
GSource *amps_http_ready_source_new (GObject *stream, int fd, GIOCondition condition,
                                     GCancellable *cancellable);

G_END_DECLS
