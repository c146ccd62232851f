/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-event-reader.h"

#include "amps-ctl-error.h"
#include "amps-ctl-text.h"
#include "event/amps-json-scanner.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Most bytes of an input that is not in lines, and is read whole. */
#define MAX_DOCUMENT ((gsize) 256 * 1024 * 1024)
/* AMPS takes no larger event, whatever MAX_BODY_SIZE is. */
#define MAX_LINE ((gsize) 128 * 1024 * 1024)
#define READ_SIZE ((gsize) 64 * 1024)

typedef enum {
  FORM_UNKNOWN,
  FORM_LINES,
  FORM_DOCUMENT,
} Form;

struct _AmpsCtlEventReader {
  GObject parent_instance;

  AmpsCtlContext *context;  /* (owned) */
  GDataInputStream *stream; /* (owned) */
  Form form;
  guint64 position; /* of the last event: its line, or how many there were */

  /* Of an operation that is waited for. */
  GCancellable *cancellable; /* (owned) */
  GAsyncResult *result;      /* (owned) (nullable) */

  /* Of a document. */
  GBytes *document; /* (owned) (nullable) */
  AmpsJsonScanner scanner;
  gboolean is_array;
  gboolean has_ended;
};

G_DEFINE_FINAL_TYPE (AmpsCtlEventReader, amps_ctl_event_reader, G_TYPE_OBJECT)

static void
amps_ctl_event_reader_finalize (GObject *object)
{
  AmpsCtlEventReader *self = AMPS_CTL_EVENT_READER (object);

  g_clear_object (&self->result);
  g_object_unref (self->cancellable);
  g_clear_pointer (&self->document, g_bytes_unref);
  g_object_unref (self->stream);
  g_object_unref (self->context);

  G_OBJECT_CLASS (amps_ctl_event_reader_parent_class)->finalize (object);
}

static void
amps_ctl_event_reader_class_init (AmpsCtlEventReaderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_ctl_event_reader_finalize;
}

static void
amps_ctl_event_reader_init (AmpsCtlEventReader *self G_GNUC_UNUSED)
{
}

/**
 * amps_ctl_event_reader_new:
 * @context: what may be cancelled
 * @stream: what to read
 *
 * Returns: (transfer full): a reader of events
 */
AmpsCtlEventReader *
amps_ctl_event_reader_new (AmpsCtlContext *context, GInputStream *stream)
{
  g_return_val_if_fail (AMPS_CTL_IS_CONTEXT (context), NULL);

  AmpsCtlEventReader *self = g_object_new (AMPS_CTL_TYPE_EVENT_READER, NULL);

  self->context = g_object_ref (context);
  self->cancellable = g_cancellable_new ();
  self->stream = g_data_input_stream_new (stream);
  return self;
}

/* A FIFO must not block, so it is opened without waiting for its writer. */
static int
open_file (const char *path, int *problem)
{
  struct stat status;
  int fd;

  if (g_str_equal (path, "-"))
    return dup (STDIN_FILENO);

  fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  *problem = errno;
  if (fd >= 0 && fstat (fd, &status) == 0 && S_ISDIR (status.st_mode))
    {
      close (fd);
      *problem = EISDIR;
      return -1;
    }

  return fd;
}

/**
 * amps_ctl_event_reader_open:
 * @context: what may be cancelled
 * @path: of a file; "-" for standard input
 * @error: return location: %AMPS_CTL_ERROR_NO_INPUT
 *
 * Returns: (transfer full) (nullable): a reader of the events in it
 */
AmpsCtlEventReader *
amps_ctl_event_reader_open (AmpsCtlContext *context, const char *path, GError **error)
{
  int problem = 0;
  int fd = open_file (path, &problem);
  g_autoptr (GInputStream) stream = NULL;

  if (fd < 0)
    {
      g_autofree char *shown = amps_ctl_text_clean (path);

      g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_NO_INPUT, "%s: %s", shown,
                   g_strerror (problem));
      return NULL;
    }

  stream = g_unix_input_stream_new (fd, TRUE);
  return amps_ctl_event_reader_new (context, stream);
}

/**
 * amps_ctl_event_reader_get_position:
 * @self: a reader
 *
 * Returns: which line the last event was in, or the how many-th it was if there are no lines
 */
guint64
amps_ctl_event_reader_get_position (AmpsCtlEventReader *self)
{
  return self->position;
}

/**
 * amps_ctl_event_reader_has_lines:
 * @self: a reader
 *
 * Returns: whether each line is an event
 */
gboolean
amps_ctl_event_reader_has_lines (AmpsCtlEventReader *self)
{
  return self->form == FORM_LINES;
}

/* Reading, while the main loop runs */

static void
ctl_event_reader_on_done (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  AmpsCtlEventReader *self = user_data;

  self->result = g_object_ref (result);
  g_object_unref (self);
}

static gboolean
is_too_long (AmpsCtlEventReader *self)
{
  return g_buffered_input_stream_get_available (G_BUFFERED_INPUT_STREAM (self->stream)) > MAX_LINE;
}

static gboolean
ctl_event_reader_is_done (gpointer user_data)
{
  AmpsCtlEventReader *self = user_data;

  return self->result != NULL || is_too_long (self);
}

static void
set_too_large (GError **error)
{
  g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_BAD_DATA,
                       _ ("the input is too large; write one event on each line instead"));
}

/* Returns: (nullable): what the operation that was begun has led to */
static GAsyncResult *
wait_for_result (AmpsCtlEventReader *self, GError **error)
{
  if (amps_ctl_context_wait (self->context, ctl_event_reader_is_done, self, -1, error))
    {
      if (self->result != NULL)
        return g_steal_pointer (&self->result);
      set_too_large (error);
    }

  /* Its callback is still to come. */
  g_cancellable_cancel (self->cancellable);
  while (self->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_clear_object (&self->result);
  return NULL;
}

static void
set_unreadable (GError *cause, GError **error)
{
  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_propagate_error (error, g_error_copy (cause));
  else
    g_set_error_literal (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_NO_INPUT, cause->message);
}

/* Returns: (nullable): the next line; NULL at the end, too */
static char *
ctl_event_reader_read_line (AmpsCtlEventReader *self, gsize *length, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) cause = NULL;
  char *line;

  g_data_input_stream_read_line_async (self->stream, G_PRIORITY_DEFAULT, self->cancellable,
                                       ctl_event_reader_on_done, g_object_ref (self));
  result = wait_for_result (self, error);
  if (result == NULL)
    return NULL;

  line = g_data_input_stream_read_line_finish (self->stream, result, length, &cause);
  if (cause != NULL)
    set_unreadable (cause, error);
  return line;
}

/* Returns: (nullable): some bytes; none at the end */
static GBytes *
read_bytes (AmpsCtlEventReader *self, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) cause = NULL;
  GBytes *bytes;

  g_input_stream_read_bytes_async (G_INPUT_STREAM (self->stream), READ_SIZE, G_PRIORITY_DEFAULT,
                                   self->cancellable, ctl_event_reader_on_done,
                                   g_object_ref (self));
  result = wait_for_result (self, error);
  if (result == NULL)
    return NULL;

  bytes = g_input_stream_read_bytes_finish (G_INPUT_STREAM (self->stream), result, &cause);
  if (cause != NULL)
    set_unreadable (cause, error);
  return bytes;
}

static gboolean
ctl_event_reader_is_blank (const char *line)
{
  return line[strspn (line, " \t\r")] == '\0';
}

/* Returns: (nullable): the next line with something in it; NULL at the end, too */
static char *
read_full_line (AmpsCtlEventReader *self, gsize *length, GError **error)
{
  while (TRUE)
    {
      g_autofree char *line = ctl_event_reader_read_line (self, length, error);

      self->position++;
      if (line == NULL || !ctl_event_reader_is_blank (line))
        return g_steal_pointer (&line);
    }
}

/* A document: an array, or one event on several lines */

static gboolean
set_bad_document (AmpsCtlEventReader *self, const char *problem, GError **error)
{
  unsigned int line = 1;

  for (const char *p = self->scanner.start; p < self->scanner.at; p++)
    line += *p == '\n';
  g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_BAD_DATA,
               _ ("not an event, an array of events or lines of events: %s in line %u"), problem,
               line);
  return FALSE;
}

static gboolean
read_document (AmpsCtlEventReader *self, const char *line, gsize length, GError **error)
{
  /* Lines before it were blank, but they count. */
  g_autofree char *before = g_strnfill (self->position - 1, '\n');
  g_autoptr (GByteArray) all = g_byte_array_new ();
  gboolean more = TRUE;

  g_byte_array_append (all, (const guint8 *) before, strlen (before));
  g_byte_array_append (all, (const guint8 *) line, (unsigned int) length);
  g_byte_array_append (all, (const guint8 *) "\n", 1);
  while (more)
    {
      g_autoptr (GBytes) bytes = read_bytes (self, error);

      if (bytes == NULL)
        return FALSE;
      more = g_bytes_get_size (bytes) > 0;
      if (more)
        g_byte_array_append (all, g_bytes_get_data (bytes, NULL),
                             (unsigned int) g_bytes_get_size (bytes));
      if (all->len > MAX_DOCUMENT)
        {
          set_too_large (error);
          return FALSE;
        }
    }

  self->document = g_byte_array_free_to_bytes (g_steal_pointer (&all));
  self->position = 0;
  return TRUE;
}

static gboolean
begin_document (AmpsCtlEventReader *self, const char *line, gsize length, GError **error)
{
  self->form = FORM_DOCUMENT;
  self->is_array = line[strspn (line, " \t\r")] == '[';
  if (!read_document (self, line, length, error))
    return FALSE;

  amps_json_scanner_init (&self->scanner, g_bytes_get_data (self->document, NULL),
                          g_bytes_get_size (self->document));
  return !self->is_array || amps_json_scanner_enter (&self->scanner, '[') ||
         set_bad_document (self, self->scanner.problem, error);
}

/* Returns: whether there is another value; none at the end, and if something is wrong */
static gboolean
is_more_to_come (AmpsCtlEventReader *self)
{
  if (self->has_ended)
    return FALSE;

  self->has_ended = self->is_array
                        ? !amps_json_scanner_next_item (&self->scanner, '[', self->position == 0)
                        : self->position > 0;
  if (self->has_ended && self->scanner.problem == NULL)
    amps_json_scanner_finish (&self->scanner);
  return !self->has_ended;
}

static gboolean
ctl_event_reader_read_value (AmpsCtlEventReader *self, GBytes **event, GError **error)
{
  AmpsJsonValue value;

  if (!is_more_to_come (self))
    return self->scanner.problem == NULL || set_bad_document (self, self->scanner.problem, error);

  if (!amps_json_scanner_read_value (&self->scanner, self->is_array ? 1 : 0, &value))
    return set_bad_document (self, self->scanner.problem, error);
  if (value.kind != AMPS_JSON_OBJECT)
    return set_bad_document (self, _ ("something that is not an object"), error);

  self->position++;
  *event = g_bytes_new_from_bytes (
      self->document,
      (gsize) (value.start - (const char *) g_bytes_get_data (self->document, NULL)),
      (gsize) (value.end - value.start));
  return TRUE;
}

/* What the first line with something in it says */
static gboolean
find_form (AmpsCtlEventReader *self, char *line, gsize length, GBytes **event, GError **error)
{
  const char *start = line + strspn (line, " \t\r");

  if (*start == '{' && amps_json_check (line, length, NULL))
    {
      self->form = FORM_LINES;
      *event = g_bytes_new (line, length);
      return TRUE;
    }

  return begin_document (self, line, length, error) &&
         ctl_event_reader_read_value (self, event, error);
}

/**
 * amps_ctl_event_reader_read:
 * @self: a reader
 * @event: (out) (nullable) (transfer full): the bytes of the next event, as they stand there;
 *   %NULL at the end. In a line there may be anything
 * @error: return location: %AMPS_CTL_ERROR_NO_INPUT, %AMPS_CTL_ERROR_BAD_DATA or
 *   %G_IO_ERROR_CANCELLED
 *
 * Lets the main loop run until there is one.
 *
 * Returns: whether nothing went wrong
 */
gboolean
amps_ctl_event_reader_read (AmpsCtlEventReader *self, GBytes **event, GError **error)
{
  g_autofree char *line = NULL;
  g_autoptr (GError) failure = NULL;
  gsize length;

  *event = NULL;
  if (self->form == FORM_DOCUMENT)
    return ctl_event_reader_read_value (self, event, error);

  line = read_full_line (self, &length, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (line == NULL)
    return TRUE;
  if (self->form == FORM_UNKNOWN)
    return find_form (self, line, length, event, error);

  *event = g_bytes_new (line, length);
  return TRUE;
}
