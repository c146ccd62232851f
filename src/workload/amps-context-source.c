/* SPDX-License-Identifier: MIT */
#include "amps-context-source.h"

#include "base/amps-log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

/* At most this many turns before everything else has one again. */
#define MAX_TURNS 32

typedef struct {
  GMainContext *context; /* (owned) */
  int epoll;             /* (owned) is ready when a descriptor of @context is */
  GArray *watched;       /* (owned) of GPollFD: what is in @epoll, by descriptor */
  GArray *wanted;        /* (owned) of GPollFD: what is to be */
  gint64 due;            /* monotonic µs of the next timeout; -1 for none, or when ready */
  GList link;            /* of those that are ready */
  gboolean ready;
  gboolean removed;
} Nested;

typedef struct {
  GSource source;
  GPtrArray *all;   /* (owned) of Nested (owned) */
  GPtrArray *timed; /* (owned) of Nested (unowned): those that have a timeout */
  GQueue ready;     /* of Nested (unowned): those that are to have a turn */
  int epoll;        /* (owned) is ready when one of theirs is */
  gpointer epoll_tag;
} ContextSource;

static void
nested_clear (gpointer data)
{
  Nested *nested = data;

  close (nested->epoll);
  g_array_unref (nested->watched);
  g_array_unref (nested->wanted);
  g_main_context_unref (nested->context);
}

static void
nested_unref (gpointer data)
{
  g_rc_box_release_full (data, nested_clear);
}

/* Returns: monotonic µs when the first of them has something to do; -1 for never */
static gint64
get_due (ContextSource *self)
{
  gint64 due = self->ready.length > 0 ? 0 : -1;

  for (unsigned int i = 0; i < self->timed->len; i++)
    {
      const Nested *nested = g_ptr_array_index (self->timed, i);

      due = due < 0 ? nested->due : MIN (due, nested->due);
    }

  return due;
}

static gboolean
context_source_prepare (GSource *source, int *timeout)
{
  gint64 due = get_due ((ContextSource *) source);
  gint64 left = due - g_source_get_time (source);

  *timeout = due < 0 ? -1 : (int) CLAMP ((left + 999) / 1000, 0, G_MAXINT);
  return *timeout == 0;
}

static gboolean
context_source_check (GSource *source)
{
  ContextSource *self = (ContextSource *) source;
  gint64 due = get_due (self);

  return g_source_query_unix_fd (source, self->epoll_tag) != 0 ||
         (due >= 0 && due <= g_source_get_time (source));
}

/* A descriptor leaves the set by itself when it is closed, and its number may be
 * another file's by now. */
static void
control (Nested *nested, int operation, const GPollFD *descriptor)
{
  struct epoll_event event = { .events = descriptor->events, .data.fd = descriptor->fd };

  if (epoll_ctl (nested->epoll, operation, descriptor->fd, &event) == 0 ||
      operation == EPOLL_CTL_DEL)
    return;
  if (operation == EPOLL_CTL_MOD && errno == ENOENT &&
      epoll_ctl (nested->epoll, EPOLL_CTL_ADD, descriptor->fd, &event) == 0)
    return;

  amps_log (CRITICAL, SYSTEM_FAILED, "Can't watch descriptor %d: %s", descriptor->fd,
            g_strerror (errno));
}

static const GPollFD *
get_descriptor (GArray *descriptors, unsigned int i)
{
  return i < descriptors->len ? &g_array_index (descriptors, GPollFD, i) : NULL;
}

/* Both are in the order of descriptors, as g_main_context_query() gives them. */
static void
watch_wanted (Nested *nested)
{
  GArray *unused;
  unsigned int i = 0;
  unsigned int j = 0;

  while (i < nested->watched->len || j < nested->wanted->len)
    {
      const GPollFD *old = get_descriptor (nested->watched, i);
      const GPollFD *new = get_descriptor (nested->wanted, j);

      if (new == NULL || (old != NULL && old->fd < new->fd))
        {
          control (nested, EPOLL_CTL_DEL, old);
          i++;
        }
      else if (old == NULL || new->fd < old->fd)
        {
          control (nested, EPOLL_CTL_ADD, new);
          j++;
        }
      else
        {
          if (old->events != new->events)
            control (nested, EPOLL_CTL_MOD, new);
          i++;
          j++;
        }
    }

  unused = nested->watched;
  nested->watched = nested->wanted;
  nested->wanted = unused;
}

static void
make_ready (ContextSource *self, Nested *nested)
{
  if (nested->ready)
    return;

  nested->ready = TRUE;
  g_queue_push_tail_link (&self->ready, &nested->link);
}

static void
make_unready (ContextSource *self, Nested *nested)
{
  if (!nested->ready)
    return;

  nested->ready = FALSE;
  g_queue_unlink (&self->ready, &nested->link);
}

/* Finds out what the next turn of @nested is to wait for. Even if that is nothing: in
 * the turns until then a descriptor could be closed and its number be another file's. */
static void
context_source_look (ContextSource *self, Nested *nested)
{
  GArray *wanted = nested->wanted;
  gboolean was_timed = nested->due >= 0;
  int priority;
  int timeout;
  int n_wanted;
  gboolean ready = g_main_context_prepare (nested->context, &priority);

  while ((n_wanted = g_main_context_query (nested->context, G_MAXINT, &timeout,
                                           (GPollFD *) (gpointer) wanted->data,
                                           (int) wanted->len)) > (int) wanted->len)
    g_array_set_size (wanted, (unsigned int) n_wanted);
  g_array_set_size (wanted, (unsigned int) n_wanted);

  watch_wanted (nested);
  if (ready)
    make_ready (self, nested);
  nested->due =
      ready || timeout < 0 ? -1 : g_get_monotonic_time () + timeout * G_TIME_SPAN_MILLISECOND;

  if (nested->due >= 0 && !was_timed)
    g_ptr_array_add (self->timed, nested);
  else if (nested->due < 0 && was_timed)
    g_ptr_array_remove_fast (self->timed, nested);
}

static void
find_ready (ContextSource *self, gint64 now)
{
  struct epoll_event events[MAX_TURNS];
  int n_events = epoll_wait (self->epoll, events, MAX_TURNS, 0);

  for (int i = 0; i < n_events; i++)
    make_ready (self, events[i].data.ptr);

  for (unsigned int i = 0; i < self->timed->len; i++)
    {
      Nested *nested = g_ptr_array_index (self->timed, i);

      if (nested->due <= now)
        make_ready (self, nested);
    }
}

static void
context_source_run (ContextSource *self, Nested *nested)
{
  /* What happens in it may remove it. */
  g_rc_box_acquire (nested);
  make_unready (self, nested);
  g_main_context_push_thread_default (nested->context);
  g_main_context_iteration (nested->context, FALSE);
  if (!nested->removed)
    context_source_look (self, nested);
  g_main_context_pop_thread_default (nested->context);
  nested_unref (nested);
}

static gboolean
context_source_dispatch (GSource *source, GSourceFunc callback G_GNUC_UNUSED,
                         gpointer user_data G_GNUC_UNUSED)
{
  ContextSource *self = (ContextSource *) source;

  find_ready (self, g_source_get_time (source));
  for (unsigned int i = 0; i < MAX_TURNS && self->ready.length > 0; i++)
    context_source_run (self, g_queue_peek_head (&self->ready));
  return G_SOURCE_CONTINUE;
}

static void
context_source_finalize (GSource *source)
{
  ContextSource *self = (ContextSource *) source;

  close (self->epoll);
  g_ptr_array_unref (self->timed);
  g_ptr_array_unref (self->all);
}

static GSourceFuncs context_source_funcs = { .prepare = context_source_prepare,
                                             .check = context_source_check,
                                             .dispatch = context_source_dispatch,
                                             .finalize = context_source_finalize };

/* Returns: -1 if there is none left, or no other one: GLib aborts if it has none for a
 * context. */
static int
open_epoll (void)
{
  int epoll = epoll_create1 (EPOLL_CLOEXEC);
  int another = fcntl (epoll, F_DUPFD_CLOEXEC, 0);

  if (another >= 0)
    close (another);
  else if (epoll >= 0)
    close (epoll);
  return another >= 0 ? epoll : -1;
}

/**
 * amps_context_source_new:
 *
 * A source that runs main contexts in the thread that runs the context it is
 * attached to. A context looks at all its sources in each turn, and walks through a
 * list of all its descriptors to find one: sources that are seldom ready cost less in
 * a nested context, which is looked at only when one of them is.
 *
 * When a descriptor is closed and its number is another file's, the nested context
 * must not watch that for the same events in the same turn. What GIO connects takes
 * at least two. Nor may another nested context, or a child process, have it open.
 *
 * Returns: (transfer full) (nullable): a source to attach; %NULL if the process has
 *   too few descriptors left
 */
GSource *
amps_context_source_new (void)
{
  int epoll = epoll_create1 (EPOLL_CLOEXEC);
  GSource *source;
  ContextSource *self;

  if (epoll < 0)
    return NULL;

  source = g_source_new (&context_source_funcs, sizeof (ContextSource));
  self = (ContextSource *) source;
  self->all = g_ptr_array_new_with_free_func (nested_unref);
  self->timed = g_ptr_array_new ();
  self->epoll = epoll;
  self->epoll_tag = g_source_add_unix_fd (source, epoll, G_IO_IN);
  g_source_set_static_name (source, "nested contexts");
  /* It never recurses; but GLib takes the descriptor of what may
   * not out of poll() for each dispatch. */
  g_source_set_can_recurse (source, TRUE);
  return source;
}

/**
 * amps_context_source_add:
 * @source: a context source
 *
 * Returns: (transfer none) (nullable): a new context that it runs until that is
 *   removed; %NULL if the process has too few descriptors left
 */
GMainContext *
amps_context_source_add (GSource *source)
{
  ContextSource *self = (ContextSource *) source;
  struct epoll_event event = { .events = EPOLLIN };
  Nested *nested;
  int epoll = open_epoll ();

  if (epoll < 0)
    return NULL;

  nested = g_rc_box_new0 (Nested);
  nested->link.data = nested;
  event.data.ptr = nested;
  nested->context = g_main_context_new_with_flags (G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
  nested->epoll = epoll;
  nested->watched = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  nested->wanted = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  nested->due = -1;
  if (epoll_ctl (self->epoll, EPOLL_CTL_ADD, epoll, &event) != 0)
    {
      nested_unref (nested);
      return NULL;
    }

  g_ptr_array_add (self->all, nested);
  g_main_context_acquire (nested->context);
  context_source_look (self, nested);
  g_main_context_release (nested->context);
  return nested->context;
}

static gboolean
has_context (gconstpointer nested, gconstpointer context)
{
  return ((const Nested *) nested)->context == context;
}

/**
 * amps_context_source_remove:
 * @source: a context source
 * @context: what has been added to it
 *
 * Lets go of @context, after everything has happened in it that is about to: what
 * waits for a turn of it may own descriptors.
 */
void
amps_context_source_remove (GSource *source, GMainContext *context)
{
  ContextSource *self = (ContextSource *) source;
  unsigned int i;
  Nested *nested;

  g_return_if_fail (g_ptr_array_find_with_equal_func (self->all, context, has_context, &i));
  nested = g_ptr_array_index (self->all, i);

  g_main_context_push_thread_default (context);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);

  nested->removed = TRUE;
  make_unready (self, nested);
  /* Closing it is not enough while a child process has it. */
  epoll_ctl (self->epoll, EPOLL_CTL_DEL, nested->epoll, NULL);
  g_ptr_array_remove_fast (self->timed, nested);
  g_ptr_array_remove_fast (self->all, nested);
}
