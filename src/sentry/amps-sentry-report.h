/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-log.h"
#include "base/amps-mailbox.h"

G_BEGIN_DECLS

/**
 * AmpsSentryReport:
 * @mail: comes first: another thread may have logged it
 * @level: a log level
 * @event: what happened
 * @time: µs since 1970
 * @message: owned; in words
 * @job_id: (nullable): owned; the job that it is about
 * @reason: (nullable): owned; a word of a fixed list
 * @trace_id: (nullable): owned; of that job
 * @n_silenced: how many of its kind were not reported before it
 *
 * A line of the log that is to be reported.
 */
typedef struct {
  AmpsMail mail;
  GLogLevelFlags level;
  AmpsLogEvent event;
  gint64 time;
  char *message;
  char *job_id;
  char *reason;
  char *trace_id;
  unsigned int n_silenced;
} AmpsSentryReport;

/**
 * AmpsSentrySource:
 * @environment: the setting
 * @worker: this AMPS
 * @queue: its queue
 *
 * What is the same in all reports.
 */
typedef struct {
  const char *environment;
  const char *worker;
  const char *queue;
} AmpsSentrySource;

AmpsSentryReport *amps_sentry_report_new (const AmpsLogLine *line);
void amps_sentry_report_free (AmpsSentryReport *self);
GBytes *amps_sentry_report_to_envelope (const AmpsSentryReport *self,
                                        const AmpsSentrySource *source);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsSentryReport, amps_sentry_report_free)

G_END_DECLS
