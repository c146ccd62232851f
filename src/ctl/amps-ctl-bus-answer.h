/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

JsonNode *amps_ctl_bus_answer_details (GVariant *answer);
JsonNode *amps_ctl_bus_answer_ready (GVariant *answer);
JsonNode *amps_ctl_bus_answer_jobs (GVariant *answer);
JsonNode *amps_ctl_bus_answer_deadline (GVariant *answer);
JsonNode *amps_ctl_bus_answer_nothing (GVariant *answer);

G_END_DECLS
