/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

gboolean amps_embedded_set_error (GError **error, sqlite3 *database);

G_END_DECLS
