/* SPDX-License-Identifier: MIT */
#include "amps-pooled-session.h"

#include "base/amps-tls-peer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

typedef struct {
  guint64 id;      /* libsoup's */
  GSocket *socket; /* (weak) */
} Connection;

struct _AmpsPooledSession {
  SoupSession *session;       /* (owned) */
  GSource *source;            /* (owned) (nullable) runs @context */
  GMainContext *context;      /* (unowned) (nullable) %NULL for the main context */
  gboolean own_context;       /* which goes with it */
  gboolean alone;             /* no other request is under way */
  GArray *connections;        /* (owned) of Connection: those that libsoup has */
  GPtrArray *messages;        /* (owned) of SoupMessage (unowned): what is sent */
  AmpsConnectionWatch *watch; /* (unowned) (nullable) of all connections */
  gboolean tls;               /* on all connections */
  unsigned int size;          /* of connections at most */
  unsigned int n_ended;       /* what @watch had counted when a connection was last looked for */
  unsigned int n_busy;
  unsigned int n_idle;
  gint64 idle_since[]; /* monotonic µs, rising: since when each idle one is */
};

static void
pooled_session_on_socket_gone (gpointer user_data, GObject *socket)
{
  AmpsPooledSession *self = user_data;

  for (unsigned int i = 0; i < self->connections->len; i++)
    if ((GObject *) g_array_index (self->connections, Connection, i).socket == socket)
      {
        g_array_remove_index_fast (self->connections, i);
        return;
      }
}

/* A handshake of TLS is not held back. A socket of AF_UNIX has nothing to hold back. */
static gboolean
may_hold_back (AmpsPooledSession *self, GSocket *socket)
{
  return !self->tls && g_socket_get_family (socket) != G_SOCKET_FAMILY_UNIX;
}

static void
pooled_session_on_network_event (SoupMessage *message, GSocketClientEvent event, GIOStream *stream,
                                 AmpsPooledSession *self)
{
  Connection connection = { soup_message_get_connection_id (message), NULL };

  if (self->tls)
    amps_tls_peer_keep_address (event, stream);
  if (event != G_SOCKET_CLIENT_CONNECTED)
    return;

  connection.socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream));
  if (may_hold_back (self, connection.socket))
    g_socket_set_option (connection.socket, IPPROTO_TCP, TCP_CORK, TRUE, NULL);
  g_object_weak_ref (G_OBJECT (connection.socket), pooled_session_on_socket_gone, self);
  g_array_append_val (self->connections, connection);
  if (self->watch != NULL)
    amps_connection_watch_add (self->watch, connection.socket);
}

/**
 * amps_pooled_session_new:
 * @endpoint: where connections lead
 * @context_source: (nullable): what amps_context_source_new() makes; %NULL for the main
 *   context
 * @context: (nullable): of @context_source, which outlives it; %NULL for one of its own
 * @size: how many connections it may have
 * @watch: (nullable): what watches them, and outlives them
 *
 * Returns: (transfer full) (nullable): a session without a connection; %NULL if the
 *   process has too few descriptors left for another context
 */
AmpsPooledSession *
amps_pooled_session_new (AmpsEndpoint *endpoint, GSource *context_source, GMainContext *context,
                         unsigned int size, AmpsConnectionWatch *watch)
{
  g_return_val_if_fail (AMPS_IS_ENDPOINT (endpoint), NULL);

  gboolean own = context_source != NULL && context == NULL;
  AmpsPooledSession *self;

  if (own)
    context = amps_context_source_add (context_source);
  if (context_source != NULL && context == NULL)
    return NULL;

  self = g_malloc0 (sizeof (AmpsPooledSession) + size * sizeof self->idle_since[0]);
  self->size = size;
  self->watch = watch;
  self->tls = amps_endpoint_is_tls (endpoint);
  self->connections = g_array_new (FALSE, FALSE, sizeof (Connection));
  self->messages = g_ptr_array_new ();
  self->context = context;
  self->own_context = own;
  if (context_source != NULL)
    self->source = g_source_ref (context_source);

  g_main_context_push_thread_default (context);
  self->session = amps_endpoint_create_session (endpoint, size, 0);
  g_main_context_pop_thread_default (context);
  return self;
}

/**
 * amps_pooled_session_free:
 * @self: (transfer full): a session of which no connection is busy
 *
 * Closes its connections.
 */
void
amps_pooled_session_free (AmpsPooledSession *self)
{
  g_object_unref (self->session);
  if (self->own_context)
    amps_context_source_remove (self->source, self->context);
  else
    amps_pooled_session_wake (self);
  g_clear_pointer (&self->source, g_source_unref);
  for (unsigned int i = 0; i < self->connections->len; i++)
    g_object_weak_unref (G_OBJECT (g_array_index (self->connections, Connection, i).socket),
                         pooled_session_on_socket_gone, self);
  g_array_unref (self->connections);
  g_ptr_array_unref (self->messages);
  g_free (self);
}

/**
 * amps_pooled_session_is_shared:
 * @self: a session
 *
 * Returns: whether it may have more than one connection
 */
gboolean
amps_pooled_session_is_shared (AmpsPooledSession *self)
{
  return self->size > 1;
}

/**
 * amps_pooled_session_has_room:
 * @self: a session
 *
 * Returns: whether it may have another connection
 */
gboolean
amps_pooled_session_has_room (AmpsPooledSession *self)
{
  return self->n_busy + self->n_idle < self->size;
}

/**
 * amps_pooled_session_get_idle_since:
 * @self: a session
 *
 * Returns: monotonic µs since when one of its connections may have been idle, or -1 if
 *   none is
 */
gint64
amps_pooled_session_get_idle_since (AmpsPooledSession *self)
{
  return self->n_idle > 0 ? self->idle_since[0] : -1;
}

/**
 * amps_pooled_session_take_new:
 * @self: a session that has room
 *
 * Makes use of a connection that is still to be made.
 */
void
amps_pooled_session_take_new (AmpsPooledSession *self)
{
  g_return_if_fail (amps_pooled_session_has_room (self));

  self->n_busy++;
}

/**
 * amps_pooled_session_take_idle:
 * @self: a session that has an idle connection
 *
 * Makes use of it.
 */
void
amps_pooled_session_take_idle (AmpsPooledSession *self)
{
  g_return_if_fail (self->n_idle > 0);

  self->n_idle--;
  self->n_busy++;
}

/**
 * amps_pooled_session_set_alone:
 * @self: a session, of which a connection has been taken
 * @alone: whether no other request is under way, in any session
 */
void
amps_pooled_session_set_alone (AmpsPooledSession *self, gboolean alone)
{
  self->alone = alone;
}

/**
 * amps_pooled_session_give_back:
 * @self: a session
 * @message: (nullable): what was sent, if it was
 * @now: monotonic µs
 *
 * Ends the use of a connection.
 */
void
amps_pooled_session_give_back (AmpsPooledSession *self, SoupMessage *message, gint64 now)
{
  g_return_if_fail (self->n_busy > 0);

  if (message != NULL && g_ptr_array_remove_fast (self->messages, message))
    g_signal_handlers_disconnect_by_data (message, self);
  self->n_busy--;
  self->idle_since[self->n_idle++] = now;
}

static gboolean
is_in_use (AmpsPooledSession *self, guint64 id)
{
  for (unsigned int i = 0; i < self->messages->len; i++)
    if (soup_message_get_connection_id (g_ptr_array_index (self->messages, i)) == id)
      return TRUE;

  return FALSE;
}

/**
 * amps_pooled_session_close_idle:
 * @self: a session
 *
 * Closes all connections that are idle. Not to be called in the session's context, where
 * libsoup may be about to use one.
 *
 * libsoup only does that by a timer, which also closes a connection that a request has
 * taken in the same turn of the main loop, so that the request never ends. But it uses
 * none whose socket is closed.
 *
 * Returns: how many that were
 */
unsigned int
amps_pooled_session_close_idle (AmpsPooledSession *self)
{
  unsigned int n_closed = self->n_idle;

  for (unsigned int i = 0; i < self->connections->len; i++)
    {
      const Connection *connection = &g_array_index (self->connections, Connection, i);

      if (!is_in_use (self, connection->id))
        g_socket_close (connection->socket, NULL);
    }

  self->n_idle = 0;
  return n_closed;
}

/**
 * amps_pooled_session_is_empty:
 * @self: a session
 *
 * Returns: whether it has no connection, busy or idle
 */
gboolean
amps_pooled_session_is_empty (AmpsPooledSession *self)
{
  return self->n_busy + self->n_idle == 0;
}

/* A single connection is used again, unless the workload has ended it. */
static gboolean
may_connect (AmpsPooledSession *self)
{
  unsigned int n_ended =
      self->watch != NULL ? amps_connection_watch_get_n_ended (self->watch) : self->n_ended;

  if (self->size == 1 && self->connections->len == 1 && n_ended == self->n_ended &&
      !g_socket_is_closed (g_array_index (self->connections, Connection, 0).socket))
    return FALSE;

  self->n_ended = n_ended;
  return TRUE;
}

static void
disconnect_all (SoupMessage *message, const char *signal)
{
  unsigned int id = g_signal_lookup (signal, SOUP_TYPE_MESSAGE);
  gulong handler;

  while ((handler = g_signal_handler_find (message, G_SIGNAL_MATCH_ID, id, 0, NULL, NULL, NULL)) >
         0)
    g_signal_handler_disconnect (message, handler);
}

/**
 * amps_pooled_session_send_async:
 * @self: a session, of which a connection has been taken
 * @message: a request
 * @cancellable: (nullable): stops it
 * @callback: called with the answer, in the session's main context
 * @user_data: passed to @callback
 *
 * soup_session_send_async() in the session's main context, except that an answer 421
 * is given to @callback like any other. libsoup would send @message again, which a
 * client may (RFC 9110, section 15.5.20); but the workload has had it.
 */
void
amps_pooled_session_send_async (AmpsPooledSession *self, SoupMessage *message,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  /* A single connection is closed with the session. */
  if (self->size > 1)
    g_ptr_array_add (self->messages, message);
  if (may_connect (self))
    g_signal_connect (message, "network-event", G_CALLBACK (pooled_session_on_network_event), self);

  g_main_context_push_thread_default (self->context);
  soup_session_send_async (self->session, message, G_PRIORITY_DEFAULT, cancellable, callback,
                           user_data);
  g_main_context_pop_thread_default (self->context);

  disconnect_all (message, "got-body");
  /* Nor for any other reason, or in another order: many that wait need not remember what
   * would be to do then. */
  disconnect_all (message, "restarted");
  disconnect_all (message, "notify");

  /* To send it takes several steps. Where there are many, they are taken together. */
  if (self->source != NULL && self->alone)
    amps_context_source_run (self->source, self->context);
  else
    amps_pooled_session_wake (self);
}

/**
 * amps_pooled_session_wake:
 * @self: a session
 *
 * To be called when what is sent has been cancelled.
 */
void
amps_pooled_session_wake (AmpsPooledSession *self)
{
  if (self->source != NULL)
    amps_context_source_wake (self->source, self->context);
}

/**
 * amps_pooled_session_call:
 * @self: a session
 * @func: (scope async): called once, in the main context
 * @user_data: passed to @func
 *
 * Goes on with what has happened in the session's context.
 */
void
amps_pooled_session_call (AmpsPooledSession *self, AmpsContextSourceFunc func, gpointer user_data)
{
  if (self->source != NULL)
    amps_context_source_call (self->source, func, user_data);
  else
    func (user_data);
}

/**
 * amps_pooled_session_get_socket:
 * @self: a session
 * @message: what is being sent
 *
 * Returns: (transfer none) (nullable): the connection that it is sent on
 */
GSocket *
amps_pooled_session_get_socket (AmpsPooledSession *self, SoupMessage *message)
{
  guint64 id = soup_message_get_connection_id (message);

  for (unsigned int i = 0; i < self->connections->len; i++)
    {
      const Connection *connection = &g_array_index (self->connections, Connection, i);

      if (connection->id == id && !g_socket_is_closed (connection->socket))
        return connection->socket;
    }

  return NULL;
}

/**
 * amps_pooled_session_end_sending:
 * @self: a session
 * @message: what has been written, as a whole
 *
 * Lets go of what was there to send it, and lets the kernel send the rest of it. libsoup
 * writes the head and the body of a request one after the other; the kernel keeps what does
 * not fill a segment until it is told here (tcp(7), `TCP_CORK` and `TCP_NODELAY`, 200 ms at
 * most). So they are one segment, and the workload wakes up once.
 */
void
amps_pooled_session_end_sending (AmpsPooledSession *self, SoupMessage *message)
{
  GSocket *socket = amps_pooled_session_get_socket (self, message);

  if (socket != NULL && may_hold_back (self, socket))
    g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  g_signal_handlers_disconnect_by_data (message, self);
}
