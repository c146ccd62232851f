/* SPDX-License-Identifier: MIT */
#include "amps-config-table.h"

#include <glib/gi18n.h>

#define SECOND G_USEC_PER_SEC
#define YEAR (G_GINT64_CONSTANT (365) * 86400 * SECOND)
#define MIB (1024 * 1024)
#define TIB (G_GINT64_CONSTANT (1024) * 1024 * MIB)
#define RANGE(from, to) .minimum = (from), .maximum = (to)

const AmpsVariableInfo amps_variables[N_VARIABLES] = {
#define INNER_SETTING(NAME, KIND, ...) [VARIABLE_##NAME] = { #NAME, KIND_##KIND, __VA_ARGS__ },
#define SETTING(NAME, type, getter, KIND, ...) INNER_SETTING (NAME, KIND, __VA_ARGS__)
#include "amps-config-settings.h"
};
