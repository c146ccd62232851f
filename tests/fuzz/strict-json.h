/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

unsigned int get_json_depth (const char *json, gsize size);
void assert_strict_json (const char *json, gsize size, unsigned int max_depth, gboolean accepted);

G_END_DECLS
