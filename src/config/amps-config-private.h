/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-config-table.h"
#include "amps-config.h"

G_BEGIN_DECLS

/* For the files that have parts of the class. */
const char *amps_config_get_text (AmpsConfig *self, AmpsVariable variable);
gint64 amps_config_get_number (AmpsConfig *self, AmpsVariable variable);
char *amps_config_find_otlp_problem (AmpsConfig *self, gboolean *fatal);

G_END_DECLS
