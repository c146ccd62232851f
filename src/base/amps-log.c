/* SPDX-License-Identifier: MIT */
#include "amps-log.h"

#include "amps-timestamp.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* GLib has one writer and one debug switch for the whole process; they, and what that writer
 * was told, are all the state there is here. */

static AmpsLogObserver log_observer; /* (nullable); atomic */
static gpointer observer_data;
static char *queue_name; /* (owned) (nullable) set before other threads start, and never changed */

#define FIELD_PREFIX "AMPS_"
#define EVENT_FIELD "AMPS_EVENT"
#define JOB_FIELD "AMPS_JOB_ID"
#define MAX_FIELDS 16
#define N_EVENT_FIELDS 2
/* Marks a message that is several lines, of AMPS's own making. */
#define LINES_FIELD "LINES"

typedef struct {
  GLogLevelFlags level;
  const char *name;
  const char *priority; /* syslog's, as GLib maps them */
} Level;

static const Level levels[] = {
  { G_LOG_LEVEL_ERROR, "error", "3" },     { G_LOG_LEVEL_CRITICAL, "critical", "4" },
  { G_LOG_LEVEL_WARNING, "warning", "4" }, { G_LOG_LEVEL_INFO, "info", "6" },
  { G_LOG_LEVEL_DEBUG, "debug", "7" },     { G_LOG_LEVEL_MESSAGE, "notice", "5" },
};

/* What is none of these, as a library's own may be, is a notice. */
static const Level *
find_level (GLogLevelFlags level)
{
  size_t i = 0;

  while (i < G_N_ELEMENTS (levels) - 1 && (level & levels[i].level) == 0)
    i++;
  return &levels[i];
}

typedef struct {
  GLogField items[MAX_FIELDS];
  gsize n_items;
} Fields;

/* No writer takes a field without a value. */
static void
add_field (Fields *fields, const char *key, const char *value)
{
  if (value == NULL)
    return;

  g_return_if_fail (fields->n_items < MAX_FIELDS);

  fields->items[fields->n_items++] = (GLogField){ key, value, -1 };
}

static void
log_add_event (Fields *fields, AmpsLogEvent event)
{
  add_field (fields, EVENT_FIELD, amps_log_event_to_string (event));
  add_field (fields, "MESSAGE_ID", amps_log_event_get_message_id (event));
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
log_append_name (GString *line, const char *key)
{
  for (const char *p = key; *p != '\0'; p++)
    g_string_append_c (line, g_ascii_tolower (*p));
}

static void
append_text_field (GString *line, const char *name, const char *value, gssize length)
{
  g_string_append_c (line, ' ');
  log_append_name (line, name);
  g_string_append_c (line, '=');
  append_value (line, value, length, FALSE);
}

static void
append_json_field (GString *line, const char *name, const char *value, gssize length)
{
  g_string_append (line, ",\"");
  log_append_name (line, name);
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

/* Whether a line has @field. For a person at a terminal the message says it all. */
static gboolean
is_shown (const GLogField *field, gboolean json)
{
  return json ? g_str_has_prefix (field->key, FIELD_PREFIX) : strcmp (field->key, JOB_FIELD) == 0;
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
log_is_dropped (GLogLevelFlags level, const GLogField *fields, gsize n_fields)
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
  char time[AMPS_TIMESTAMP_SIZE];

  amps_timestamp_write (g_get_real_time (), 3, time);
  g_string_append_printf (line,
                          json ? "{\"ts\":\"%s\",\"level\":\"%s\",\"message\":\"" : "%s %-8s ",
                          time, find_level (level)->name);
  if (message != NULL)
    append_value (line, message->value, message->length, json);
  if (json)
    g_string_append_c (line, '"');

  void (*append_field) (GString *, const char *, const char *, gssize) =
      json ? append_json_field : append_text_field;

  if (is_foreign (domain))
    append_field (line, "domain", domain->value, domain->length);
  for (gsize i = 0; i < n_fields; i++)
    if (is_shown (&fields[i], json))
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
  char time[AMPS_TIMESTAMP_SIZE];

  amps_timestamp_write (g_get_real_time (), 3, time);
  for (char **line = lines; *line != NULL; line++)
    {
      if (text->len > 0)
        g_string_append_c (text, '\n');
      g_string_append_printf (text, "%s %-8s ", time, find_level (level)->name);
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
  return log_is_dropped (level, fields, n_fields) ? G_LOG_WRITER_HANDLED
                                                  : write_as (level, fields, n_fields, FALSE);
}

static GLogWriterOutput
write_json (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
            gpointer user_data G_GNUC_UNUSED)
{
  return log_is_dropped (level, fields, n_fields) ? G_LOG_WRITER_HANDLED
                                                  : write_as (level, fields, n_fields, TRUE);
}

static GLogWriterOutput
write_journal (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
               gpointer user_data G_GNUC_UNUSED)
{
  if (log_is_dropped (level, fields, n_fields))
    return G_LOG_WRITER_HANDLED;
  if (g_log_writer_journald (level, fields, n_fields, NULL) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;
  return write_as (level, fields, n_fields, TRUE);
}

/* Warnings and what is worse. */
static void
log_observe (const AmpsLogLine *line)
{
  AmpsLogObserver observer = (AmpsLogObserver) g_atomic_pointer_get (&log_observer);

  if (observer != NULL && (line->level & G_LOG_LEVEL_MASK) <= G_LOG_LEVEL_WARNING)
    observer (line, observer_data);
}

/* What a library logs has no event of its own, nor have the checks of GLib's macros in AMPS.
 * @user_data: the writer */
static GLogWriterOutput
write_completed (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  GLogWriterFunc write_fields = (GLogWriterFunc) user_data;
  const GLogField *message = find_field (fields, n_fields, "MESSAGE");
  AmpsLogLine line = { level, AMPS_LOG_EVENT_DEFECT, NULL, NULL, NULL, NULL };
  Fields all = { .n_items = 0 };

  if (find_field (fields, n_fields, EVENT_FIELD) != NULL)
    return write_fields (level, fields, n_fields, NULL);

  n_fields = MIN (n_fields, MAX_FIELDS - N_EVENT_FIELDS);
  while (all.n_items < n_fields)
    {
      all.items[all.n_items] = fields[all.n_items];
      all.n_items++;
    }
  if (is_foreign (find_field (fields, n_fields, "GLIB_DOMAIN")))
    line.event = AMPS_LOG_EVENT_LIBRARY;
  if (message != NULL && message->length < 0)
    line.message = message->value;
  log_add_event (&all, line.event);
  log_observe (&line);
  return write_fields (level, all.items, all.n_items, NULL);
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
 * @queue: (nullable): what lines about jobs name as their queue
 *
 * Sends the log of this process to stderr (or the journal), that of GLib and
 * of other libraries too. To be called once, before other threads start: GLib
 * takes one writer in the life of a process.
 */
void
amps_log_set_up (AmpsLogFormat format, gboolean debug, const char *queue)
{
  g_return_if_fail (format <= AMPS_LOG_JOURNAL);

  queue_name = g_strdup (queue);
  g_log_set_debug_enabled (debug);
  g_log_set_writer_func (write_completed, choose_writer (format), NULL);
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
 * amps_log_set_observer:
 * @observer: (nullable) (scope forever): called for each warning, and whatever is worse
 * @user_data: passed to @observer
 *
 * There is one. To be taken away only when no other thread logs any more.
 */
void
amps_log_set_observer (AmpsLogObserver observer, gpointer user_data)
{
  observer_data = user_data;
  g_atomic_pointer_set (&log_observer, (gpointer) observer);
}

static void
log_add_job (Fields *fields, AmpsLogLine *line, const AmpsLogJob *job)
{
  line->job_id = job->id;
  line->trace_id = job->trace_id;
  add_field (fields, JOB_FIELD, job->id);
  add_field (fields, "AMPS_QUEUE", queue_name);
  add_field (fields, "AMPS_REASON", line->reason);
  add_field (fields, "AMPS_TRACE_ID", job->trace_id);
  add_field (fields, "AMPS_SPAN_ID", job->span_id);
}

/**
 * amps_log_write_valist:
 * @level: a log level
 * @event: what happened
 * @place: where this is called
 * @job: (nullable): the job that it is about
 * @reason: (nullable): a word of a fixed list
 * @format: a printf() format
 * @arguments: its arguments
 *
 * For what logs about something that `base/` does not know. Callable from any thread.
 */
void
amps_log_write_valist (GLogLevelFlags level, AmpsLogEvent event, const AmpsLogPlace *place,
                       const AmpsLogJob *job, const char *reason, const char *format,
                       va_list arguments)
{
  AmpsLogLine line = { level, event, NULL, NULL, reason, NULL };
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  Fields fields = { .n_items = 0 };

  line.message = message;
  add_field (&fields, "MESSAGE", message);
  add_field (&fields, "PRIORITY", find_level (level)->priority);
  add_field (&fields, "GLIB_DOMAIN", G_LOG_DOMAIN);
  add_field (&fields, "CODE_FILE", place->file);
  add_field (&fields, "CODE_LINE", place->line);
  add_field (&fields, "CODE_FUNC", place->function);
  log_add_event (&fields, event);
  if (place->has_lines)
    add_field (&fields, LINES_FIELD, "1");
  if (job != NULL)
    log_add_job (&fields, &line, job);

  g_log_structured_array (level, fields.items, fields.n_items);
  log_observe (&line);
}

/**
 * amps_log_write:
 * @level: a log level
 * @event: what happened
 * @place: where this is called
 * @format: a printf() format
 * @...: its arguments
 *
 * For [func@Amps.log] and its kin alone. Callable from any thread.
 */
void
amps_log_write (GLogLevelFlags level, AmpsLogEvent event, const AmpsLogPlace *place,
                const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  amps_log_write_valist (level, event, place, NULL, NULL, format, arguments);
  va_end (arguments);
}
