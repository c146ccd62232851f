/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

GSource *amps_context_source_new (void);
GMainContext *amps_context_source_add (GSource *source);
void amps_context_source_remove (GSource *source, GMainContext *context);

G_END_DECLS
