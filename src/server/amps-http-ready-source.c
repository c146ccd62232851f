/* SPDX-License-Identifier: MIT */
#include "amps-http-ready-source.h"

/* One source where g_pollable_source_new_full() makes two. It does not recurse,
 * either, but GLib would wake up twice to take it out of poll() for each dispatch. */
typedef struct {
  GSource source;
  GObject *stream;        /* (owned) */
  gpointer fd_tag;        /* (nullable) */
  AmpsReadable *readable; /* (owned) (nullable) instead of that */
} ReadySource;

static gboolean
ready_source_prepare (GSource *source, int *timeout)
{
  const ReadySource *self = (ReadySource *) source;

  *timeout = -1;
  return self->readable != NULL && amps_readable_is_ready (self->readable);
}

static gboolean
ready_source_check (GSource *source)
{
  const ReadySource *self = (ReadySource *) source;

  return self->readable != NULL ? amps_readable_is_ready (self->readable)
                                : g_source_query_unix_fd (source, self->fd_tag) != 0;
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
  g_clear_pointer (&((ReadySource *) source)->readable, amps_readable_unref);
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

static GSourceFuncs ready_source_funcs = { .prepare = ready_source_prepare,
                                           .check = ready_source_check,
                                           .dispatch = ready_source_dispatch,
                                           .finalize = ready_source_finalize,
                                           .closure_callback = G_SOURCE_FUNC (call_closure) };

static GSource *
create_ready_source (GObject *stream, GCancellable *cancellable)
{
  GSource *source = g_source_new (&ready_source_funcs, sizeof (ReadySource));

  g_source_set_static_name (source, "HTTP connection");
  g_source_set_can_recurse (source, TRUE);
  ((ReadySource *) source)->stream = g_object_ref (stream);
  if (cancellable != NULL)
    {
      g_autoptr (GSource) cancelled = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (cancelled);
      g_source_add_child_source (source, cancelled);
    }
  return source;
}

/**
 * amps_http_ready_source_new_for_input:
 * @stream: a pollable stream
 * @readable: its descriptor
 * @cancellable: (nullable): ends the waiting
 *
 * Returns: (transfer full): a source that is ready when there is something to read
 */
GSource *
amps_http_ready_source_new_for_input (GObject *stream, AmpsReadable *readable,
                                      GCancellable *cancellable)
{
  GSource *source;

  if (!amps_readable_is_watched (readable))
    return amps_http_ready_source_new (stream, amps_readable_get_fd (readable), G_IO_IN,
                                       cancellable);

  source = create_ready_source (stream, cancellable);
  ((ReadySource *) source)->readable = amps_readable_ref (readable);
  return source;
}

/**
 * amps_http_ready_source_new:
 * @stream: a pollable stream
 * @fd: its descriptor
 * @condition: what to wait for
 * @cancellable: (nullable): ends the waiting
 *
 * Returns: (transfer full): a source for a #GPollableSourceFunc, as a pollable stream
 *   gives them
 */
GSource *
amps_http_ready_source_new (GObject *stream, int fd, GIOCondition condition,
                            GCancellable *cancellable)
{
  GSource *source = create_ready_source (stream, cancellable);

  ((ReadySource *) source)->fd_tag = g_source_add_unix_fd (source, fd, condition);
  return source;
}
