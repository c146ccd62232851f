/* SPDX-License-Identifier: MIT */
#include "amps-body-stream.h"

/* At most so many bytes are sent in a turn of the main loop. */
#define MAX_AT_ONCE (256 * 1024)

/**
 * AmpsBodyStream:
 *
 * A request's body that sends itself. libsoup reads a body in pieces of 8 KiB and takes two
 * turns of the main loop to send each. This one, when it is first read, writes all of it to
 * the connection, from where it is, and is at its end then. See docs/libsoup.md.
 */
struct _AmpsBodyStream {
  GMemoryInputStream parent_instance;

  GBytes *body;    /* (owned) */
  GSocket *socket; /* (owned) (nullable) %NULL to be read like any other */
  gsize sent;      /* bytes */
};

G_DEFINE_FINAL_TYPE (AmpsBodyStream, amps_body_stream, G_TYPE_MEMORY_INPUT_STREAM)

/* Returns: whether there is nothing more to do: @task has ended */
static gboolean
body_stream_send (AmpsBodyStream *self, GTask *task)
{
  GError *error = NULL;
  gsize size;
  const char *data = g_bytes_get_data (self->body, &size);
  gssize sent = g_socket_send_with_blocking (self->socket, data + self->sent,
                                             MIN (size - self->sent, MAX_AT_ONCE), FALSE,
                                             g_task_get_cancellable (task), &error);

  if (sent < 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_error_free (error);
      return FALSE;
    }
  if (sent < 0)
    {
      g_task_return_error (task, error);
      return TRUE;
    }

  self->sent += (gsize) sent;
  if (self->sent < size)
    return FALSE;

  g_task_return_int (task, 0);
  return TRUE;
}

static gboolean
body_stream_on_writable (GSocket *socket G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
                         gpointer user_data)
{
  GTask *task = user_data;

  return !body_stream_send (g_task_get_source_object (task), task);
}

static void
amps_body_stream_read_async (GInputStream *stream, void *buffer, gsize count, int priority,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  AmpsBodyStream *self = AMPS_BODY_STREAM (stream);
  g_autoptr (GTask) task = NULL;
  g_autoptr (GSource) source = NULL;

  if (self->socket == NULL)
    {
      G_INPUT_STREAM_CLASS (amps_body_stream_parent_class)
          ->read_async (stream, buffer, count, priority, cancellable, callback, user_data);
      return;
    }

  task = g_task_new (stream, cancellable, callback, user_data);
  g_task_set_source_tag (task, amps_body_stream_read_async);
  g_task_set_priority (task, priority);
  if (body_stream_send (self, task))
    return;

  source = g_socket_create_source (self->socket, G_IO_OUT, cancellable);
  g_task_attach_source (task, source, G_SOURCE_FUNC (body_stream_on_writable));
}

static void
amps_body_stream_finalize (GObject *object)
{
  AmpsBodyStream *self = AMPS_BODY_STREAM (object);

  g_clear_object (&self->socket);
  g_bytes_unref (self->body);

  G_OBJECT_CLASS (amps_body_stream_parent_class)->finalize (object);
}

static void
amps_body_stream_class_init (AmpsBodyStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_body_stream_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_async = amps_body_stream_read_async;
}

static void
amps_body_stream_init (AmpsBodyStream *self G_GNUC_UNUSED)
{
}

/**
 * amps_body_stream_new:
 * @body: what is to be sent
 *
 * Returns: (transfer full): a stream of @body like any other, until it has a socket
 */
AmpsBodyStream *
amps_body_stream_new (GBytes *body)
{
  AmpsBodyStream *self = g_object_new (AMPS_TYPE_BODY_STREAM, NULL);

  self->body = g_bytes_ref (body);
  g_memory_input_stream_add_bytes (G_MEMORY_INPUT_STREAM (self), body);
  return self;
}

/**
 * amps_body_stream_get_size:
 * @self: a stream
 *
 * Returns: the bytes of the body
 */
gsize
amps_body_stream_get_size (AmpsBodyStream *self)
{
  return g_bytes_get_size (self->body);
}

/**
 * amps_body_stream_set_socket:
 * @self: a stream that has not been read
 * @socket: where all before the body has been sent, without TLS
 *
 * When @self is read, asynchronously, it sends the body there and is at its end.
 */
void
amps_body_stream_set_socket (AmpsBodyStream *self, GSocket *socket)
{
  g_set_object (&self->socket, socket);
  self->sent = 0;
}
