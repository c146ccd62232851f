/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gint64 amps_backoff_get_ceiling (gint64 min, gint64 max, unsigned int failures);
gint64 amps_backoff_draw (gint64 min, gint64 max, unsigned int failures);

G_END_DECLS
