/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Returns: whether @c is a letter, a digit or one of others that strings often have, which
 * is neither an escape nor a quote */
static inline gboolean
amps_json_text_is_plain (char c)
{
  return (gint8) c >= '-' && c != '\\';
}

const char *amps_json_text_skip (const char *at, const char *end, gboolean *escaped);

G_END_DECLS
