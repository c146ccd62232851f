/* SPDX-License-Identifier: MIT */
#include "amps-http-listener.h"

#include "amps-http-body.h"
#include "amps-http-connection.h"
#include "amps-http-linger.h"
#include "amps-http-socket.h"
#include "amps-reply.h"
#include "base/amps-error.h"
#include "base/amps-log-throttle.h"
#include "base/amps-log.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* SoupServer limits neither bodies nor time, and a failed accept() ends its listening for
 * good. So AMPS accepts for itself and watches each connection. */

#define ACCEPTS_PER_TURN 64
#define SWEEP_INTERVAL AMPS_SECONDS (1)

/* Of large bodies there may be at once: four of the largest, or many smaller ones. */
#define LARGE_BODIES 4
#define MIN_BUDGET (64 * 1024 * 1024)
#define NO_ROOM "other requests use all the memory for large bodies; try again later"
/* Bodies over this many bytes are collected, see [func@Amps.HttpBody.collect]. */
#define LARGE_BODY (64 * 1024)

struct _AmpsHttpListener {
  GObject parent_instance;

  AmpsClock *clock;         /* (owned) */
  AmpsReadiness *readiness; /* (owned) of all connections */
  unsigned int max_connections;
  gsize max_body_size;
  AmpsByteBudget *budget; /* (owned) of large bodies */
  AmpsHttpListenerFuncs funcs;
  gpointer user_data;

  SoupServer *server;      /* (owned) */
  GPtrArray *sockets;      /* (owned) of (owned) AmpsHttpSocket */
  GSource *sweep_timer;    /* (owned) */
  AmpsLogThrottle *faults; /* (owned) of accepting */
  GHashTable *connections; /* (owned) of AmpsHttpConnection, which libsoup owns */
};

G_DEFINE_FINAL_TYPE (AmpsHttpListener, amps_http_listener, G_TYPE_OBJECT)

static void start_accepting (AmpsHttpListener *self);

static void
stop_accepting (AmpsHttpListener *self)
{
  for (unsigned int i = 0; i < self->sockets->len; i++)
    amps_http_socket_stop (g_ptr_array_index (self->sockets, i));
}

static void
schedule_sweep (AmpsHttpListener *self)
{
  if (amps_timer_get_due (self->sweep_timer) < 0)
    amps_timer_set_due (self->sweep_timer,
                        amps_clock_get_monotonic_time (self->clock) + SWEEP_INTERVAL);
}

static gboolean
on_sweep (gpointer user_data)
{
  AmpsHttpListener *self = user_data;
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (amps_http_connection_is_late (key))
      amps_http_connection_abort (key);

  start_accepting (self);
  if (g_hash_table_size (self->connections) > 0)
    schedule_sweep (self);
  return G_SOURCE_CONTINUE;
}

static void
set_stage (SoupServerMessage *message, AmpsHttpStage stage)
{
  AmpsHttpConnection *connection = amps_http_connection_from_message (message);

  if (connection != NULL)
    amps_http_connection_set_stage (connection, stage);
}

static void
on_request_started (AmpsHttpListener *self G_GNUC_UNUSED, SoupServerMessage *message)
{
  set_stage (message, AMPS_HTTP_STAGE_HEAD);
}

static void
tell_answered (AmpsHttpListener *self, SoupServerMessage *message, unsigned int status)
{
  if (self->funcs.answered != NULL)
    self->funcs.answered (message, status, self->user_data);
}

static void
on_request_finished (AmpsHttpListener *self, SoupServerMessage *message)
{
  if (amps_http_connection_from_message (message) == NULL)
    return;
  set_stage (message, AMPS_HTTP_STAGE_IDLE);
  tell_answered (self, message, soup_server_message_get_status (message));
}

/* Answers and closes without having read the rest. */
static void
refuse_request (AmpsHttpConnection *connection, const AmpsHttpProblem *problem, gpointer user_data)
{
  AmpsHttpListener *self = user_data;
  g_autofree char *answer =
      amps_reply_format_refusal (problem->status, problem->title, problem->detail);

  tell_answered (self, NULL, problem->status);
  amps_http_linger (connection, answer);
}

/* The same for a request that libsoup has begun to read. */
static void
refuse_body (AmpsHttpListener *self, SoupServerMessage *message, AmpsError code, const char *detail)
{
  AmpsHttpConnection *connection = amps_http_connection_from_message (message);

  if (connection == NULL)
    return;

  g_autoptr (AmpsHttpConnection) kept = g_object_ref (connection);
  const AmpsErrorInfo *info = amps_error_get_info (code);
  g_autofree char *answer = amps_reply_format_refusal (info->http_status, info->title, detail);

  tell_answered (self, message, info->http_status);
  g_object_unref (soup_server_message_steal_connection (message));
  amps_http_linger (kept, answer);
}

static void
on_got_chunk (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  if (!amps_http_body_append (message, chunk))
    refuse_body (user_data, message, AMPS_ERROR_EXHAUSTED, NO_ROOM);
}

static void
collect_body (AmpsHttpListener *self, SoupServerMessage *message, SoupMessageHeaders *headers)
{
  gboolean chunked = soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CHUNKED;
  gsize length = (gsize) soup_message_headers_get_content_length (headers);

  /* Nobody looks at the body of a GET. */
  if (soup_server_message_get_method (message) != SOUP_METHOD_POST)
    soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  else if (chunked || length > LARGE_BODY)
    {
      amps_http_body_collect (message, self->budget, length);
      g_signal_connect (message, "got-chunk", G_CALLBACK (on_got_chunk), self);
    }
}

static void
on_headers (SoupServer *server G_GNUC_UNUSED, SoupServerMessage *message, const char *path,
            GHashTable *query G_GNUC_UNUSED, gpointer user_data)
{
  AmpsHttpListener *self = user_data;
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);

  if (soup_message_headers_get_content_length (headers) > (goffset) self->max_body_size)
    {
      g_autofree char *detail = g_strdup_printf (
          "the body is over the limit (MAX_BODY_SIZE) of %" G_GSIZE_FORMAT " bytes",
          self->max_body_size);

      refuse_body (self, message, AMPS_ERROR_TOO_LARGE, detail);
      return;
    }

  self->funcs.check (message, path, self->user_data);
  if (soup_server_message_get_status (message) != 0)
    return;
  set_stage (message, AMPS_HTTP_STAGE_BODY);
  collect_body (self, message, headers);
}

static void
on_request (SoupServer *server G_GNUC_UNUSED, SoupServerMessage *message, const char *path,
            GHashTable *query G_GNUC_UNUSED, gpointer user_data)
{
  AmpsHttpListener *self = user_data;

  set_stage (message, AMPS_HTTP_STAGE_ANSWER);
  self->funcs.handle (message, path, self->user_data);
}

static void
on_connection_gone (gpointer user_data, GObject *connection)
{
  AmpsHttpListener *self = user_data;

  g_hash_table_remove (self->connections, connection);
  start_accepting (self);
}

static AmpsHttpConnection *
find_connection (AmpsHttpListener *self, const AmpsHttpStanding *standing)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (amps_http_connection_get_standing (key) == standing)
      return key;
  return NULL;
}

/* @other: (out) (nullable): what goes in its place */
static AmpsHttpDecision
decide (AmpsHttpListener *self, const AmpsHttpStanding *newcomer, AmpsHttpConnection **other)
{
  AmpsHttpAdmission admission;
  const AmpsHttpStanding *standing;
  AmpsHttpDecision decision;
  GHashTableIter iter;
  gpointer key;

  amps_http_admission_init (&admission, newcomer, amps_clock_get_monotonic_time (self->clock));
  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    amps_http_admission_add (&admission, amps_http_connection_get_standing (key));

  decision = amps_http_admission_decide (&admission, self->max_connections, &standing);
  *other = decision == AMPS_HTTP_REPLACE ? find_connection (self, standing) : NULL;
  return decision;
}

/* Those that can't be taken now wait in the backlog. */
static gboolean
has_place (AmpsHttpListener *self)
{
  static const AmpsHttpStanding anybody = { .is_local = TRUE };
  AmpsHttpConnection *other;

  return g_hash_table_size (self->connections) < self->max_connections ||
         decide (self, &anybody, &other) != AMPS_HTTP_REFUSE;
}

static gboolean
admit (AmpsHttpListener *self, const AmpsHttpStanding *newcomer)
{
  AmpsHttpConnection *other;
  AmpsHttpDecision decision;

  if (newcomer->is_local && g_hash_table_size (self->connections) < self->max_connections)
    return TRUE;

  decision = decide (self, newcomer, &other);
  if (decision == AMPS_HTTP_REPLACE)
    amps_http_connection_abort (other);
  return decision != AMPS_HTTP_REFUSE;
}

static void
add_connection (AmpsHttpListener *self, GSocket *socket)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsHttpConnection) connection = amps_http_connection_new (
      socket, self->clock, self->readiness, self->max_body_size, refuse_request, self, &error);

  if (connection == NULL)
    {
      amps_log (DEBUG, CLIENT_LEFT, "A client left before it was served: %s", error->message);
      return;
    }
  if (!admit (self, amps_http_connection_get_standing (connection)))
    {
      amps_log (DEBUG, CLIENT_REFUSED, "A client has too many connections");
      return;
    }

  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  g_hash_table_add (self->connections, connection);
  g_object_weak_ref (G_OBJECT (connection), on_connection_gone, self);
  schedule_sweep (self);
  soup_server_accept_iostream (self->server, G_IO_STREAM (connection),
                               amps_http_connection_get_local_address (connection),
                               amps_http_connection_get_remote_address (connection), NULL);
}

static gboolean
on_incoming (GSocket *listening, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  AmpsHttpListener *self = user_data;

  for (int i = 0; i < ACCEPTS_PER_TURN; i++)
    {
      if (!has_place (self))
        {
          /* Until one goes, or the next sweep. */
          stop_accepting (self);
          return G_SOURCE_REMOVE;
        }

      g_autoptr (GError) error = NULL;
      g_autoptr (GSocket) socket = g_socket_accept (listening, NULL, &error);

      if (socket != NULL)
        {
          add_connection (self, socket);
          continue;
        }
      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return G_SOURCE_CONTINUE;

      /* Out of descriptors or memory, most likely: trying again at once would spin. */
      g_autofree char *fault = amps_log_throttle_note (self->faults, error->message,
                                                       amps_clock_get_monotonic_time (self->clock));

      if (fault != NULL)
        amps_log (WARNING, ACCEPT_FAILED, "Cannot accept connections: %s", fault);
      stop_accepting (self);
      schedule_sweep (self);
      return G_SOURCE_REMOVE;
    }

  return G_SOURCE_CONTINUE;
}

static void
start_accepting (AmpsHttpListener *self)
{
  for (unsigned int i = 0; i < self->sockets->len; i++)
    amps_http_socket_start (g_ptr_array_index (self->sockets, i), on_incoming, self);
}

static void
forget_connections (AmpsHttpListener *self)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      g_object_weak_unref (key, on_connection_gone, self);
      amps_http_connection_end (key);
      g_hash_table_iter_remove (&iter);
    }
}

static void
amps_http_listener_dispose (GObject *object)
{
  AmpsHttpListener *self = AMPS_HTTP_LISTENER (object);

  amps_http_listener_stop (self);
  forget_connections (self);
  if (self->server != NULL)
    soup_server_disconnect (self->server);
  g_clear_object (&self->server);
  g_clear_pointer (&self->sweep_timer, amps_timer_free);

  G_OBJECT_CLASS (amps_http_listener_parent_class)->dispose (object);
}

static void
amps_http_listener_finalize (GObject *object)
{
  AmpsHttpListener *self = AMPS_HTTP_LISTENER (object);

  g_ptr_array_unref (self->sockets);
  g_hash_table_unref (self->connections);
  amps_byte_budget_unref (self->budget);
  amps_readiness_free (self->readiness);
  amps_log_throttle_free (self->faults);
  g_object_unref (self->clock);

  G_OBJECT_CLASS (amps_http_listener_parent_class)->finalize (object);
}

static void
amps_http_listener_class_init (AmpsHttpListenerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = amps_http_listener_dispose;
  G_OBJECT_CLASS (klass)->finalize = amps_http_listener_finalize;
}

static void
amps_http_listener_init (AmpsHttpListener *self)
{
  self->sockets = g_ptr_array_new_with_free_func ((GDestroyNotify) amps_http_socket_free);
  self->connections = g_hash_table_new (NULL, NULL);
  self->faults = amps_log_throttle_new ();
  self->readiness = amps_readiness_new ();
}

/**
 * amps_http_listener_new:
 * @clock: the time
 * @max_connections: how many there may be at once
 * @max_body_size: bytes that the body of a request may have
 * @funcs: what to do with requests; copied
 * @user_data: passed to @funcs
 *
 * Returns: (transfer full): a listener that does not listen yet
 */
AmpsHttpListener *
amps_http_listener_new (AmpsClock *clock, unsigned int max_connections, gsize max_body_size,
                        const AmpsHttpListenerFuncs *funcs, gpointer user_data)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);

  AmpsHttpListener *self = g_object_new (AMPS_TYPE_HTTP_LISTENER, NULL);

  self->clock = g_object_ref (clock);
  self->max_connections = max_connections;
  self->max_body_size = max_body_size;
  self->budget = amps_byte_budget_new (MAX (LARGE_BODIES * max_body_size, MIN_BUDGET));
  self->funcs = *funcs;
  self->user_data = user_data;
  self->sweep_timer = amps_clock_attach_timer (clock, "amps-http-sweep", on_sweep, self);

  self->server = soup_server_new ("raw-paths", TRUE, NULL);
  soup_server_add_early_handler (self->server, NULL, on_headers, self, NULL);
  soup_server_add_handler (self->server, NULL, on_request, self, NULL);
  g_signal_connect_object (self->server, "request-started", G_CALLBACK (on_request_started), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->server, "request-finished", G_CALLBACK (on_request_finished), self,
                           G_CONNECT_SWAPPED);
  return self;
}

/* libsoup keeps connections alive only while it has a listener. */
static gboolean
add_silent_listener (AmpsHttpListener *self, GError **error)
{
  g_autoptr (GSocket) silent = amps_http_socket_create_silent (error);

  return silent != NULL && soup_server_listen_socket (self->server, silent, 0, error);
}

/* @socket: (transfer full) (nullable): NULL with @error set */
static gboolean
add_socket (AmpsHttpListener *self, AmpsHttpSocket *socket, GError **error)
{
  g_autoptr (AmpsHttpSocket) added = socket;

  if (added == NULL || (self->sockets->len == 0 && !add_silent_listener (self, error)))
    return FALSE;
  g_ptr_array_add (self->sockets, g_steal_pointer (&added));
  start_accepting (self);
  return TRUE;
}

/**
 * amps_http_listener_listen:
 * @self: a listener
 * @port: the port to listen on, on all interfaces; 0 for any
 * @error: return location, naming the port
 *
 * Returns: whether it listens
 */
gboolean
amps_http_listener_listen (AmpsHttpListener *self, guint16 port, GError **error)
{
  if (add_socket (self, amps_http_socket_new_for_port (port, error), error))
    return TRUE;

  g_prefix_error (error, "cannot listen on port %u: ", port);
  return FALSE;
}

/**
 * amps_http_listener_listen_at:
 * @self: a listener
 * @path: of a unix socket to listen at, too
 * @mode: the permissions of its file
 * @error: return location, naming @path: as for [ctor@Amps.HttpSocket.new_for_path]
 *
 * The connections of all sockets share the places that there are.
 *
 * Returns: whether it listens
 */
gboolean
amps_http_listener_listen_at (AmpsHttpListener *self, const char *path, mode_t mode, GError **error)
{
  if (add_socket (self, amps_http_socket_new_for_path (path, mode, error), error))
    return TRUE;

  g_prefix_error (error, "cannot listen at %s: ", path);
  return FALSE;
}

/**
 * amps_http_listener_get_port:
 * @self: a listener
 *
 * Returns: the port that it listened on first; 0 when it does not
 */
guint16
amps_http_listener_get_port (AmpsHttpListener *self)
{
  return self->sockets->len > 0 ? amps_http_socket_get_port (self->sockets->pdata[0]) : 0;
}

/**
 * amps_http_listener_get_n_connections:
 * @self: a listener
 *
 * Returns: how many connections there are
 */
unsigned int
amps_http_listener_get_n_connections (AmpsHttpListener *self)
{
  return g_hash_table_size (self->connections);
}

/**
 * amps_http_listener_stop:
 * @self: a listener
 *
 * Accepts no more connections and ends those that are idle. Requests that have
 * begun are still answered, as long as @self lives.
 */
void
amps_http_listener_stop (AmpsHttpListener *self)
{
  GHashTableIter iter;
  gpointer key;

  g_ptr_array_set_size (self->sockets, 0);
  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (amps_http_connection_get_standing (key)->stage == AMPS_HTTP_STAGE_IDLE)
      amps_http_connection_end (key);
}

/**
 * amps_http_listener_pause:
 * @self: a listener
 * @message: a message that is to be answered later
 *
 * Keeps @message waiting; for how long is up to the caller. libsoup does not
 * notice meanwhile when the client goes.
 */
void
amps_http_listener_pause (AmpsHttpListener *self G_GNUC_UNUSED, SoupServerMessage *message)
{
  set_stage (message, AMPS_HTTP_STAGE_WAITING);
  soup_server_message_pause (message);
}

/**
 * amps_http_listener_charge:
 * @self: a listener
 * @message: a request that was paused
 * @size: bytes that its body was unpacked to
 * @error: return location: %AMPS_ERROR_EXHAUSTED
 *
 * Counts them as a body that has come, until @message is answered.
 *
 * Returns: whether there was memory for them
 */
gboolean
amps_http_listener_charge (AmpsHttpListener *self, SoupServerMessage *message, gsize size,
                           GError **error)
{
  if (amps_http_body_charge (message, self->budget, size))
    return TRUE;

  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_EXHAUSTED, NO_ROOM);
  return FALSE;
}

/**
 * amps_http_listener_unpause:
 * @self: a listener
 * @message: a message that was paused, and has its answer now
 *
 * Sends the answer. To be called once for each pause.
 */
void
amps_http_listener_unpause (AmpsHttpListener *self G_GNUC_UNUSED, SoupServerMessage *message)
{
  AmpsHttpConnection *connection = amps_http_connection_from_message (message);

  /* libsoup has no way to tell whether a paused message still has a connection. */
  if (connection == NULL || g_io_stream_is_closed (G_IO_STREAM (connection)))
    return;
  amps_http_connection_set_stage (connection, AMPS_HTTP_STAGE_ANSWER);
  soup_server_message_unpause (message);
}
