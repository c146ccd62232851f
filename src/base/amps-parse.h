/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean amps_parse_duration (const char *text, gint64 *microseconds, GError **error);
gboolean amps_parse_boolean (const char *text, gboolean *value, GError **error);
gboolean amps_parse_size (const char *text, guint64 *bytes, GError **error);
gboolean amps_parse_unsigned (const char *text, guint64 *value, GError **error);

G_END_DECLS
