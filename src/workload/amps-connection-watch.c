/* SPDX-License-Identifier: MIT */
#include "amps-connection-watch.h"

#include <glib-unix.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_EVENTS 64

struct _AmpsConnectionWatch {
  int epoll;            /* (owned) -1 if there are no descriptors left */
  GSource *source;      /* (owned) (nullable) */
  GPtrArray *open;      /* (owned) of GSocket (weak): those that the other side has not ended */
  unsigned int n_ended; /* by the other side */
  AmpsConnectionEndedFunc ended;
  gpointer user_data;
};

static void
connection_watch_on_socket_gone (gpointer user_data, GObject *socket)
{
  AmpsConnectionWatch *self = user_data;

  g_ptr_array_remove_fast (self->open, socket);
}

static void
forget (AmpsConnectionWatch *self, GSocket *socket)
{
  if (g_ptr_array_remove_fast (self->open, socket))
    g_object_weak_unref (G_OBJECT (socket), connection_watch_on_socket_gone, self);
}

static gboolean
on_events (int epoll, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  AmpsConnectionWatch *self = user_data;
  struct epoll_event events[MAX_EVENTS];
  int n_events = epoll_wait (epoll, events, MAX_EVENTS, 0);

  for (int i = 0; i < n_events; i++)
    forget (self, events[i].data.ptr);
  self->n_ended += n_events > 0 ? (unsigned int) n_events : 0;
  if (n_events > 0)
    self->ended (self->user_data);
  return G_SOURCE_CONTINUE;
}

/**
 * amps_connection_watch_new:
 * @ended: (scope forever): called when the other side has ended connections
 * @user_data: passed to @ended
 *
 * Returns: (transfer full): a watch of no connection yet; without descriptors it sees none
 */
AmpsConnectionWatch *
amps_connection_watch_new (AmpsConnectionEndedFunc ended, gpointer user_data)
{
  AmpsConnectionWatch *self = g_new0 (AmpsConnectionWatch, 1);

  self->ended = ended;
  self->user_data = user_data;
  self->open = g_ptr_array_new ();
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll >= 0)
    {
      self->source = g_unix_fd_source_new (self->epoll, G_IO_IN);
      g_source_set_static_name (self->source, "workload connections that end");
      g_source_set_callback (self->source, G_SOURCE_FUNC (on_events), self, NULL);
      g_source_attach (self->source, NULL);
    }

  return self;
}

/**
 * amps_connection_watch_free:
 * @self: (transfer full): a watch
 */
void
amps_connection_watch_free (AmpsConnectionWatch *self)
{
  while (self->open->len > 0)
    forget (self, g_ptr_array_index (self->open, 0));
  g_ptr_array_unref (self->open);
  if (self->source != NULL)
    {
      g_source_destroy (self->source);
      g_source_unref (self->source);
      close (self->epoll);
    }
  g_free (self);
}

/**
 * amps_connection_watch_add:
 * @self: a watch
 * @socket: a connection
 *
 * Watches @socket until either side ends it.
 */
void
amps_connection_watch_add (AmpsConnectionWatch *self, GSocket *socket)
{
  /* Told once, and not of what there is to read. The kernel drops what is closed. */
  struct epoll_event event = { .events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = socket };

  if (self->epoll < 0 ||
      epoll_ctl (self->epoll, EPOLL_CTL_ADD, g_socket_get_fd (socket), &event) != 0)
    return;

  g_object_weak_ref (G_OBJECT (socket), connection_watch_on_socket_gone, self);
  g_ptr_array_add (self->open, socket);
}

/**
 * amps_connection_watch_get_n_ended:
 * @self: a watch
 *
 * Returns: how many connections the other side has ended so far
 */
unsigned int
amps_connection_watch_get_n_ended (AmpsConnectionWatch *self)
{
  return self->n_ended;
}

/**
 * amps_connection_watch_has_open:
 * @self: a watch
 *
 * Returns: whether there is a connection that would tell
 */
gboolean
amps_connection_watch_has_open (AmpsConnectionWatch *self)
{
  while (self->open->len > 0)
    {
      GSocket *last = g_ptr_array_index (self->open, self->open->len - 1);

      if (!g_socket_is_closed (last))
        return TRUE;
      forget (self, last);
    }

  return FALSE;
}
