/* SPDX-License-Identifier: MIT */
#include "amps-amqp-frame-source.h"

typedef struct {
  GSource source;
  AmpsAmqpConnection *connection;
  amqp_connection_state_t state; /* of @connection */
  gpointer fd_tag;
  gboolean full;        /* so the socket is not watched */
  gint64 heartbeat_due; /* monotonic µs; 0 for never */
} FrameSource;

static gboolean
has_buffered_frames (FrameSource *self)
{
  return amqp_frames_enqueued (self->state) || amqp_data_in_buffer (self->state);
}

/* The socket may be readable all the time meanwhile. */
static gboolean
amqp_frame_source_has_room (FrameSource *self)
{
  gboolean full = amps_amqp_connection_is_full (self->connection);

  if (full != self->full)
    g_source_modify_unix_fd (&self->source, self->fd_tag, full ? 0 : G_IO_IN);
  self->full = full;
  return !full;
}

/* rabbitmq-c sends and checks heartbeats only when it is called. */
static void
schedule_heartbeat (FrameSource *self)
{
  gint64 heartbeat = amqp_get_heartbeat (self->state);

  if (heartbeat > 0)
    self->heartbeat_due = g_get_monotonic_time () + heartbeat * G_USEC_PER_SEC / 2;
}

static gboolean
frame_source_prepare (GSource *source, int *timeout)
{
  FrameSource *self = (FrameSource *) source;
  gint64 left = self->heartbeat_due - g_source_get_time (source);
  gboolean was_full = self->full;

  *timeout = self->heartbeat_due != 0 ? (int) MAX (left / 1000 + 1, 0) : -1;
  return amqp_frame_source_has_room (self) && (was_full || has_buffered_frames (self));
}

static gboolean
frame_source_check (GSource *source)
{
  FrameSource *self = (FrameSource *) source;

  return g_source_query_unix_fd (source, self->fd_tag) != 0 ||
         (!self->full && has_buffered_frames (self)) ||
         (self->heartbeat_due != 0 && g_source_get_time (source) >= self->heartbeat_due);
}

static gboolean
frame_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  schedule_heartbeat ((FrameSource *) source);
  return callback (user_data);
}

static GSourceFuncs frame_source_funcs = { .prepare = frame_source_prepare,
                                           .check = frame_source_check,
                                           .dispatch = frame_source_dispatch };

/**
 * amps_amqp_frame_source_new:
 * @connection: a connection that is logged in; outlives the source
 *
 * A source that is ready when the socket is, when a frame has been buffered
 * (while the socket is silent), or when heartbeats are due. The callback is to
 * read frames without blocking. While the connection is full, it is ready only for
 * heartbeats, for what breaks the socket, and when there is room again.
 *
 * Returns: (transfer full): a source to attach
 */
GSource *
amps_amqp_frame_source_new (AmpsAmqpConnection *connection)
{
  GSource *source = g_source_new (&frame_source_funcs, sizeof (FrameSource));
  FrameSource *self = (FrameSource *) source;

  self->connection = connection;
  self->state = amps_amqp_connection_get_state (connection);
  self->fd_tag = g_source_add_unix_fd (source, amqp_get_sockfd (self->state), G_IO_IN);
  g_source_set_static_name (source, "AMQP frames");
  /* It never recurses. But GLib takes the descriptor of what may not out of poll()
   * for each dispatch, and wakes up twice for that. */
  g_source_set_can_recurse (source, TRUE);
  schedule_heartbeat (self);
  return source;
}
