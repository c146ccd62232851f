/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean amps_secret_read (const char *path, char **text, GError **error);

G_END_DECLS
