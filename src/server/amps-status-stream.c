/* SPDX-License-Identifier: MIT */
#include "amps-status-stream.h"

#include "base/amps-error.h"

#define INTERVAL AMPS_SECONDS (1)
#define TYPE "text/event-stream"

struct _AmpsStatusStream {
  AmpsClock *clock;           /* (owned) */
  AmpsHttpListener *listener; /* not owned: lives as long */
  AmpsStatusStreamFuncs funcs;
  gpointer user_data;

  GQueue viewers;           /* of (owned) Viewer */
  GBytes *latest;           /* (owned) (nullable) the latest look */
  GSource *timer;           /* (owned) (nullable) due for the next one; none without viewers */
  GQueue waiting;           /* of Viewer: are to be sent something, one in each turn */
  unsigned int turn_source; /* 0 when none waits */
};

/* A viewer that has not read one look does not get the next one. So at most one waits for
 * each, and all share the same bytes. The listener ends a viewer that reads nothing for too
 * long. */
typedef struct {
  AmpsStatusStream *stream;
  SoupServerMessage *message; /* (owned) */
  GBytes *due;                /* (owned) (nullable) what is to be sent */
  gboolean reads;             /* what was sent, and has not read it all */
} Viewer;

static void
viewer_free (Viewer *viewer)
{
  g_signal_handlers_disconnect_by_data (viewer->message, viewer);
  g_clear_pointer (&viewer->due, g_bytes_unref);
  g_object_unref (viewer->message);
  g_free (viewer);
}

/* One in each turn, so that the jobs have theirs, however many watch. */
static gboolean
status_stream_on_turn (gpointer user_data)
{
  AmpsStatusStream *self = user_data;
  Viewer *viewer = g_queue_pop_head (&self->waiting);
  g_autoptr (GBytes) due = g_steal_pointer (&viewer->due);

  viewer->reads = TRUE;
  soup_message_body_append_bytes (soup_server_message_get_response_body (viewer->message), due);
  amps_http_listener_unpause (self->listener, viewer->message);
  if (!g_queue_is_empty (&self->waiting))
    return G_SOURCE_CONTINUE;

  self->turn_source = 0;
  return G_SOURCE_REMOVE;
}

/* @bytes: (transfer none) */
static void
queue_bytes (Viewer *viewer, GBytes *bytes)
{
  AmpsStatusStream *self = viewer->stream;

  viewer->due = g_bytes_ref (bytes);
  g_queue_push_tail (&self->waiting, viewer);
  if (self->turn_source == 0)
    self->turn_source = g_idle_add_full (G_PRIORITY_DEFAULT, status_stream_on_turn, self, NULL);
}

static void
status_stream_schedule (AmpsStatusStream *self)
{
  amps_timer_set_due (self->timer, amps_clock_get_monotonic_time (self->clock) + INTERVAL);
}

static gboolean
status_stream_on_timer (gpointer user_data)
{
  AmpsStatusStream *self = user_data;

  g_clear_pointer (&self->latest, g_bytes_unref);
  self->latest = self->funcs.look (self->user_data);
  for (GList *link = self->viewers.head; link != NULL; link = link->next)
    {
      Viewer *viewer = link->data;

      if (!viewer->reads && viewer->due == NULL)
        queue_bytes (viewer, self->latest);
    }

  status_stream_schedule (self);
  return G_SOURCE_CONTINUE;
}

static void
on_wrote_chunk (SoupServerMessage *message, Viewer *viewer)
{
  amps_http_listener_pause (viewer->stream->listener, message);
  viewer->reads = FALSE;
}

static void
status_stream_on_finished (SoupServerMessage *message G_GNUC_UNUSED, Viewer *viewer)
{
  AmpsStatusStream *self = viewer->stream;

  g_queue_remove (&self->viewers, viewer);
  g_queue_remove (&self->waiting, viewer);
  viewer_free (viewer);
  if (g_queue_is_empty (&self->waiting))
    g_clear_handle_id (&self->turn_source, g_source_remove);
  if (!g_queue_is_empty (&self->viewers))
    return;

  g_clear_pointer (&self->timer, amps_timer_free);
  g_clear_pointer (&self->latest, g_bytes_unref);
}

/* The looks are not kept when they are written, and the end of the connection is the end of
 * the answer. No chunks: libsoup ends those in another thread. */
static void
begin_answer (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_replace (headers, "Content-Type", TYPE);
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  /* A proxy is not to collect it (nginx's name for that). */
  soup_message_headers_replace (headers, "X-Accel-Buffering", "no");
  soup_message_headers_replace (headers, "Connection", "close");
  soup_message_headers_set_encoding (headers, SOUP_ENCODING_EOF);
  soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
}

static GBytes *
make_greeting (AmpsStatusStream *self)
{
  g_autoptr (GBytes) greeting = self->funcs.greet (self->user_data);
  GByteArray *bytes = g_byte_array_new ();
  GBytes *const parts[] = { greeting, self->latest };

  for (unsigned int i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      gsize length;
      const guint8 *data = g_bytes_get_data (parts[i], &length);

      g_byte_array_append (bytes, data, (unsigned int) length);
    }

  return g_byte_array_free_to_bytes (bytes);
}

/**
 * amps_status_stream_new:
 * @clock: what time is measured by
 * @listener: (transfer none): where requests come; outlives the stream
 * @funcs: what the stream consists of; copied
 * @user_data: passed to @funcs
 *
 * Returns: (transfer full): a stream that nobody watches
 */
AmpsStatusStream *
amps_status_stream_new (AmpsClock *clock, AmpsHttpListener *listener,
                        const AmpsStatusStreamFuncs *funcs, gpointer user_data)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_HTTP_LISTENER (listener), NULL);

  AmpsStatusStream *self = g_new0 (AmpsStatusStream, 1);

  self->clock = g_object_ref (clock);
  self->listener = listener;
  self->funcs = *funcs;
  self->user_data = user_data;
  return self;
}

/**
 * amps_status_stream_free:
 * @self: (transfer full): a stream
 *
 * Sends nothing more to those who watch.
 */
void
amps_status_stream_free (AmpsStatusStream *self)
{
  g_clear_handle_id (&self->turn_source, g_source_remove);
  g_queue_clear (&self->waiting);
  g_queue_clear_full (&self->viewers, (GDestroyNotify) viewer_free);
  g_clear_pointer (&self->latest, g_bytes_unref);
  g_clear_pointer (&self->timer, amps_timer_free);
  g_object_unref (self->clock);
  g_free (self);
}

/**
 * amps_status_stream_add:
 * @self: a stream
 * @message: a request to watch it
 * @error: return location: %AMPS_ERROR_EXHAUSTED
 *
 * Answers @message until whoever watches goes.
 *
 * Returns: whether there was room for one more viewer
 */
gboolean
amps_status_stream_add (AmpsStatusStream *self, SoupServerMessage *message, GError **error)
{
  g_autoptr (GBytes) greeting = NULL;
  Viewer *viewer;

  if (self->viewers.length >= AMPS_STATUS_STREAM_MAX_VIEWERS)
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_EXHAUSTED,
                   "there are already %d viewers; close a page that nobody needs",
                   AMPS_STATUS_STREAM_MAX_VIEWERS);
      return FALSE;
    }

  begin_answer (message);
  if (soup_server_message_get_method (message) == SOUP_METHOD_HEAD)
    return TRUE;

  if (self->timer == NULL)
    {
      self->timer =
          amps_clock_attach_timer (self->clock, "status stream", status_stream_on_timer, self);
      self->latest = self->funcs.look (self->user_data);
      status_stream_schedule (self);
    }

  viewer = g_new0 (Viewer, 1);
  viewer->stream = self;
  viewer->message = g_object_ref (message);
  g_queue_push_tail (&self->viewers, viewer);
  g_signal_connect (message, "wrote-chunk", G_CALLBACK (on_wrote_chunk), viewer);
  g_signal_connect (message, "finished", G_CALLBACK (status_stream_on_finished), viewer);
  amps_http_listener_pause (self->listener, message);
  greeting = make_greeting (self);
  queue_bytes (viewer, greeting);
  return TRUE;
}

/**
 * amps_status_stream_get_n_viewers:
 * @self: a stream
 *
 * Returns: how many watch
 */
unsigned int
amps_status_stream_get_n_viewers (const AmpsStatusStream *self)
{
  return self->viewers.length;
}
