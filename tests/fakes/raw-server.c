/* SPDX-License-Identifier: MIT */
#include "raw-server.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* More than a test opens at once. */
#define BACKLOG 256

struct _RawServer {
  GSocketListener *listener; /* (owned) */
  GCancellable *ended;       /* (owned) ends all threads */
  GThread *acceptor;
  guint16 port; /* 0 of a Unix socket */

  GMutex lock; /* of the rest */
  GCond released;
  char *reply; /* (owned) (nullable) NULL: close instead of an answer */
  gboolean hold;
  gboolean once;
  unsigned int n_requests;
  unsigned int n_connections;
  unsigned int n_segments; /* that brought data, of the connection of the last request */
  char *last_request;      /* (owned) (nullable) */
};

typedef struct {
  RawServer *server;
  GSocketConnection *connection; /* (owned) */
} Client;

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

/* Takes @request, and gives what to answer, once that may be. @last: set if no other
 * request is to come */
static char *
exchange (RawServer *self, GSocket *socket, char *request, gboolean *last)
{
  struct tcp_info info = { 0 };
  socklen_t size = sizeof info;
  char *reply;

  g_mutex_lock (&self->lock);
  self->n_requests++;
  getsockopt (g_socket_get_fd (socket), IPPROTO_TCP, TCP_INFO, &info, &size);
  self->n_segments = info.tcpi_data_segs_in;
  g_free (self->last_request);
  self->last_request = request;
  while (self->hold)
    g_cond_wait (&self->released, &self->lock);
  reply = g_strdup (self->reply);
  *last = self->once || reply == NULL;
  g_mutex_unlock (&self->lock);

  return reply;
}

static gpointer
serve (gpointer data)
{
  g_autofree Client *client = data;
  g_autoptr (GSocketConnection) connection = client->connection;
  RawServer *self = client->server;
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  gboolean last = FALSE;
  char *request;

  g_mutex_lock (&self->lock);
  self->n_connections++;
  g_mutex_unlock (&self->lock);

  while (!last && (request = read_request (self, in)) != NULL)
    {
      g_autofree char *reply =
          exchange (self, g_socket_connection_get_socket (connection), request, &last);

      if (reply != NULL &&
          !g_output_stream_write_all (out, reply, strlen (reply), NULL, self->ended, NULL))
        break;
    }

  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  return NULL;
}

static void
join (gpointer thread)
{
  g_thread_join (thread);
}

static gpointer
accept_all (gpointer data)
{
  RawServer *self = data;
  g_autoptr (GPtrArray) threads = g_ptr_array_new_with_free_func (join);
  GSocketConnection *connection;

  while ((connection = g_socket_listener_accept (self->listener, NULL, self->ended, NULL)) != NULL)
    {
      Client *client = g_new (Client, 1);

      client->server = self;
      client->connection = connection;
      g_ptr_array_add (threads, g_thread_new ("raw server", serve, client));
    }

  return NULL;
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
  g_cond_init (&self->released);
  self->ended = g_cancellable_new ();
  self->listener = g_socket_listener_new ();
  g_socket_listener_set_backlog (self->listener, BACKLOG);
  g_socket_listener_add_address (self->listener, address != NULL ? address : loopback,
                                 G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL, &effective,
                                 &error);
  g_assert_no_error (error);
  if (G_IS_INET_SOCKET_ADDRESS (effective))
    self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
  self->acceptor = g_thread_new ("raw server", accept_all, self);
  return self;
}

/* Breaks all connections, too. */
void
raw_server_free (RawServer *self)
{
  raw_server_hold (self, FALSE);
  g_cancellable_cancel (self->ended);
  g_thread_join (self->acceptor);
  g_socket_listener_close (self->listener);

  g_object_unref (self->listener);
  g_object_unref (self->ended);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->released);
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

/* Whether it closes each connection behind an answer. */
void
raw_server_answer_once (RawServer *self, gboolean once)
{
  g_mutex_lock (&self->lock);
  self->once = once;
  g_mutex_unlock (&self->lock);
}

/* Whether answers wait until this is undone. */
void
raw_server_hold (RawServer *self, gboolean hold)
{
  g_mutex_lock (&self->lock);
  self->hold = hold;
  g_cond_broadcast (&self->released);
  g_mutex_unlock (&self->lock);
}

static unsigned int
get_count (RawServer *self, const unsigned int *count)
{
  unsigned int number;

  g_mutex_lock (&self->lock);
  number = *count;
  g_mutex_unlock (&self->lock);
  return number;
}

unsigned int
raw_server_get_n_requests (RawServer *self)
{
  return get_count (self, &self->n_requests);
}

void
raw_server_wait_for_requests (RawServer *self, unsigned int count)
{
  while (raw_server_get_n_requests (self) < count)
    g_main_context_iteration (NULL, FALSE);
}

unsigned int
raw_server_get_n_connections (RawServer *self)
{
  return get_count (self, &self->n_connections);
}

/* Of TCP, with data, that brought the last request and those before it on its connection. */
unsigned int
raw_server_get_n_segments (RawServer *self)
{
  return get_count (self, &self->n_segments);
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
