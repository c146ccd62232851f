/* SPDX-License-Identifier: MIT */
#pragma once

#include "event/amps-json-scanner.h"

G_BEGIN_DECLS

gboolean plain_json_read_string (AmpsJsonScanner *scanner, AmpsJsonValue *value);
gboolean plain_json_read_value (AmpsJsonScanner *scanner, unsigned int depth, AmpsJsonValue *value);

G_END_DECLS
