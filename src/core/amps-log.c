/* SPDX-License-Identifier: MIT */
#include "amps-log.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* GLib has one writer and one debug switch for the whole process; they are
 * all the state there is here. */

#define FIELD_PREFIX "AMPS_"
/* Marks a message that is several lines, of AMPS's own making. */
#define LINES_FIELD "LINES"
#define TIME_LENGTH sizeof ("2026-01-01T00:00:00.000Z")

static const char *
level_to_string (GLogLevelFlags level)
{
  static const struct {
    GLogLevelFlags level;
    const char *name;
  } names[] = {
    { G_LOG_LEVEL_ERROR, "error" },     { G_LOG_LEVEL_CRITICAL, "critical" },
    { G_LOG_LEVEL_WARNING, "warning" }, { G_LOG_LEVEL_MESSAGE, "notice" },
    { G_LOG_LEVEL_INFO, "info" },       { G_LOG_LEVEL_DEBUG, "debug" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    if ((level & names[i].level) != 0)
      return names[i].name;
  return "notice";
}

/* RFC 3339 in UTC with milliseconds. */
static void
format_time (char *buffer)
{
  gint64 now = g_get_real_time ();
  time_t seconds = (time_t) (now / G_USEC_PER_SEC);
  int milliseconds = (int) (now % G_USEC_PER_SEC / 1000);
  struct tm utc;

  gmtime_r (&seconds, &utc);
  size_t length = strftime (buffer, TIME_LENGTH, "%Y-%m-%dT%H:%M:%S", &utc);
  g_snprintf (buffer + length, TIME_LENGTH - length, ".%03dZ", milliseconds);
}

static void
append_json_character (GString *line, gunichar c)
{
  if (c == '"' || c == '\\')
    g_string_append_c (line, '\\');
  g_string_append_unichar (line, c);
}

/* Appends @value so that it can neither end its line or string nor command a
 * terminal: control characters are escaped, and what is not UTF-8 replaced. */
static void
append_value (GString *line, const char *value, gssize length, gboolean json)
{
  g_autofree char *valid = g_utf8_make_valid (value, length);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (c == '\n')
        g_string_append (line, "\\n");
      else if (g_unichar_iscntrl (c) || c == 0x2028 || c == 0x2029)
        g_string_append_printf (line, "\\u%04x", c);
      else if (json)
        append_json_character (line, c);
      else
        g_string_append_unichar (line, c);
    }
}

static void
append_name (GString *line, const char *key)
{
  for (const char *p = key; *p != '\0'; p++)
    g_string_append_c (line, g_ascii_tolower (*p));
}

static void
append_text_field (GString *line, const char *name, const char *value, gssize length)
{
  g_string_append_c (line, ' ');
  append_name (line, name);
  g_string_append_c (line, '=');
  append_value (line, value, length, FALSE);
}

static void
append_json_field (GString *line, const char *name, const char *value, gssize length)
{
  g_string_append (line, ",\"");
  append_name (line, name);
  g_string_append (line, "\":\"");
  append_value (line, value, length, TRUE);
  g_string_append_c (line, '"');
}

static const GLogField *
find_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, key) == 0)
      return &fields[i];
  return NULL;
}

static gboolean
is_foreign (const GLogField *domain)
{
  return domain != NULL && domain->length < 0 && g_strcmp0 (domain->value, G_LOG_DOMAIN) != 0;
}

/* One write(2), so that lines of several threads stay whole. What the reader
 * does not take is lost: a log must not stop the work. */
static GLogWriterOutput
write_line (GString *line)
{
  size_t written = 0;

  g_string_append_c (line, '\n');
  while (written < line->len)
    {
      ssize_t n = write (STDERR_FILENO, line->str + written, line->len - written);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return G_LOG_WRITER_UNHANDLED;
      written += (size_t) n;
    }

  return G_LOG_WRITER_HANDLED;
}

/* DEBUG is for jobs, and not for what libraries say to their own authors. */
static gboolean
is_dropped (GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  return (level & G_LOG_LEVEL_DEBUG) != 0 &&
         (!amps_log_is_debug () || is_foreign (find_field (fields, n_fields, "GLIB_DOMAIN")));
}

static GLogWriterOutput
write_as (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gboolean json)
{
  g_autoptr (GString) line = g_string_sized_new (256);
  const GLogField *message = find_field (fields, n_fields, "MESSAGE");
  const GLogField *domain = find_field (fields, n_fields, "GLIB_DOMAIN");
  char time[TIME_LENGTH];

  format_time (time);
  g_string_append_printf (line,
                          json ? "{\"ts\":\"%s\",\"level\":\"%s\",\"message\":\"" : "%s %-8s ",
                          time, level_to_string (level));
  if (message != NULL)
    append_value (line, message->value, message->length, json);
  if (json)
    g_string_append_c (line, '"');

  void (*append_field) (GString *, const char *, const char *, gssize) =
      json ? append_json_field : append_text_field;

  if (is_foreign (domain))
    append_field (line, "domain", domain->value, domain->length);
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_has_prefix (fields[i].key, FIELD_PREFIX))
      append_field (line, fields[i].key + strlen (FIELD_PREFIX), fields[i].value, fields[i].length);

  if (json)
    g_string_append_c (line, '}');
  return write_line (line);
}

/* Each line for itself, as if it had been logged alone. */
static GLogWriterOutput
write_lines (GLogLevelFlags level, const char *message)
{
  g_auto (GStrv) lines = g_strsplit (message, "\n", -1);
  g_autoptr (GString) text = g_string_sized_new (4096);
  char time[TIME_LENGTH];

  format_time (time);
  for (char **line = lines; *line != NULL; line++)
    {
      if (text->len > 0)
        g_string_append_c (text, '\n');
      g_string_append_printf (text, "%s %-8s ", time, level_to_string (level));
      append_value (text, *line, -1, FALSE);
    }

  return write_line (text);
}

static GLogWriterOutput
write_text (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
            gpointer user_data G_GNUC_UNUSED)
{
  const GLogField *message = find_field (fields, n_fields, "MESSAGE");

  if (message != NULL && find_field (fields, n_fields, LINES_FIELD) != NULL)
    return write_lines (level, message->value);
  return is_dropped (level, fields, n_fields) ? G_LOG_WRITER_HANDLED
                                              : write_as (level, fields, n_fields, FALSE);
}

static GLogWriterOutput
write_json (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
            gpointer user_data G_GNUC_UNUSED)
{
  return is_dropped (level, fields, n_fields) ? G_LOG_WRITER_HANDLED
                                              : write_as (level, fields, n_fields, TRUE);
}

static GLogWriterOutput
write_journal (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
               gpointer user_data G_GNUC_UNUSED)
{
  if (is_dropped (level, fields, n_fields))
    return G_LOG_WRITER_HANDLED;
  if (g_log_writer_journald (level, fields, n_fields, NULL) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;
  return write_as (level, fields, n_fields, TRUE);
}

static GLogWriterFunc
choose_writer (AmpsLogFormat format)
{
  static const GLogWriterFunc writers[] = {
    [AMPS_LOG_TEXT] = write_text,
    [AMPS_LOG_JSON] = write_json,
    [AMPS_LOG_JOURNAL] = write_journal,
  };

  if (format != AMPS_LOG_AUTO)
    return writers[format];
  if (isatty (STDERR_FILENO))
    return write_text;
  return g_log_writer_is_journald (STDERR_FILENO) ? write_journal : write_json;
}

/**
 * amps_log_set_up:
 * @format: how lines look
 * @debug: whether debug lines are written
 *
 * Sends the log of this process to stderr (or the journal), that of GLib and
 * of other libraries too. To be called once, before other threads start: GLib
 * takes one writer in the life of a process.
 */
void
amps_log_set_up (AmpsLogFormat format, gboolean debug)
{
  g_return_if_fail (format <= AMPS_LOG_JOURNAL);

  g_log_set_debug_enabled (debug);
  g_log_set_writer_func (choose_writer (format), NULL, NULL);
}

/**
 * amps_log_is_debug:
 *
 * Tells whether a debug line would be written, which is asked before one is
 * formatted. Cheap, and callable from any thread.
 *
 * Returns: whether the debug log is on
 */
gboolean
amps_log_is_debug (void)
{
  return g_log_get_debug_enabled ();
}

/**
 * amps_log_write_job:
 * @level: a log level
 * @file: where this is called
 * @line: where this is called
 * @function: where this is called
 * @id: (nullable): the job's id
 * @format: a printf() format
 * @...: its arguments
 *
 * For [func@Amps.log_job] alone.
 */
void
amps_log_write_job (GLogLevelFlags level, const char *file, const char *line, const char *function,
                    const char *id, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  /* No writer bears a field without a value. */
  if (id != NULL)
    g_log_structured (G_LOG_DOMAIN, level, "AMPS_JOB_ID", id, "CODE_FILE", file, "CODE_LINE", line,
                      "CODE_FUNC", function, "MESSAGE", "%s", message);
  else
    g_log_structured (G_LOG_DOMAIN, level, "CODE_FILE", file, "CODE_LINE", line, "CODE_FUNC",
                      function, "MESSAGE", "%s", message);
}

/**
 * amps_log_lines:
 * @level: a log level
 * @text: lines of AMPS's own making
 *
 * Logs one message, which in the text format is a line for each of @text. In a
 * message that is logged otherwise the end of a line is escaped, since a stranger
 * may have put it there.
 */
void
amps_log_lines (GLogLevelFlags level, const char *text)
{
  g_log_structured (G_LOG_DOMAIN, level, LINES_FIELD, "1", "MESSAGE", "%s", text);
}
