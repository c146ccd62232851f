/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-log-event.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct _AmpsJob AmpsJob;

/**
 * AmpsLogFormat:
 * @AMPS_LOG_AUTO: text on a terminal, the journal under systemd, else JSON
 * @AMPS_LOG_TEXT: a line for people
 * @AMPS_LOG_JSON: one JSON object a line
 * @AMPS_LOG_JOURNAL: systemd's journal, with fields
 */
typedef enum {
  AMPS_LOG_AUTO,
  AMPS_LOG_TEXT,
  AMPS_LOG_JSON,
  AMPS_LOG_JOURNAL,
} AmpsLogFormat;

/**
 * AmpsLogPlace:
 * @file: a file of the source
 * @line: its line, as text
 * @function: the function there
 * @has_lines: whether the message is several lines of AMPS's own making
 *
 * Where something is logged.
 */
typedef struct {
  const char *file;
  const char *line;
  const char *function;
  gboolean has_lines;
} AmpsLogPlace;

/**
 * AmpsLogLine:
 * @level: a log level
 * @event: what happened
 * @message: in words
 * @job_id: (nullable): the job that it is about
 * @reason: (nullable): a word of a fixed list
 * @trace_id: (nullable): of that job
 *
 * A line of the log.
 */
typedef struct {
  GLogLevelFlags level;
  AmpsLogEvent event;
  const char *message;
  const char *job_id;
  const char *reason;
  const char *trace_id;
} AmpsLogLine;

/**
 * AmpsLogObserver:
 * @line: a line that was logged
 * @user_data: as given
 *
 * Called in the thread that logs, which may be any.
 */
typedef void (*AmpsLogObserver) (const AmpsLogLine *line, gpointer user_data);

void amps_log_set_up (AmpsLogFormat format, gboolean debug, const char *queue);
void amps_log_set_observer (AmpsLogObserver observer, gpointer user_data);
gboolean amps_log_is_debug (void);

void amps_log_write (GLogLevelFlags level, AmpsLogEvent event, AmpsJob *job, const char *reason,
                     const AmpsLogPlace *place, const char *format, ...) G_GNUC_PRINTF (6, 7);

#define amps_log_full(level, event, job, reason, has_lines, ...)                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (G_LOG_LEVEL_##level != G_LOG_LEVEL_DEBUG || amps_log_is_debug ())                          \
      {                                                                                            \
        static const AmpsLogPlace place = { __FILE__, G_STRINGIFY (__LINE__), __func__,            \
                                            has_lines };                                           \
                                                                                                   \
        amps_log_write (G_LOG_LEVEL_##level, AMPS_LOG_EVENT_##event, job, reason, &place,          \
                        __VA_ARGS__);                                                              \
      }                                                                                            \
  }                                                                                                \
  G_STMT_END

/**
 * amps_log:
 * @level: a log level without the `G_LOG_LEVEL_` part: `INFO`, `WARNING`, `DEBUG`
 * @event: a [enum@Amps.LogEvent] without the `AMPS_LOG_EVENT_` part
 * @...: a printf() format and its arguments
 *
 * Logs a line that is about no job. Never put a body or a secret into it.
 */
#define amps_log(level, event, ...) amps_log_full (level, event, NULL, NULL, FALSE, __VA_ARGS__)

/**
 * amps_log_job:
 * @level: likewise
 * @event: likewise
 * @job: an AmpsJob
 * @reason: (nullable): a word of a fixed list
 * @...: a printf() format and its arguments
 *
 * Logs a line that is about one job; its id, queue and trace and the reason become fields.
 * Never put a body or a secret into it.
 */
#define amps_log_job(level, event, job, reason, ...)                                               \
  amps_log_full (level, event, job, reason, FALSE, __VA_ARGS__)

/**
 * amps_log_lines:
 * @level: likewise
 * @event: likewise
 * @text: lines of AMPS's own making
 *
 * Logs one message, which in the text format is a line for each of @text. In a
 * message that is logged otherwise the end of a line is escaped, since a stranger
 * may have put it there.
 */
#define amps_log_lines(level, event, text)                                                         \
  amps_log_full (level, event, NULL, NULL, TRUE, "%s", text)

G_END_DECLS
