/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

GSource *amps_context_source_new (void);
GMainContext *amps_context_source_get_nested (GSource *source);
void amps_context_source_end (GSource *source);

G_END_DECLS
