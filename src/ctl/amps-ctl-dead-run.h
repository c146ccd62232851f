/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-context.h"
#include "broker/amps-dead-letters.h"

G_BEGIN_DECLS

gboolean amps_ctl_dead_run (AmpsCtlContext *context, const char *label,
                            AmpsDeadLettersRequest *request, AmpsDeadLettersCounts *counts,
                            GError **error);

G_END_DECLS
