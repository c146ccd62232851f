/* SPDX-License-Identifier: MIT */
#include "amps-answer-reader.h"

#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "event/amps-gzip.h"
#include "http/amps-http-event.h"
#include "http/amps-retry-after.h"

#include <gio/gfiledescriptorbased.h>
#include <string.h>
#include <sys/socket.h>

/* More than this of an unwanted answer costs more than a new connection. */
#define MAX_SKIPPED (64 * 1024)

#define READ_SIZE (16 * 1024)

/* At most this many reads in a turn of the main loop. Each ends with a chunk, which may be
 * a byte. */
#define MAX_READS 64

/* A body in more reads than these, and in reads smaller than these, costs far more than it
 * is worth. libsoup allows each chunk 128 bytes of extensions (RFC 9112, section 7.1.1). */
#define MAX_SMALL_READS (64 * 1024)
#define MIN_READ_SIZE 64

typedef struct {
  SoupMessage *message;      /* (owned) */
  GInputStream *stream;      /* (owned) */
  GCancellable *cancellable; /* (owned) */
  GByteArray *body;          /* (owned) as much as is kept */
  gsize max_kept;
  gsize max_read;
  gsize n_read;
  gsize n_reads;
  GError *bad_encoding; /* (owned) (nullable) why the body can't be read */
  AmpsEventValidation event_validation;
  gboolean sync;
  gboolean batch;
  AmpsAnswerFunc done;
  gpointer user_data;
} Reader;

static void
reader_free (Reader *self)
{
  g_object_unref (self->message);
  g_object_unref (self->stream);
  g_object_unref (self->cancellable);
  g_byte_array_unref (self->body);
  g_clear_error (&self->bad_encoding);
  g_free (self);
}

static GBytes *
take_body (Reader *self)
{
  GBytes *body = g_byte_array_free_to_bytes (g_steal_pointer (&self->body));

  self->body = g_byte_array_new ();
  return body;
}

static void
take_event (Reader *self, AmpsAnswer *answer)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (self->message);
  g_autoptr (GBytes) body = take_body (self);
  g_autoptr (GPtrArray) events = NULL;

  if (!amps_http_event_is_event (headers))
    {
      answer->body = g_steal_pointer (&body);
      return;
    }
  if (self->batch)
    {
      answer->problem =
          g_error_new_literal (AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                               "the answer to a batch can't be an event, which belongs to one job");
      return;
    }

  events = amps_http_event_parse (headers, body, self->event_validation, &answer->problem);
  if (events != NULL && events->len == 1)
    answer->event = g_bytes_ref (g_ptr_array_index (events, 0));
  else if (events != NULL)
    answer->problem = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
                                           "an answer can only be one event, not a batch");
}

static AmpsAnswer *
answer_reader_make_answer (Reader *self)
{
  unsigned int status = soup_message_get_status (self->message);
  SoupMessageHeaders *headers = soup_message_get_response_headers (self->message);
  AmpsAnswer *answer = amps_answer_new (AMPS_ANSWER_STATUS, status);

  answer->retry_after =
      amps_retry_after_parse (soup_message_headers_get_one (headers, "Retry-After"));

  answer->length = self->n_read;
  if (!SOUP_STATUS_IS_SUCCESSFUL (status))
    {
      if (self->body->len > 0)
        answer->detail =
            amps_foreign_text_dup ((const char *) self->body->data, (gssize) self->body->len);
      return answer;
    }

  if (self->bad_encoding != NULL)
    answer->problem = g_steal_pointer (&self->bad_encoding);
  else if (self->sync && self->n_read > self->max_kept)
    answer->problem = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_TOO_LARGE,
                                           "the workload's answer is over MAX_BODY_SIZE");
  else if (self->sync && status != SOUP_STATUS_ACCEPTED)
    take_event (self, answer);

  return answer;
}

static void
answer_reader_finish (Reader *self, const GError *error)
{
  AmpsAnswer *answer = error == NULL ? answer_reader_make_answer (self) : NULL;

  /* The next request must find the connection free, or closed. */
  g_input_stream_close (self->stream, NULL, NULL);
  self->done (answer, error, self->user_data);
  reader_free (self);
}

static void
answer_reader_on_unpacked (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  Reader *self = user_data;
  g_autoptr (GError) error = NULL;
  GBytes *body = amps_gzip_decode_finish (result, &self->bad_encoding);

  if (body != NULL)
    {
      g_byte_array_unref (self->body);
      self->body = g_bytes_unref_to_array (body);
    }

  g_cancellable_set_error_if_cancelled (self->cancellable, &error);
  answer_reader_finish (self, error);
}

/* In the context of the session, which has its connection until the answer is read: libsoup
 * aborts when a message ends in another one. */
static void
answer_reader_unpack (Reader *self)
{
  g_autoptr (GBytes) packed = take_body (self);

  amps_gzip_decode_async (packed, self->max_kept, answer_reader_on_unpacked, self);
}

/* Whether the answer says that jobs are done. */
static gboolean
is_outcome (Reader *self)
{
  unsigned int status = soup_message_get_status (self->message);

  return self->sync && SOUP_STATUS_IS_SUCCESSFUL (status) && status != SOUP_STATUS_ACCEPTED;
}

/* Returns: the connection's descriptor; -1 with TLS */
static int
answer_reader_get_fd (Reader *self)
{
  GInputStream *stream = self->stream;

  while (G_IS_FILTER_INPUT_STREAM (stream))
    stream = g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (stream));

  return G_IS_FILE_DESCRIPTOR_BASED (stream)
             ? g_file_descriptor_based_get_fd (G_FILE_DESCRIPTOR_BASED (stream))
             : -1;
}

static gboolean
has_ended (Reader *self)
{
  char byte;

  return recv (answer_reader_get_fd (self), &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* libsoup takes the end of the connection for that of the body: with a Content-Length if
 * the connection was to be closed anyway; with chunks, before 3.6, in any case. Then who
 * closes it all of a sudden has sent no last chunk. See RFC 9112, sections 8 and 9.6. */
static gboolean
is_cut_short (Reader *self)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (self->message);

  switch (soup_message_headers_get_encoding (headers))
    {
    case SOUP_ENCODING_CONTENT_LENGTH:
      return (goffset) self->n_read < soup_message_headers_get_content_length (headers);
    case SOUP_ENCODING_CHUNKED:
      return soup_message_is_keepalive (self->message) && has_ended (self);
    case SOUP_ENCODING_UNRECOGNIZED:
    case SOUP_ENCODING_NONE:
    case SOUP_ENCODING_EOF:
    case SOUP_ENCODING_BYTERANGES:
    default:
      return FALSE;
    }
}

/* What is missing may be an event, or which jobs of a batch have failed. */
static gboolean
check_whole (Reader *self, GError **error)
{
  if (!is_outcome (self) || !is_cut_short (self))
    return TRUE;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, "its answer is cut short");
  return FALSE;
}

/* Whether what the body holds decides something: an event, or which jobs of a batch
 * have failed. */
static gboolean
is_body_wanted (Reader *self)
{
  return is_outcome (self) && self->n_read <= self->max_kept &&
         (self->batch
              ? self->body->len > 0
              : amps_http_event_is_event (soup_message_get_response_headers (self->message)));
}

static void
take_in (Reader *self)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (self->message);
  const char *encoding = soup_message_headers_get_list (headers, "Content-Encoding");
  gboolean is_gzip = FALSE;

  if (encoding != NULL && is_body_wanted (self) &&
      amps_gzip_check_encoding (encoding, &is_gzip, &self->bad_encoding) && is_gzip)
    answer_reader_unpack (self);
  else
    answer_reader_finish (self, NULL);
}

static void
answer_reader_keep (Reader *self, const guint8 *part, gsize length)
{
  self->n_read += length;
  if (self->body->len < self->max_kept)
    g_byte_array_append (self->body, part,
                         (unsigned int) MIN (length, self->max_kept - self->body->len));
}

static gboolean read_on (GObject *stream, gpointer user_data);

static void
wait_for_more (Reader *self)
{
  g_autoptr (GSource) source = g_pollable_input_stream_create_source (
      G_POLLABLE_INPUT_STREAM (self->stream), self->cancellable);

  g_source_set_callback (source, G_SOURCE_FUNC (read_on), self, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
}

/* Returns: bytes; 0 at the end; -1 with @error */
static gssize
read_part (Reader *self, GError **error)
{
  guint8 part[READ_SIZE] __attribute__ ((uninitialized)); /* zeroed, 4 % of a job */
  gssize length = g_pollable_input_stream_read_nonblocking (
      G_POLLABLE_INPUT_STREAM (self->stream), part, sizeof part, self->cancellable, error);

  if (length > 0)
    answer_reader_keep (self, part, (gsize) length);
  if (length <= 0 || ++self->n_reads <= MAX_SMALL_READS + self->n_read / MIN_READ_SIZE)
    return length;

  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_TOO_LARGE,
                       "its answer comes in too many small pieces");
  return -1;
}

/* To the end, or the connection could not be used again. Most answers are empty,
 * and all there when their headers are: they need no turn of the main loop. */
static gboolean
read_on (GObject *stream G_GNUC_UNUSED, gpointer user_data)
{
  Reader *self = user_data;
  g_autoptr (GError) error = NULL;
  unsigned int n_left = MAX_READS;
  gssize length;

  do
    length = read_part (self, &error);
  while (length > 0 && self->n_read <= self->max_read && --n_left > 0);

  if (n_left == 0 || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    wait_for_more (self);
  else if (error != NULL || (length == 0 && !check_whole (self, &error)))
    answer_reader_finish (self, error);
  else
    take_in (self);

  return G_SOURCE_REMOVE;
}

/**
 * amps_answer_reader_read:
 * @message: a request whose answer's headers have come
 * @body: the answer's body
 * @config: the settings: the mode, and how large a body may be
 * @cancellable: stops reading
 * @done: (scope async): called once
 * @user_data: passed to @done
 *
 * Reads the rest of an answer, and makes of it what the settings want.
 */
void
amps_answer_reader_read (SoupMessage *message, GInputStream *body, AmpsConfig *config,
                         GCancellable *cancellable, AmpsAnswerFunc done, gpointer user_data)
{
  Reader *self = g_new0 (Reader, 1);

  self->message = g_object_ref (message);
  self->stream = g_object_ref (body);
  self->cancellable = g_object_ref (cancellable);
  self->body = g_byte_array_new ();
  self->event_validation = amps_config_get_event_validation (config);
  self->sync = amps_config_get_workload_mode (config) == AMPS_WORKLOAD_MODE_SYNC;
  self->batch = amps_config_get_workload_batch_size (config) > 1;
  self->max_kept = self->sync ? amps_config_get_max_body_size (config) : AMPS_FOREIGN_TEXT_MAX + 1;
  self->max_read = self->sync ? self->max_kept : MAX_SKIPPED;
  self->done = done;
  self->user_data = user_data;

  /* It has no length, and libsoup would take it to end with the connection. */
  if (soup_message_get_status (message) == SOUP_STATUS_NO_CONTENT)
    soup_message_headers_set_encoding (soup_message_get_response_headers (message),
                                       SOUP_ENCODING_NONE);
  read_on (G_OBJECT (body), self);
}
