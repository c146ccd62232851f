/* SPDX-License-Identifier: MIT */
#include "raw-server.h"

#include <stdlib.h>
#include <string.h>

#define MAX_THREADS 200

struct _RawServer {
  GSocketService *service; /* (owned) */
  GCancellable *ended;     /* (owned) ends all connections */
  guint16 port;            /* 0 of a Unix socket */

  GMutex lock; /* of the rest */
  GCond changed;
  char *reply; /* (owned) (nullable) NULL: close instead of an answer */
  gboolean hold;
  unsigned int n_requests;
  unsigned int n_connections;
  unsigned int n_alive;
  char *last_request; /* (owned) (nullable) */
};

static gsize
get_content_length (const char *head)
{
  const char *field = strstr (head, "Content-Length: ");

  return field != NULL ? (gsize) atol (field + strlen ("Content-Length: ")) : 0;
}

/* Whole, with its body; NULL at the end of the connection. */
static char *
read_request (RawServer *self, GInputStream *stream)
{
  g_autoptr (GString) request = g_string_new (NULL);
  char part[4096];
  gssize length;

  while ((length = g_input_stream_read (stream, part, sizeof part, self->ended, NULL)) > 0)
    {
      const char *end;

      g_string_append_len (request, part, length);
      end = strstr (request->str, "\r\n\r\n");
      if (end != NULL &&
          request->len >= (gsize) (end + 4 - request->str) + get_content_length (request->str))
        return g_string_free (g_steal_pointer (&request), FALSE);
    }

  return NULL;
}

/* Takes @request, and gives what to answer, once that may be. */
static char *
exchange (RawServer *self, char *request)
{
  char *reply;

  g_mutex_lock (&self->lock);
  self->n_requests++;
  g_free (self->last_request);
  self->last_request = request;
  while (self->hold)
    g_cond_wait (&self->changed, &self->lock);
  reply = g_strdup (self->reply);
  g_mutex_unlock (&self->lock);

  return reply;
}

static gboolean
on_run (GThreadedSocketService *service G_GNUC_UNUSED, GSocketConnection *connection,
        GObject *source G_GNUC_UNUSED, gpointer user_data)
{
  RawServer *self = user_data;
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  gboolean open = TRUE;
  char *request;

  g_mutex_lock (&self->lock);
  self->n_connections++;
  self->n_alive++;
  g_mutex_unlock (&self->lock);

  while (open && (request = read_request (self, in)) != NULL)
    {
      g_autofree char *reply = exchange (self, request);

      open = reply != NULL &&
             g_output_stream_write_all (out, reply, strlen (reply), NULL, self->ended, NULL);
    }
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);

  g_mutex_lock (&self->lock);
  self->n_alive--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* On @address, or if that is NULL on a free port of 127.0.0.1. */
RawServer *
raw_server_new (GSocketAddress *address)
{
  RawServer *self = g_new0 (RawServer, 1);
  g_autoptr (GSocketAddress) loopback = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) effective = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->ended = g_cancellable_new ();
  self->service = g_threaded_socket_service_new (MAX_THREADS);
  g_signal_connect (self->service, "run", G_CALLBACK (on_run), self);
  g_socket_listener_add_address (G_SOCKET_LISTENER (self->service),
                                 address != NULL ? address : loopback, G_SOCKET_TYPE_STREAM,
                                 G_SOCKET_PROTOCOL_DEFAULT, NULL, &effective, &error);
  g_assert_no_error (error);
  if (G_IS_INET_SOCKET_ADDRESS (effective))
    self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
  return self;
}

/* Breaks all connections, too. */
void
raw_server_free (RawServer *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  raw_server_hold (self, FALSE);
  g_cancellable_cancel (self->ended);
  g_mutex_lock (&self->lock);
  while (self->n_alive > 0)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);

  g_object_unref (self->service);
  g_object_unref (self->ended);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->reply);
  g_free (self->last_request);
  g_free (self);
}

guint16
raw_server_get_port (RawServer *self)
{
  return self->port;
}

/* NULL: no answer, the connection is closed. */
void
raw_server_reply (RawServer *self, const char *reply)
{
  g_mutex_lock (&self->lock);
  g_free (self->reply);
  self->reply = g_strdup (reply);
  g_mutex_unlock (&self->lock);
}

/* Whether answers wait until this is undone. */
void
raw_server_hold (RawServer *self, gboolean hold)
{
  g_mutex_lock (&self->lock);
  self->hold = hold;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

unsigned int
raw_server_get_n_requests (RawServer *self)
{
  unsigned int n_requests;

  g_mutex_lock (&self->lock);
  n_requests = self->n_requests;
  g_mutex_unlock (&self->lock);
  return n_requests;
}

unsigned int
raw_server_get_n_connections (RawServer *self)
{
  unsigned int n_connections;

  g_mutex_lock (&self->lock);
  n_connections = self->n_connections;
  g_mutex_unlock (&self->lock);
  return n_connections;
}

char *
raw_server_dup_last_request (RawServer *self)
{
  char *request;

  g_mutex_lock (&self->lock);
  request = g_strdup (self->last_request);
  g_mutex_unlock (&self->lock);
  return request;
}
