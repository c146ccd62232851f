/* SPDX-License-Identifier: MIT */
#include "amps-http-linger.h"

#include <string.h>
#include <sys/socket.h>

/* Closing while the client still sends makes the kernel reset the connection,
 * and the client may lose the answer (RFC 9112, section 9.6). So what still comes is
 * thrown away until the client is done or the connection is ended. */

typedef struct {
  AmpsHttpConnection *connection; /* (owned) */
  GSource *source;                /* (owned) */
} Linger;

static void
linger_free (Linger *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_io_stream_close (G_IO_STREAM (self->connection), NULL, NULL);
  g_object_unref (self->connection);
  g_free (self);
}

static gboolean
on_readable (GObject *stream, gpointer user_data)
{
  Linger *self = user_data;
  char buffer[8192];
  g_autoptr (GError) error = NULL;
  gssize n = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (stream), buffer,
                                                       sizeof buffer, NULL, &error);

  if (n > 0 || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;

  linger_free (self);
  return G_SOURCE_REMOVE;
}

/**
 * amps_http_linger:
 * @connection: a connection that was taken from libsoup
 * @answer: a whole answer, small enough for a socket's buffer
 *
 * Sends @answer and closes @connection when the client has, or when somebody ends
 * it.
 */
void
amps_http_linger (AmpsHttpConnection *connection, const char *answer)
{
  GIOStream *stream = G_IO_STREAM (connection);
  GPollableOutputStream *output = G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (stream));
  GPollableInputStream *input = G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (stream));
  Linger *self = g_new0 (Linger, 1);

  /* If even this does not fit, the client is not reading. */
  g_pollable_output_stream_write_nonblocking (output, answer, strlen (answer), NULL, NULL);
  g_socket_shutdown (amps_http_connection_get_socket (connection), FALSE, TRUE, NULL);

  self->connection = g_object_ref (connection);
  self->source = g_pollable_input_stream_create_source (input, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_readable), self, NULL);
  g_source_attach (self->source, NULL);
}
