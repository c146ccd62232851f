/* SPDX-License-Identifier: MIT */
#include "amps-http-connection.h"

#include "amps-http-ready-source.h"

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
/* What is read at once behind the beginning of a head. */
#define READ_SIZE 8192

struct _AmpsHttpConnection {
  GIOStream parent_instance;

  AmpsClock *clock;               /* (owned) */
  GSocket *socket;                /* (owned) */
  AmpsReadable *readable;         /* (owned) of that */
  GSocketAddress *local_address;  /* (owned) */
  GSocketAddress *remote_address; /* (owned) of this connection alone; leads back to it */
  GInputStream *input;            /* (owned) */
  GOutputStream *output;          /* (owned) */
  gsize budget;                   /* bytes to be read until another turn of the main loop */
  AmpsHttpFraming framing;
  GByteArray *kept; /* (owned) (nullable): what has come and libsoup has not got */
  gsize n_ready;    /* how much of that it may get */
  AmpsHttpConnectionRefuse refuse;
  gpointer user_data;
  gboolean idle;  /* for libsoup, which has got nothing of another request */
  gboolean taken; /* from libsoup */
  gboolean farewell_said;
  AmpsHttpStanding standing;
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
http_connection_get_fd (AmpsHttpConnection *self)
{
  return g_socket_get_fd (self->socket);
}

/* Whether libsoup need not wait for the peer. */
static gboolean
has_news (AmpsHttpConnection *self)
{
  return self->farewell_said || self->n_ready > 0 ||
         amps_http_framing_get_problem (&self->framing) != NULL;
}

static gboolean
is_ready (AmpsHttpConnection *self, GIOCondition condition)
{
  return g_socket_condition_check (self->socket, condition) != 0;
}

static void
enter_stage (AmpsHttpConnection *self, AmpsHttpStage stage)
{
  amps_http_standing_enter (&self->standing, stage, amps_clock_get_monotonic_time (self->clock));
}

static void
http_connection_keep (AmpsHttpConnection *self, const char *data, gsize length)
{
  self->kept = g_byte_array_new ();
  g_byte_array_append (self->kept, (const guint8 *) data, (unsigned int) length);
  if (self->standing.stage == AMPS_HTTP_STAGE_IDLE)
    enter_stage (self, AMPS_HTTP_STAGE_HEAD);
}

/* To libsoup the end of the stream would complete half a request; an error does not. */
static gssize
say_farewell (AmpsHttpConnection *self, void *buffer, gsize count, GError **error)
{
  if (!self->idle || self->farewell_said || count < sizeof farewell)
    {
      set_error_from_errno (error, ECONNRESET);
      return -1;
    }

  self->farewell_said = TRUE;
  memcpy (buffer, farewell, sizeof farewell);
  return sizeof farewell;
}

static gssize
http_connection_receive (AmpsHttpConnection *self, void *buffer, gsize count)
{
  gssize n;

  if (self->budget == 0)
    {
      self->budget = READ_BUDGET;
      errno = EAGAIN;
      return -1;
    }

  n = amps_readable_receive (self->readable, buffer, MIN (count, self->budget));
  if (n > 0)
    self->budget -= (gsize) n;
  return n;
}

static void
drop_kept (AmpsHttpConnection *self)
{
  self->n_ready = 0;
  g_clear_pointer (&self->kept, g_byte_array_unref);
}

static gssize
take_ready (AmpsHttpConnection *self, void *buffer, gsize count)
{
  gsize n = MIN (count, self->n_ready);

  memcpy (buffer, self->kept->data, n);
  self->n_ready -= n;
  if (n == self->kept->len)
    drop_kept (self);
  else
    g_byte_array_remove_range (self->kept, 0, (unsigned int) n);
  return (gssize) n;
}

/* Most often whole requests come, and nothing is kept. */
static gssize
fill_buffer (AmpsHttpConnection *self, char *buffer, gsize count)
{
  gssize n = http_connection_receive (self, buffer, count);

  if (n <= 0)
    return n;

  gsize length = (gsize) n;
  gsize passed = amps_http_framing_filter (&self->framing, buffer, &length);

  if (length > passed)
    http_connection_keep (self, buffer + passed, length - passed);
  if (passed > 0)
    return (gssize) passed;
  errno = EAGAIN;
  return -1;
}

static gssize
fill_kept (AmpsHttpConnection *self, char *buffer, gsize count)
{
  gsize length = self->kept->len;
  gssize n;

  g_byte_array_set_size (self->kept, (unsigned int) (length + READ_SIZE));
  n = http_connection_receive (self, self->kept->data + length, READ_SIZE);
  if (n > 0)
    {
      length += (gsize) n;
      self->n_ready = amps_http_framing_filter (&self->framing, (char *) self->kept->data, &length);
    }
  g_byte_array_set_size (self->kept, (unsigned int) length);
  if (n <= 0)
    return n;
  if (self->n_ready > 0)
    return take_ready (self, buffer, count);
  errno = EAGAIN;
  return -1;
}

static gssize
read_nonblocking (GPollableInputStream *stream, void *buffer, gsize count, GError **error)
{
  AmpsHttpConnection *self = CONNECTION_INPUT (stream)->connection;
  gssize n = -1;

  if (self->taken || self->standing.stage == AMPS_HTTP_STAGE_ENDED || self->farewell_said)
    return say_farewell (self, buffer, count, error);
  if (self->n_ready > 0)
    return take_ready (self, buffer, count);

  if (amps_http_framing_get_problem (&self->framing) == NULL)
    n = self->kept != NULL ? fill_kept (self, buffer, count) : fill_buffer (self, buffer, count);
  if (n > 0)
    return n;
  if (amps_http_framing_get_problem (&self->framing) != NULL)
    {
      /* libsoup has answered all that it got before, or it would not read on. */
      self->refuse (self, amps_http_framing_get_problem (&self->framing), self->user_data);
    }
  else if (n < 0 && errno == EAGAIN)
    {
      set_error_from_errno (error, errno);
      return -1;
    }

  return say_farewell (self, buffer, count, error);
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

  return has_news (self) || is_ready (self, G_IO_IN);
}

static GSource *
connection_input_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  AmpsHttpConnection *self = CONNECTION_INPUT (stream)->connection;
  GSource *source =
      amps_http_ready_source_new_for_input (G_OBJECT (stream), self->readable, cancellable);

  if (has_news (self))
    g_source_set_ready_time (source, 0);
  return source;
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

  if (self->taken)
    {
      set_error_from_errno (error, ECONNRESET);
      return -1;
    }

  do
    n = send (http_connection_get_fd (self), buffer, count, MSG_NOSIGNAL);
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
  AmpsHttpConnection *self = CONNECTION_OUTPUT (stream)->connection;

  return amps_http_ready_source_new (G_OBJECT (stream), http_connection_get_fd (self), G_IO_OUT,
                                     cancellable);
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
  AmpsHttpConnection *self = AMPS_HTTP_CONNECTION (stream);

  amps_readable_forget (self->readable);
  return self->taken || g_socket_close (self->socket, error);
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
  drop_kept (self);
  amps_readable_unref (self->readable);
  g_object_unref (self->socket);
  g_object_unref (self->clock);

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
}

/* libsoup makes a URI of it for requests without a Host, and takes it for an address of
 * the Internet's then. */
static GSocketAddress *
get_local_address (GSocket *socket, GError **error)
{
  if (g_socket_get_family (socket) == G_SOCKET_FAMILY_UNIX)
    return g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  return g_socket_get_local_address (socket, error);
}

/**
 * amps_http_connection_new:
 * @socket: (transfer none): a connected TCP or unix socket
 * @clock: the time
 * @readiness: tells when something comes
 * @max_body_size: bytes that the body of a request may have
 * @refuse: (scope forever): called when what has come is no request that AMPS reads; has
 *   to take the connection from libsoup
 * @user_data: passed to @refuse
 * @error: return location, for a socket whose peer has gone already
 *
 * Returns: (transfer full) (nullable): a connection
 */
AmpsHttpConnection *
amps_http_connection_new (GSocket *socket, AmpsClock *clock, AmpsReadiness *readiness,
                          gsize max_body_size, AmpsHttpConnectionRefuse refuse, gpointer user_data,
                          GError **error)
{
  g_autoptr (GSocketAddress) local_address = get_local_address (socket, error);
  g_autoptr (GSocketAddress) remote_address = NULL;

  if (local_address == NULL)
    return NULL;
  remote_address = g_socket_get_remote_address (socket, error);
  if (remote_address == NULL)
    return NULL;

  AmpsHttpConnection *self = g_object_new (AMPS_TYPE_HTTP_CONNECTION, NULL);

  g_socket_set_blocking (socket, FALSE);
  self->socket = g_object_ref (socket);
  self->readable = amps_readiness_watch (readiness, g_socket_get_fd (socket));
  self->clock = g_object_ref (clock);
  amps_http_framing_init (&self->framing, max_body_size);
  self->refuse = refuse;
  self->user_data = user_data;
  self->local_address = g_steal_pointer (&local_address);
  self->remote_address = g_steal_pointer (&remote_address);
  g_object_set_qdata (G_OBJECT (self->remote_address), connection_of_address_quark (), self);
  amps_http_standing_init (&self->standing, self->remote_address, self->local_address,
                           amps_clock_get_monotonic_time (clock));
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
 * amps_http_connection_take:
 * @self: a connection
 *
 * Takes the socket from libsoup, to which it will be as if the peer had gone.
 *
 * Returns: (transfer none): the socket, for the caller to close
 */
GSocket *
amps_http_connection_take (AmpsHttpConnection *self)
{
  enter_stage (self, AMPS_HTTP_STAGE_CLOSING);
  self->taken = TRUE;
  drop_kept (self);
  amps_readable_forget (self->readable);
  return self->socket;
}

/**
 * amps_http_connection_get_local_address:
 * @self: a connection
 *
 * Returns: (transfer none): its own end; loopback in the place of a unix socket's
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
 * amps_http_connection_get_standing:
 * @self: a connection
 *
 * Returns: (transfer none): what decides whether it may stay
 */
const AmpsHttpStanding *
amps_http_connection_get_standing (AmpsHttpConnection *self)
{
  return &self->standing;
}

/**
 * amps_http_connection_set_stage:
 * @self: a connection
 * @stage: what it does now
 *
 * Does nothing once it was taken from libsoup, which may still say what was under
 * way then.
 */
void
amps_http_connection_set_stage (AmpsHttpConnection *self, AmpsHttpStage stage)
{
  self->idle = stage == AMPS_HTTP_STAGE_IDLE;
  if (self->idle && self->kept != NULL)
    stage = AMPS_HTTP_STAGE_HEAD;
  if (!self->taken && self->standing.stage != AMPS_HTTP_STAGE_ENDED)
    enter_stage (self, stage);
}

/**
 * amps_http_connection_is_late:
 * @self: a connection
 *
 * Returns: whether what it does now has taken too long
 */
gboolean
amps_http_connection_is_late (AmpsHttpConnection *self)
{
  return amps_http_standing_is_late (&self->standing, amps_clock_get_monotonic_time (self->clock));
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
  enter_stage (self, AMPS_HTTP_STAGE_ENDED);
  if (!g_socket_is_closed (self->socket))
    shutdown (http_connection_get_fd (self), SHUT_RDWR);
}

/**
 * amps_http_connection_abort:
 * @self: a connection
 *
 * Ends it because it has taken too long, or because another needs its place. A peer
 * that is sending is told: behind a closed window it would not notice for a minute.
 */
void
amps_http_connection_abort (AmpsHttpConnection *self)
{
  static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

  if (self->standing.stage != AMPS_HTTP_STAGE_IDLE && !g_socket_is_closed (self->socket))
    setsockopt (http_connection_get_fd (self), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  amps_http_connection_end (self);
}
