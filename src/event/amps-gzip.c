/* SPDX-License-Identifier: MIT */
#include "amps-gzip.h"

#include "amps-event-faults.h"
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"

#include <string.h>

#define MIN_SIZE 4096

/* Deflate can't do better: 258 bytes for two bits, and the header. */
#define MAX_GROWTH 1032

/* Frameworks for AMQP put a charset there, or what a mail would say: Spring and kombu
 * write “UTF-8”. The bytes are as they are. */
static gboolean
gzip_is_plain (const char *name)
{
  static const char *const plain[] = { "",      "identity", "utf-8", "utf8", "us-ascii",
                                       "ascii", "binary",   "8bit",  "7bit" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (plain); i++)
    {
      if (g_ascii_strcasecmp (name, plain[i]) == 0)
        return TRUE;
    }

  return FALSE;
}

/**
 * amps_gzip_check_encoding:
 * @encoding: (nullable): of a body, as `Content-Encoding` or AMQP's `content-encoding`
 *   name it
 * @is_gzip: (out): whether the body is to be decoded
 * @error: return location: %AMPS_ERROR_UNSUPPORTED_MEDIA_TYPE, naming the encoding
 *
 * Returns: whether AMPS can read the body
 */
gboolean
amps_gzip_check_encoding (const char *encoding, gboolean *is_gzip, GError **error)
{
  g_autofree char *name = amps_foreign_text_dup (encoding != NULL ? encoding : "", -1);
  g_autofree char *readable = NULL;

  g_strstrip (name);
  /* RFC 9110, section 8.4.1: x-gzip is an old name of it. */
  *is_gzip = g_ascii_strcasecmp (name, "gzip") == 0 || g_ascii_strcasecmp (name, "x-gzip") == 0;
  if (*is_gzip || gzip_is_plain (name))
    return TRUE;

  readable = amps_event_name_to_readable (name, strlen (name));
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_UNSUPPORTED_MEDIA_TYPE,
               "the content encoding “%s” is not supported: only gzip is", readable);
  return FALSE;
}

/* What has come of a body. */
typedef struct {
  GConverter *decompressor;
  const guint8 *input;
  gsize n_input;
  GByteArray *output;
  gsize n_output;
  gsize max_size;
} Decoding;

/* One byte more than is allowed, so that too much is seen. */
static void
gzip_make_room (Decoding *self)
{
  gsize size = CLAMP (2 * self->n_output, MIN_SIZE, self->max_size + 1);

  if (self->n_output == self->output->len)
    g_byte_array_set_size (self->output, (unsigned int) MAX (size, self->n_output + 1));
}

static gboolean
fail_too_large (const Decoding *self, GError **error)
{
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_TOO_LARGE,
               "it has over %" G_GSIZE_FORMAT " bytes when it is unpacked, and MAX_BODY_SIZE is "
               "%" G_GSIZE_FORMAT,
               self->max_size, self->max_size);
  return FALSE;
}

/* Reads one step. A file may have several members, one behind the other (RFC 1952,
 * section 2.2). */
static gboolean
decode_some (Decoding *self, gboolean *finished, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gsize n_read = 0, n_written = 0;
  GConverterResult result;

  gzip_make_room (self);
  result = g_converter_convert (
      self->decompressor, self->input, self->n_input, self->output->data + self->n_output,
      self->output->len - self->n_output, G_CONVERTER_INPUT_AT_END, &n_read, &n_written, &problem);
  if (result == G_CONVERTER_ERROR)
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
                   "its content encoding is gzip, "
                   "but its body is not: %s",
                   problem->message);
      return FALSE;
    }

  self->input += n_read;
  self->n_input -= n_read;
  self->n_output += n_written;
  if (self->n_output > self->max_size)
    return fail_too_large (self, error);

  *finished = result == G_CONVERTER_FINISHED && self->n_input == 0;
  if (result == G_CONVERTER_FINISHED)
    g_converter_reset (self->decompressor);
  return TRUE;
}

/**
 * amps_gzip_decode:
 * @body: packed by gzip
 * @max_size: how many bytes there may be in it
 * @error: return location: %AMPS_ERROR_INVALID_EVENT or %AMPS_ERROR_TOO_LARGE
 *
 * Stops as soon as there is too much, however much would come. Callable from any
 * thread; it takes its time.
 *
 * Returns: (transfer full) (nullable): what was packed
 */
GBytes *
amps_gzip_decode (GBytes *body, gsize max_size, GError **error)
{
  g_autoptr (GZlibDecompressor) decompressor =
      g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  g_autoptr (GByteArray) output = g_byte_array_new ();
  Decoding self = { .decompressor = G_CONVERTER (decompressor),
                    .output = output,
                    .max_size = max_size };
  gboolean finished = FALSE;

  self.input = g_bytes_get_data (body, &self.n_input);
  while (!finished)
    {
      if (!decode_some (&self, &finished, error))
        return NULL;
    }

  g_byte_array_set_size (output, (unsigned int) self.n_output);
  return g_byte_array_free_to_bytes (g_steal_pointer (&output));
}

typedef struct {
  GBytes *body; /* (owned) */
  gsize max_size;
} Packed;

static void
packed_free (gpointer data)
{
  Packed *self = data;

  g_bytes_unref (self->body);
  g_free (self);
}

static void
decode_in_thread (GTask *task, gpointer source G_GNUC_UNUSED, gpointer data,
                  GCancellable *cancellable G_GNUC_UNUSED)
{
  const Packed *packed = data;
  GError *error = NULL;
  GBytes *body = amps_gzip_decode (packed->body, packed->max_size, &error);

  if (body != NULL)
    g_task_return_pointer (task, body, (GDestroyNotify) g_bytes_unref);
  else
    g_task_return_error (task, error);
}

/**
 * amps_gzip_decode_async:
 * @body: packed by gzip
 * @max_size: how many bytes there may be in it
 * @callback: called once
 * @user_data: passed to @callback
 *
 * Does it in a thread, which has nothing but bytes: little may become much.
 */
void
amps_gzip_decode_async (GBytes *body, gsize max_size, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  Packed *packed = g_new (Packed, 1);

  packed->body = g_bytes_ref (body);
  packed->max_size = max_size;
  g_task_set_source_tag (task, amps_gzip_decode_async);
  g_task_set_task_data (task, packed, packed_free);
  g_task_run_in_thread (task, decode_in_thread);
}

/**
 * amps_gzip_decode_finish:
 * @result: what the callback got
 * @error: return location, as of amps_gzip_decode()
 *
 * Returns: (transfer full) (nullable): what was packed
 */
GBytes *
amps_gzip_decode_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * amps_gzip_may_exceed:
 * @length: bytes of a body that is packed
 * @size: a limit
 *
 * What a body says of its own size need not be true.
 *
 * Returns: whether more than @size may be in it
 */
gboolean
amps_gzip_may_exceed (gsize length, gsize size)
{
  return length > size / MAX_GROWTH;
}

/**
 * amps_gzip_get_bound:
 * @length: bytes of a body that is packed
 * @max_size: as of amps_gzip_decode()
 *
 * Returns: how many bytes unpacking it takes at most
 */
gsize
amps_gzip_get_bound (gsize length, gsize max_size)
{
  return amps_gzip_may_exceed (length, max_size) ? max_size : length * MAX_GROWTH;
}
