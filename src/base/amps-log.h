/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-log-event.h"

#include <glib.h>

G_BEGIN_DECLS

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
 * AmpsLogJob:
 * @id: its identifier
 * @trace_id: (nullable): the trace that it is in
 * @span_id: (nullable): AMPS's own span in it
 *
 * A job that a line of the log is about.
 */
typedef struct {
  const char *id;
  const char *trace_id;
  const char *span_id;
} AmpsLogJob;

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

void amps_log_write (GLogLevelFlags level, AmpsLogEvent event, const AmpsLogPlace *place,
                     const char *format, ...) G_GNUC_PRINTF (4, 5);
void amps_log_write_valist (GLogLevelFlags level, AmpsLogEvent event, const AmpsLogPlace *place,
                            const AmpsLogJob *job, const char *reason, const char *format,
                            va_list arguments) G_GNUC_PRINTF (6, 0);

#define amps_log_full(level, event, has_lines, write, ...)                                         \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (G_LOG_LEVEL_##level != G_LOG_LEVEL_DEBUG || amps_log_is_debug ())                          \
      {                                                                                            \
        static const AmpsLogPlace place = { __FILE__, G_STRINGIFY (__LINE__), __func__,            \
                                            has_lines };                                           \
                                                                                                   \
        write (G_LOG_LEVEL_##level, AMPS_LOG_EVENT_##event, &place, __VA_ARGS__);                  \
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
#define amps_log(level, event, ...) amps_log_full (level, event, FALSE, amps_log_write, __VA_ARGS__)

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
  amps_log_full (level, event, TRUE, amps_log_write, "%s", text)

G_END_DECLS
