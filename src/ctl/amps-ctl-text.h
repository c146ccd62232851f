/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *amps_ctl_text_clean (const char *text);
unsigned int amps_ctl_text_get_width (const char *text);
void amps_ctl_text_append (GString *line, const char *text, unsigned int width, gboolean right);
void amps_ctl_text_append_wrapped (GString *lines, const char *text, unsigned int indent,
                                   unsigned int width);

G_END_DECLS
