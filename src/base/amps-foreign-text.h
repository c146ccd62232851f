/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AMPS_FOREIGN_TEXT_MAX:
 *
 * How many bytes are kept of a text that others wrote.
 */
#define AMPS_FOREIGN_TEXT_MAX 1024

char *amps_foreign_text_dup (const char *text, gssize length);

G_END_DECLS
