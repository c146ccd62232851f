/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean amps_config_names_is_service_link (const char *name, const char *value);
char *amps_config_names_guess (const char *name, gboolean ours);
char *amps_config_names_guess_option (const char *argument);
void amps_config_names_check (const char *const *environment, const char *const *dotenv,
                              GPtrArray *warnings);

G_END_DECLS
