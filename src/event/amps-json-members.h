/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-json-scanner.h"

G_BEGIN_DECLS

gboolean amps_json_members_read (AmpsJsonScanner *scanner, unsigned int depth,
                                 const char *const *names, AmpsJsonValue *values,
                                 unsigned int n_members);

G_END_DECLS
