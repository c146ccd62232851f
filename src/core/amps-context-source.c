/* SPDX-License-Identifier: MIT */
#include "amps-context-source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

typedef struct {
  GSource source;
  GMainContext *nested; /* (owned) */
  int epoll;            /* (owned) is ready when a descriptor of @nested is */
  gpointer epoll_tag;
  GArray *watched; /* (owned) of GPollFD: what is in @epoll, by descriptor */
  GArray *wanted;  /* (owned) of GPollFD: what is to be */
  gint64 due;      /* monotonic µs of the next timeout; -1 for none */
} ContextSource;

static gboolean
is_due (ContextSource *self)
{
  return self->due >= 0 && g_source_get_time ((GSource *) self) >= self->due;
}

static gboolean
context_source_prepare (GSource *source, int *timeout)
{
  ContextSource *self = (ContextSource *) source;
  gint64 left = self->due - g_source_get_time (source);

  *timeout = self->due < 0 ? -1 : (int) CLAMP ((left + 999) / 1000, 0, G_MAXINT);
  return is_due (self);
}

static gboolean
context_source_check (GSource *source)
{
  ContextSource *self = (ContextSource *) source;

  return g_source_query_unix_fd (source, self->epoll_tag) != 0 || is_due (self);
}

/* A descriptor leaves the set by itself when it is closed, and its number may be
 * another file's by now. */
static void
control (ContextSource *self, int operation, const GPollFD *descriptor)
{
  struct epoll_event event = { .events = descriptor->events, .data.fd = descriptor->fd };

  if (epoll_ctl (self->epoll, operation, descriptor->fd, &event) == 0 || operation == EPOLL_CTL_DEL)
    return;
  if (operation == EPOLL_CTL_MOD && errno == ENOENT &&
      epoll_ctl (self->epoll, EPOLL_CTL_ADD, descriptor->fd, &event) == 0)
    return;

  g_critical ("Can't watch descriptor %d: %s", descriptor->fd, g_strerror (errno));
}

static const GPollFD *
get_descriptor (GArray *descriptors, unsigned int i)
{
  return i < descriptors->len ? &g_array_index (descriptors, GPollFD, i) : NULL;
}

/* Both are in the order of descriptors, as g_main_context_query() gives them. */
static void
watch_wanted (ContextSource *self)
{
  GArray *unused;
  unsigned int i = 0;
  unsigned int j = 0;

  while (i < self->watched->len || j < self->wanted->len)
    {
      const GPollFD *old = get_descriptor (self->watched, i);
      const GPollFD *new = get_descriptor (self->wanted, j);

      if (new == NULL || (old != NULL && old->fd < new->fd))
        {
          control (self, EPOLL_CTL_DEL, old);
          i++;
        }
      else if (old == NULL || new->fd < old->fd)
        {
          control (self, EPOLL_CTL_ADD, new);
          j++;
        }
      else
        {
          if (old->events != new->events)
            control (self, EPOLL_CTL_MOD, new);
          i++;
          j++;
        }
    }

  unused = self->watched;
  self->watched = self->wanted;
  self->wanted = unused;
}

/* Finds out what the next turn of @nested is to wait for. Even if that is nothing: in
 * the turns until then a descriptor could be closed and its number be another file's. */
static void
look (ContextSource *self)
{
  int priority;
  int timeout;
  int n_wanted;
  gboolean ready = g_main_context_prepare (self->nested, &priority);

  while ((n_wanted = g_main_context_query (self->nested, G_MAXINT, &timeout,
                                           (GPollFD *) (gpointer) self->wanted->data,
                                           (int) self->wanted->len)) > (int) self->wanted->len)
    g_array_set_size (self->wanted, (unsigned int) n_wanted);
  g_array_set_size (self->wanted, (unsigned int) n_wanted);

  watch_wanted (self);
  if (ready)
    self->due = 0;
  else
    self->due = timeout < 0 ? -1 : g_get_monotonic_time () + timeout * G_TIME_SPAN_MILLISECOND;
}

static gboolean
context_source_dispatch (GSource *source, GSourceFunc callback G_GNUC_UNUSED,
                         gpointer user_data G_GNUC_UNUSED)
{
  ContextSource *self = (ContextSource *) source;

  g_main_context_push_thread_default (self->nested);
  g_main_context_iteration (self->nested, FALSE);
  look (self);
  g_main_context_pop_thread_default (self->nested);
  return G_SOURCE_CONTINUE;
}

static void
context_source_finalize (GSource *source)
{
  ContextSource *self = (ContextSource *) source;

  close (self->epoll);
  g_array_unref (self->watched);
  g_array_unref (self->wanted);
  g_main_context_unref (self->nested);
}

static GSourceFuncs context_source_funcs = { .prepare = context_source_prepare,
                                             .check = context_source_check,
                                             .dispatch = context_source_dispatch,
                                             .finalize = context_source_finalize };

/* GLib aborts if there is no descriptor left for a context. */
static gboolean
open_descriptors (int *epoll)
{
  int another;

  *epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (*epoll < 0)
    return FALSE;

  another = fcntl (*epoll, F_DUPFD_CLOEXEC, 0);
  if (another < 0)
    {
      close (*epoll);
      return FALSE;
    }

  close (another);
  return TRUE;
}

/**
 * amps_context_source_new:
 *
 * A source with a main context of its own, which runs in the thread that runs the
 * context the source is attached to. A context looks at all its sources in each turn,
 * and walks through a list of all its descriptors to find one: sources that are
 * seldom ready cost less in a nested context, which is looked at only when one of
 * them is.
 *
 * When a descriptor is closed and its number is another file's, the nested context
 * must not watch that for the same events in the same turn. What GIO connects takes
 * at least two.
 *
 * Returns: (transfer full) (nullable): a source to attach; %NULL if the process has
 *   too few descriptors left
 */
GSource *
amps_context_source_new (void)
{
  GSource *source;
  ContextSource *self;
  int epoll;

  if (!open_descriptors (&epoll))
    return NULL;

  source = g_source_new (&context_source_funcs, sizeof (ContextSource));
  self = (ContextSource *) source;
  self->nested = g_main_context_new_with_flags (G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
  self->epoll = epoll;
  self->epoll_tag = g_source_add_unix_fd (source, epoll, G_IO_IN);
  self->watched = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  self->wanted = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  g_source_set_static_name (source, "nested context");
  /* It never recurses; but GLib takes the descriptor of what may
   * not out of poll() for each dispatch. */
  g_source_set_can_recurse (source, TRUE);

  g_main_context_acquire (self->nested);
  look (self);
  g_main_context_release (self->nested);
  return source;
}

/**
 * amps_context_source_get_nested:
 * @source: a context source
 *
 * Returns: (transfer none): the context that it runs
 */
GMainContext *
amps_context_source_get_nested (GSource *source)
{
  return ((ContextSource *) source)->nested;
}

/**
 * amps_context_source_end:
 * @source: (transfer full): a context source
 *
 * Destroys @source, after everything has happened in its context that is about to:
 * what waits for a turn of it may own descriptors.
 */
void
amps_context_source_end (GSource *source)
{
  GMainContext *nested = amps_context_source_get_nested (source);

  g_main_context_push_thread_default (nested);
  while (g_main_context_iteration (nested, FALSE))
    ;
  g_main_context_pop_thread_default (nested);
  g_source_destroy (source);
  g_source_unref (source);
}
