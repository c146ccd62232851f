/* SPDX-License-Identifier: MIT */
#pragma once

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

void amps_log_set_up (AmpsLogFormat format, gboolean debug);
gboolean amps_log_is_debug (void);
void amps_log_lines (GLogLevelFlags level, const char *text);

void amps_log_write_job (GLogLevelFlags level, const char *file, const char *line,
                         const char *function, const char *id, const char *format, ...)
    G_GNUC_PRINTF (6, 7);

/**
 * amps_log_job:
 * @level: a log level without the `G_LOG_LEVEL_` part: `INFO`, `WARNING`, `DEBUG`
 * @id: (nullable): the job's id; %NULL when malformed
 * @...: a printf() format and its arguments
 *
 * Logs a line that is about one job; the id becomes the field AMPS_JOB_ID.
 * Never put a body or a secret into it.
 */
#define amps_log_job(level, id, ...)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (G_LOG_LEVEL_##level != G_LOG_LEVEL_DEBUG || amps_log_is_debug ())                          \
      amps_log_write_job (G_LOG_LEVEL_##level, __FILE__, G_STRINGIFY (__LINE__), G_STRFUNC, (id),  \
                          __VA_ARGS__);                                                            \
  }                                                                                                \
  G_STMT_END

G_END_DECLS
