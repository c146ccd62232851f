/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gint64 peak_get_kib (void);

G_END_DECLS
