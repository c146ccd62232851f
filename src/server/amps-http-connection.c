/* SPDX-License-Identifier: MIT */
#include "amps-http-connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Why not a GSocketConnection: libsoup 3.2 does not notice that a client has
 * closed a connection between two requests. It forgets that it waits for one
 * until a first line has come, and keeps the connection with its descriptor for
 * ever. So at the end of an idle connection it gets one line, which can neither
 * start nor complete a request, and then an error, on which it lets go. */
static const char farewell[] = { '\0', '\n' };

/* libsoup reads for as long as there is something. A peer that writes as fast
 * would have the main loop for itself. */
#define READ_BUDGET (256 * 1024)

struct _AmpsHttpConnection {
  GIOStream parent_instance;

  GSocket *socket;                /* (owned) */
  GSocketAddress *local_address;  /* (owned) */
  GSocketAddress *remote_address; /* (owned) of this connection alone; leads back to it */
  GInputStream *input;            /* (owned) */
  GOutputStream *output;          /* (owned) */
  gsize budget;                   /* bytes to be read until another turn of the main loop */
  gboolean idle;
  gboolean farewell_said;
  gboolean ended; /* by AMPS */
  gint64 due;     /* monotonic µs when it has taken too long; -1 for never */
};

G_DEFINE_FINAL_TYPE (AmpsHttpConnection, amps_http_connection, G_TYPE_IO_STREAM)

static G_DEFINE_QUARK (amps-http-connection, connection_of_address);

/* Its two streams; they live no longer than the connection is open. */

#define TYPE_CONNECTION_INPUT (connection_input_get_type ())
G_DECLARE_FINAL_TYPE (ConnectionInput, connection_input, CONNECTION, INPUT, GInputStream)
#define TYPE_CONNECTION_OUTPUT (connection_output_get_type ())
G_DECLARE_FINAL_TYPE (ConnectionOutput, connection_output, CONNECTION, OUTPUT, GOutputStream)

struct _ConnectionInput {
  GInputStream parent_instance;

  AmpsHttpConnection *connection;
};

struct _ConnectionOutput {
  GOutputStream parent_instance;

  AmpsHttpConnection *connection;
};

static void connection_input_pollable_init (GPollableInputStreamInterface *iface);
static void connection_output_pollable_init (GPollableOutputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ConnectionInput, connection_input, G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
                                                      connection_input_pollable_init))
G_DEFINE_FINAL_TYPE_WITH_CODE (ConnectionOutput, connection_output, G_TYPE_OUTPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM,
                                                      connection_output_pollable_init))

static void
set_error_from_errno (GError **error, int saved_errno)
{
  g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
                       g_strerror (saved_errno));
}

static int
get_fd (AmpsHttpConnection *self)
{
  return g_socket_get_fd (self->socket);
}

/* One source where g_pollable_source_new_full() makes two. It does not recurse,
 * either, but GLib would wake up twice to take it out of poll() for each dispatch. */
typedef struct {
  GSource source;
  GObject *stream; /* (owned) */
  gpointer fd_tag;
} ReadySource;

static gboolean
ready_source_check (GSource *source)
{
  return g_source_query_unix_fd (source, ((ReadySource *) source)->fd_tag) != 0;
}

static gboolean
ready_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  GPollableSourceFunc func = (GPollableSourceFunc) (GCallback) callback;

  return func (((ReadySource *) source)->stream, user_data);
}

static void
ready_source_finalize (GSource *source)
{
  g_object_unref (((ReadySource *) source)->stream);
}

/* libsoup makes it the child of a source of its own, with a closure that does nothing. */
static gboolean
call_closure (GObject *stream, gpointer closure)
{
  GValue keep = G_VALUE_INIT;
  GValue argument = G_VALUE_INIT;
  gboolean kept;

  g_value_init (&keep, G_TYPE_BOOLEAN);
  g_value_init (&argument, G_TYPE_OBJECT);
  g_value_set_object (&argument, stream);
  g_closure_invoke (closure, &keep, 1, &argument, NULL);
  kept = g_value_get_boolean (&keep);
  g_value_unset (&argument);
  g_value_unset (&keep);
  return kept;
}

static GSourceFuncs ready_source_funcs = { .check = ready_source_check,
                                           .dispatch = ready_source_dispatch,
                                           .finalize = ready_source_finalize,
                                           .closure_callback = G_SOURCE_FUNC (call_closure) };

static GSource *
create_source (AmpsHttpConnection *self, gpointer stream, GIOCondition condition,
               GCancellable *cancellable)
{
  GSource *source = g_source_new (&ready_source_funcs, sizeof (ReadySource));
  ReadySource *ready = (ReadySource *) source;

  g_source_set_static_name (source, "HTTP connection");
  g_source_set_can_recurse (source, TRUE);
  ready->stream = g_object_ref (stream);
  ready->fd_tag = g_source_add_unix_fd (source, get_fd (self), condition);
  if (cancellable != NULL)
    {
      g_autoptr (GSource) cancelled = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (cancelled);
      g_source_add_child_source (source, cancelled);
    }
  return source;
}

static gboolean
is_ready (AmpsHttpConnection *self, GIOCondition condition)
{
  return g_socket_condition_check (self->socket, condition) != 0;
}

static gssize
read_nonblocking (GPollableInputStream *stream, void *buffer, gsize count, GError **error)
{
  AmpsHttpConnection *self = CONNECTION_INPUT (stream)->connection;
  ssize_t n;

  if (self->farewell_said)
    {
      set_error_from_errno (error, ECONNRESET);
      return -1;
    }

  if (self->budget == 0)
    {
      self->budget = READ_BUDGET;
      set_error_from_errno (error, EAGAIN);
      return -1;
    }

  do
    n = recv (get_fd (self), buffer, MIN (count, self->budget), 0);
  while (n < 0 && errno == EINTR);

  if (n > 0)
    {
      self->budget -= (gsize) n;
      return n;
    }
  if (n < 0 && errno == EAGAIN)
    {
      set_error_from_errno (error, errno);
      return -1;
    }

  /* To libsoup the end of the stream would complete half a request; an error does not. */
  if (!self->idle || count < sizeof farewell)
    {
      set_error_from_errno (error, ECONNRESET);
      return -1;
    }

  self->farewell_said = TRUE;
  memcpy (buffer, farewell, sizeof farewell);
  return sizeof farewell;
}

static gssize
connection_input_read (GInputStream *stream, void *buffer, gsize count,
                       GCancellable *cancellable G_GNUC_UNUSED, GError **error)
{
  return read_nonblocking (G_POLLABLE_INPUT_STREAM (stream), buffer, count, error);
}

static gboolean
connection_input_is_readable (GPollableInputStream *stream)
{
  AmpsHttpConnection *self = CONNECTION_INPUT (stream)->connection;

  return self->farewell_said || is_ready (self, G_IO_IN);
}

static GSource *
connection_input_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  return create_source (CONNECTION_INPUT (stream)->connection, stream, G_IO_IN, cancellable);
}

static void
connection_input_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = connection_input_is_readable;
  iface->create_source = connection_input_create_source;
  iface->read_nonblocking = read_nonblocking;
}

static void
connection_input_class_init (ConnectionInputClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = connection_input_read;
}

static void
connection_input_init (ConnectionInput *self G_GNUC_UNUSED)
{
}

static gssize
write_nonblocking (GPollableOutputStream *stream, const void *buffer, gsize count, GError **error)
{
  AmpsHttpConnection *self = CONNECTION_OUTPUT (stream)->connection;
  ssize_t n;

  do
    n = send (get_fd (self), buffer, count, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);

  if (n < 0)
    set_error_from_errno (error, errno);
  return n;
}

static gssize
connection_output_write (GOutputStream *stream, const void *buffer, gsize count,
                         GCancellable *cancellable G_GNUC_UNUSED, GError **error)
{
  return write_nonblocking (G_POLLABLE_OUTPUT_STREAM (stream), buffer, count, error);
}

static gboolean
connection_output_is_writable (GPollableOutputStream *stream)
{
  return is_ready (CONNECTION_OUTPUT (stream)->connection, G_IO_OUT);
}

static GSource *
connection_output_create_source (GPollableOutputStream *stream, GCancellable *cancellable)
{
  return create_source (CONNECTION_OUTPUT (stream)->connection, stream, G_IO_OUT, cancellable);
}

static void
connection_output_pollable_init (GPollableOutputStreamInterface *iface)
{
  iface->is_writable = connection_output_is_writable;
  iface->create_source = connection_output_create_source;
  iface->write_nonblocking = write_nonblocking;
}

static void
connection_output_class_init (ConnectionOutputClass *klass)
{
  G_OUTPUT_STREAM_CLASS (klass)->write_fn = connection_output_write;
}

static void
connection_output_init (ConnectionOutput *self G_GNUC_UNUSED)
{
}

static GInputStream *
amps_http_connection_get_input (GIOStream *stream)
{
  return AMPS_HTTP_CONNECTION (stream)->input;
}

static GOutputStream *
amps_http_connection_get_output (GIOStream *stream)
{
  return AMPS_HTTP_CONNECTION (stream)->output;
}

static gboolean
amps_http_connection_close (GIOStream *stream, GCancellable *cancellable G_GNUC_UNUSED,
                            GError **error)
{
  return g_socket_close (AMPS_HTTP_CONNECTION (stream)->socket, error);
}

static void
amps_http_connection_finalize (GObject *object)
{
  AmpsHttpConnection *self = AMPS_HTTP_CONNECTION (object);

  g_object_set_qdata (G_OBJECT (self->remote_address), connection_of_address_quark (), NULL);
  g_object_unref (self->remote_address);
  g_object_unref (self->local_address);
  g_object_unref (self->input);
  g_object_unref (self->output);
  g_object_unref (self->socket);

  G_OBJECT_CLASS (amps_http_connection_parent_class)->finalize (object);
}

static void
amps_http_connection_class_init (AmpsHttpConnectionClass *klass)
{
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  stream_class->get_input_stream = amps_http_connection_get_input;
  stream_class->get_output_stream = amps_http_connection_get_output;
  stream_class->close_fn = amps_http_connection_close;
  G_OBJECT_CLASS (klass)->finalize = amps_http_connection_finalize;
}

static void
amps_http_connection_init (AmpsHttpConnection *self)
{
  ConnectionInput *input = g_object_new (TYPE_CONNECTION_INPUT, NULL);
  ConnectionOutput *output = g_object_new (TYPE_CONNECTION_OUTPUT, NULL);

  input->connection = self;
  output->connection = self;
  self->input = G_INPUT_STREAM (input);
  self->output = G_OUTPUT_STREAM (output);
  self->budget = READ_BUDGET;
  self->due = -1;
}

/**
 * amps_http_connection_new:
 * @socket: (transfer none): a connected TCP socket
 * @error: return location, for a socket whose peer has gone already
 *
 * Returns: (transfer full) (nullable): a connection
 */
AmpsHttpConnection *
amps_http_connection_new (GSocket *socket, GError **error)
{
  g_autoptr (GSocketAddress) local_address = g_socket_get_local_address (socket, error);
  g_autoptr (GSocketAddress) remote_address = NULL;

  if (local_address == NULL)
    return NULL;
  remote_address = g_socket_get_remote_address (socket, error);
  if (remote_address == NULL)
    return NULL;

  AmpsHttpConnection *self = g_object_new (AMPS_TYPE_HTTP_CONNECTION, NULL);

  g_socket_set_blocking (socket, FALSE);
  self->socket = g_object_ref (socket);
  self->local_address = g_steal_pointer (&local_address);
  self->remote_address = g_steal_pointer (&remote_address);
  g_object_set_qdata (G_OBJECT (self->remote_address), connection_of_address_quark (), self);
  return self;
}

/**
 * amps_http_connection_from_message:
 * @message: a message of a SoupServer
 *
 * Returns: (transfer none) (nullable): the connection that @message came by, if
 *   there still is one
 */
AmpsHttpConnection *
amps_http_connection_from_message (SoupServerMessage *message)
{
  GSocketAddress *address = soup_server_message_get_remote_address (message);

  return g_object_get_qdata (G_OBJECT (address), connection_of_address_quark ());
}

/**
 * amps_http_connection_get_socket:
 * @self: a connection
 *
 * Returns: (transfer none): its socket
 */
GSocket *
amps_http_connection_get_socket (AmpsHttpConnection *self)
{
  return self->socket;
}

/**
 * amps_http_connection_get_local_address:
 * @self: a connection
 *
 * Returns: (transfer none): its own end
 */
GSocketAddress *
amps_http_connection_get_local_address (AmpsHttpConnection *self)
{
  return self->local_address;
}

/**
 * amps_http_connection_get_remote_address:
 * @self: a connection
 *
 * Returns: (transfer none): the peer's end; an object of this connection alone
 */
GSocketAddress *
amps_http_connection_get_remote_address (AmpsHttpConnection *self)
{
  return self->remote_address;
}

/**
 * amps_http_connection_set_idle:
 * @self: a connection
 * @idle: whether it has answered and nothing of another request has come
 */
void
amps_http_connection_set_idle (AmpsHttpConnection *self, gboolean idle)
{
  self->idle = idle;
}

/**
 * amps_http_connection_is_idle:
 * @self: a connection
 *
 * Returns: whether it is between two requests and has not ended
 */
gboolean
amps_http_connection_is_idle (AmpsHttpConnection *self)
{
  return self->idle && !self->farewell_said && !self->ended;
}

/**
 * amps_http_connection_set_due:
 * @self: a connection
 * @due: monotonic µs when what it does now has taken too long; -1 for never
 */
void
amps_http_connection_set_due (AmpsHttpConnection *self, gint64 due)
{
  self->due = due;
}

/**
 * amps_http_connection_get_due:
 * @self: a connection
 *
 * Returns: monotonic µs, or -1; see [method@Amps.HttpConnection.set_due]
 */
gint64
amps_http_connection_get_due (AmpsHttpConnection *self)
{
  return self->due;
}

/**
 * amps_http_connection_end:
 * @self: a connection
 *
 * Ends it as if the peer had gone, which lets libsoup clean up after itself.
 */
void
amps_http_connection_end (AmpsHttpConnection *self)
{
  self->ended = TRUE;
  self->due = -1;
  if (!g_socket_is_closed (self->socket))
    shutdown (get_fd (self), SHUT_RDWR);
}
