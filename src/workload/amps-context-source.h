/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef void (*AmpsContextSourceFunc) (gpointer user_data);

GSource *amps_context_source_new (void);
GMainContext *amps_context_source_add (GSource *source);
void amps_context_source_remove (GSource *source, GMainContext *context);
void amps_context_source_run (GSource *source, GMainContext *context);
void amps_context_source_wake (GSource *source, GMainContext *context);
void amps_context_source_call (GSource *source, AmpsContextSourceFunc func, gpointer user_data);

G_END_DECLS
