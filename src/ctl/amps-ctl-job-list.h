/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-api.h"

G_BEGIN_DECLS

JsonNode *amps_ctl_job_list_ask (AmpsCtlApi *api, AmpsCtlContext *context, guint64 limit,
                                 GError **error);
void amps_ctl_job_list_render (JsonNode *jobs, AmpsCtlOutput *output, GString *lines,
                               unsigned int width);
guint64 amps_ctl_job_list_count_missing (JsonNode *jobs);

char *amps_ctl_job_list_format_duration (gint64 microseconds);

G_END_DECLS
