/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-job.h"
#include "base/amps-log.h"

G_BEGIN_DECLS

void amps_job_log_write (GLogLevelFlags level, AmpsLogEvent event, const AmpsLogPlace *place,
                         AmpsJob *job, const char *reason, const char *format, ...)
    G_GNUC_PRINTF (6, 7);

/**
 * amps_log_job:
 * @level: a log level without the `G_LOG_LEVEL_` part: `INFO`, `WARNING`, `DEBUG`
 * @event: a [enum@Amps.LogEvent] without the `AMPS_LOG_EVENT_` part
 * @job: an AmpsJob
 * @reason: (nullable): a word of a fixed list
 * @...: a printf() format and its arguments
 *
 * Logs a line that is about one job; its id, queue and trace and the reason become fields.
 * Never put a body or a secret into it.
 */
#define amps_log_job(level, event, job, reason, ...)                                               \
  amps_log_full (level, event, FALSE, amps_job_log_write, job, reason, __VA_ARGS__)

G_END_DECLS
