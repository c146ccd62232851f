/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void assert_strict_json (const char *json, gsize size, unsigned int max_depth, gboolean accepted);

G_END_DECLS
