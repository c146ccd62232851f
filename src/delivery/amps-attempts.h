/* SPDX-License-Identifier: MIT */
#pragma once

#include "config/amps-config.h"
#include "jobs/amps-job.h"

G_BEGIN_DECLS

/* What the settings say of the attempts of a job. */

gboolean amps_attempts_are_used_up (AmpsConfig *config, AmpsJob *job);
gint64 amps_attempts_draw_delay (AmpsConfig *config, AmpsJob *job, gint64 retry_after);

G_END_DECLS
