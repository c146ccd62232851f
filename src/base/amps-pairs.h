/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char **amps_pairs_parse (const char *text);

G_END_DECLS
