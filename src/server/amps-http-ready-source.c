/* SPDX-License-Identifier: MIT */
#include "amps-http-ready-source.h"

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
  GSource *source = g_source_new (&ready_source_funcs, sizeof (ReadySource));
  ReadySource *ready = (ReadySource *) source;

  g_source_set_static_name (source, "HTTP connection");
  g_source_set_can_recurse (source, TRUE);
  ready->stream = g_object_ref (stream);
  ready->fd_tag = g_source_add_unix_fd (source, fd, condition);
  if (cancellable != NULL)
    {
      g_autoptr (GSource) cancelled = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (cancelled);
      g_source_add_child_source (source, cancelled);
    }
  return source;
}
