/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-config-table.h"

G_BEGIN_DECLS

gboolean amps_variable_parse (const AmpsVariableInfo *info, const char *text, gint64 *number,
                              GError **error);
char *amps_variable_format_amount (const AmpsVariableInfo *info, gint64 amount);
char *amps_variable_redact (const AmpsVariableInfo *info, const char *text);
char *amps_variable_redact_path (const char *path);
const char *amps_variable_look_up (const char *const *source, const char *name);

G_END_DECLS
