/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gint64 amps_retry_after_parse (const char *value);

G_END_DECLS
