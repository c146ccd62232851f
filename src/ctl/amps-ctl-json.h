/* SPDX-License-Identifier: MIT */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

JsonNode *amps_ctl_json_take_object (JsonObject *object);
JsonObject *amps_ctl_json_get_object (JsonObject *object, const char *name);
const char *amps_ctl_json_get_text (JsonObject *object, const char *name);
gint64 amps_ctl_json_get_number (JsonObject *object, const char *name, gint64 fallback);
gint64 amps_ctl_json_get_time (JsonObject *object, const char *name);

G_END_DECLS
