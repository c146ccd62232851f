/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-json-scanner.h"

G_BEGIN_DECLS

gboolean amps_event_attribute_check (const char *name, const AmpsJsonValue *value, char **text,
                                     GError **error);
gboolean amps_event_attribute_check_base64 (const AmpsJsonValue *value, GError **error);

G_END_DECLS
