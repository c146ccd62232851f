/* SPDX-License-Identifier: MIT */
#include "amps-http-linger.h"

#include <string.h>

/* Closing while the client still sends makes the kernel reset the connection,
 * and the client may lose the answer (RFC 9112, section 9.6). So what still comes is
 * thrown away until the client is done or the connection is ended. */

typedef struct {
  AmpsHttpConnection *connection; /* (owned) */
  GSocket *socket;                /* its */
  GSource *source;                /* (owned) */
} Linger;

static void
linger_free (Linger *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_socket_close (self->socket, NULL);
  g_object_unref (self->connection);
  g_free (self);
}

static gboolean
on_readable (GSocket *socket, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  Linger *self = user_data;
  char buffer[64 * 1024];
  g_autoptr (GError) error = NULL;
  gssize n = g_socket_receive (socket, buffer, sizeof buffer, NULL, &error);

  if (n > 0 || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;

  linger_free (self);
  return G_SOURCE_REMOVE;
}

/**
 * amps_http_linger:
 * @connection: a connection
 * @answer: a whole answer, small enough for a socket's buffer
 *
 * Takes @connection from libsoup, sends @answer and closes @connection when the client has, or when
 * somebody ends it.
 */
void
amps_http_linger (AmpsHttpConnection *connection, const char *answer)
{
  Linger *self = g_new0 (Linger, 1);

  self->connection = g_object_ref (connection);
  self->socket = amps_http_connection_take (connection);
  /* If even this does not fit, the client is not reading. */
  g_socket_send (self->socket, answer, strlen (answer), NULL, NULL);
  g_socket_shutdown (self->socket, FALSE, TRUE, NULL);

  self->source = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_readable), self, NULL);
  g_source_attach (self->source, NULL);
}
