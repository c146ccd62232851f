/* SPDX-License-Identifier: MIT */
#include "amps-context-source.h"

#include "base/amps-log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

/* At least one context has a turn, and at most so many, before everything else has one again. */
#define MAX_CONTEXTS 32
#define MAX_TIME G_TIME_SPAN_MILLISECOND

/* A context takes at most this many steps in its turn, as long as there is something to do at once:
 * to send a request takes libsoup four, to take its answer as many. */
#define MAX_STEPS 12

#define MAX_EVENTS 64

/* A descriptor that a nested context waits for. */
typedef struct {
  int fd;
  gushort events;
  gushort revents; /* what has happened, and the context does not know yet */
  gboolean armed;  /* epoll tells once what happens, and then no more */
} Watch;

typedef struct {
  GMainContext *context; /* (owned) */
  guint32 id;
  int wakeup;          /* the descriptor by which GLib wakes up @context */
  gboolean woken;      /* it has, or may have */
  GArray *watches;     /* (owned) of Watch, but for @wakeup, by descriptor */
  GArray *descriptors; /* (owned) of GPollFD: those of the step */
  int timeout;         /* of the next step, in ms; -1 for none */
  gint64 due;          /* monotonic µs of the next timeout; -1 for none, or when ready */
  GList link;          /* of those that are ready */
  gboolean ready;
  gboolean running;
  gboolean removed;
} Nested;

typedef struct {
  AmpsContextSourceFunc func;
  gpointer user_data;
} Call;

typedef struct {
  GSource source;
  GHashTable *by_context; /* (owned) of Nested (owned) */
  GHashTable *by_id;      /* (owned) of Nested (unowned) */
  guint32 last_id;
  GPtrArray *timed; /* (owned) of Nested (unowned): those that have a timeout */
  GQueue ready;     /* of Nested (unowned): those that are to have a turn */
  GArray *calls;    /* (owned) of Call: what is to be done outside of them */
  int epoll;        /* (owned) is ready when a descriptor of theirs is */
  gpointer epoll_tag;
} ContextSource;

static void
nested_clear (gpointer data)
{
  Nested *nested = data;

  g_main_context_release (nested->context);
  g_array_unref (nested->watches);
  g_array_unref (nested->descriptors);
  g_main_context_unref (nested->context);
}

static void
nested_unref (gpointer data)
{
  g_rc_box_release_full (data, nested_clear);
}

/* Descriptors */

/* epoll gives it back with what happens. The number of a context is never used again. */
static guint64
get_tag (const Nested *nested, int fd)
{
  return (guint64) nested->id << 32 | (guint32) fd;
}

/* A descriptor leaves the set by itself when it is closed, and its number may be
 * another file's by now. */
static void
arm (ContextSource *self, const Nested *nested, Watch *watch)
{
  struct epoll_event event = { .events = watch->events | EPOLLONESHOT,
                               .data.u64 = get_tag (nested, watch->fd) };

  watch->armed = TRUE;
  if (epoll_ctl (self->epoll, EPOLL_CTL_MOD, watch->fd, &event) == 0 ||
      (errno == ENOENT && epoll_ctl (self->epoll, EPOLL_CTL_ADD, watch->fd, &event) == 0))
    return;

  amps_log (CRITICAL, SYSTEM_FAILED, "Can't watch descriptor %d: %s", watch->fd,
            g_strerror (errno));
}

static Watch *
find_watch (Nested *nested, int fd)
{
  for (unsigned int i = 0; i < nested->watches->len; i++)
    {
      Watch *watch = &g_array_index (nested->watches, Watch, i);

      if (watch->fd == fd)
        return watch;
    }

  return NULL;
}

/* What is not wanted any more stays armed in the kernel, which costs nothing, but is
 * forgotten: in the turns until it is wanted again it may be closed. */
static void
note_wanted (Nested *nested)
{
  unsigned int n_known = nested->watches->len;

  for (unsigned int i = 0; i < nested->descriptors->len; i++)
    {
      const GPollFD *wanted = &g_array_index (nested->descriptors, GPollFD, i);
      const Watch *known = find_watch (nested, wanted->fd);
      Watch watch = { .fd = wanted->fd, .events = wanted->events };

      if (wanted->fd == nested->wakeup)
        continue;
      if (known != NULL && known->events == wanted->events)
        watch = *known;
      g_array_append_val (nested->watches, watch);
    }

  if (n_known > 0)
    g_array_remove_range (nested->watches, 0, n_known);
}

/* Steps */

/* Finds out what @nested is to wait for, and for how long at most.
 *
 * Returns: whether there is something to do at once, of @priority */
static gboolean
prepare_step (Nested *nested, int *priority)
{
  GArray *descriptors = nested->descriptors;
  gboolean ready = g_main_context_prepare (nested->context, priority);
  int n;

  while ((n = g_main_context_query (nested->context, *priority, &nested->timeout,
                                    (GPollFD *) (gpointer) descriptors->data,
                                    (int) descriptors->len)) > (int) descriptors->len)
    g_array_set_size (descriptors, (unsigned int) n);
  g_array_set_size (descriptors, (unsigned int) n);

  note_wanted (nested);
  return ready || nested->timeout == 0;
}

/* GLib clears what wakes it up if it is told that it has been: otherwise that would wake
 * up the main loop for what has been done by then.
 *
 * Returns: whether anything else has happened */
static gboolean
tell_what_happened (Nested *nested, gboolean woken)
{
  gboolean happened = FALSE;

  for (unsigned int i = 0; i < nested->descriptors->len; i++)
    {
      GPollFD *descriptor = &g_array_index (nested->descriptors, GPollFD, i);
      Watch *watch = find_watch (nested, descriptor->fd);

      descriptor->revents = woken && descriptor->fd == nested->wakeup ? G_IO_IN : 0;
      if (watch == NULL || watch->revents == 0)
        continue;
      descriptor->revents = watch->revents;
      watch->revents = 0;
      happened = TRUE;
    }

  return happened;
}

/* What a turn of a main loop does, but for the poll(): the kernel is only asked by
 * epoll, for all contexts at once.
 *
 * Returns: whether there may be more to do */
static gboolean
take_step (Nested *nested)
{
  GArray *descriptors = nested->descriptors;
  int priority;
  gboolean ready = prepare_step (nested, &priority);
  gboolean was_woken = nested->woken;

  if (!tell_what_happened (nested, !ready && was_woken) && !ready)
    {
      if (!was_woken)
        return FALSE;
      nested->woken = FALSE;
    }

  if (!g_main_context_check (nested->context, priority, (GPollFD *) (gpointer) descriptors->data,
                             (int) descriptors->len))
    return was_woken;

  g_main_context_dispatch (nested->context);
  nested->woken = TRUE;
  return TRUE;
}

/* Turns */

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

/* Knows what it is to wait for. */
static void
wait_for_turn (ContextSource *self, Nested *nested, gboolean ready)
{
  gboolean was_timed = nested->due >= 0;

  if (ready)
    make_ready (self, nested);
  for (unsigned int i = 0; i < nested->watches->len; i++)
    {
      Watch *watch = &g_array_index (nested->watches, Watch, i);

      if (!watch->armed && watch->revents == 0)
        arm (self, nested, watch);
    }

  nested->due = ready || nested->timeout < 0
                    ? -1
                    : g_get_monotonic_time () + nested->timeout * G_TIME_SPAN_MILLISECOND;
  if (nested->due >= 0 && !was_timed)
    g_ptr_array_add (self->timed, nested);
  else if (nested->due < 0 && was_timed)
    g_ptr_array_remove_fast (self->timed, nested);
}

static void
take_turn (ContextSource *self, Nested *nested)
{
  unsigned int n_left = MAX_STEPS;
  gboolean more = TRUE;
  int priority;

  /* What happens in it may remove it. */
  g_rc_box_acquire (nested);
  make_unready (self, nested);
  nested->running = TRUE;
  g_main_context_push_thread_default (nested->context);
  while (more && !nested->removed && n_left-- > 0)
    more = take_step (nested);
  if (!nested->removed)
    wait_for_turn (self, nested, more && prepare_step (nested, &priority));
  g_main_context_pop_thread_default (nested->context);
  nested->running = FALSE;
  nested_unref (nested);
}

/* The source */

/* Returns: monotonic µs when the first of them has something to do; -1 for never */
static gint64
get_due (ContextSource *self)
{
  gint64 due = self->ready.length > 0 || self->calls->len > 0 ? 0 : -1;

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

static void
note_event (ContextSource *self, const struct epoll_event *event)
{
  Nested *nested =
      g_hash_table_lookup (self->by_id, GUINT_TO_POINTER ((guint32) (event->data.u64 >> 32)));
  int fd = (int) (guint32) event->data.u64;
  Watch *watch = nested != NULL ? find_watch (nested, fd) : NULL;

  if (watch != NULL)
    *watch = (Watch){ fd, watch->events, (gushort) event->events, FALSE };
  else if (nested != NULL && fd == nested->wakeup)
    nested->woken = TRUE;
  else
    return;
  make_ready (self, nested);
}

static void
find_ready (ContextSource *self)
{
  gint64 now = g_source_get_time (&self->source);
  struct epoll_event events[MAX_EVENTS];
  int n_events = 0;

  if (g_source_query_unix_fd (&self->source, self->epoll_tag) != 0)
    n_events = epoll_wait (self->epoll, events, MAX_EVENTS, 0);
  for (int i = 0; i < n_events; i++)
    note_event (self, &events[i]);

  for (unsigned int i = 0; i < self->timed->len; i++)
    {
      Nested *nested = g_ptr_array_index (self->timed, i);

      if (nested->due <= now)
        make_ready (self, nested);
    }
}

static void
make_calls (ContextSource *self)
{
  while (self->calls->len > 0)
    {
      Call call = g_array_index (self->calls, Call, 0);

      g_array_remove_index (self->calls, 0);
      call.func (call.user_data);
    }
}

static gboolean
context_source_dispatch (GSource *source, GSourceFunc callback G_GNUC_UNUSED,
                         gpointer user_data G_GNUC_UNUSED)
{
  ContextSource *self = (ContextSource *) source;
  unsigned int n_left;
  gint64 end;

  make_calls (self);
  find_ready (self);
  /* What was called may have something for them to do. */
  n_left = MIN (2 * self->ready.length, MAX_CONTEXTS);
  end = g_get_monotonic_time () + MAX_TIME;
  while (n_left-- > 0 && self->ready.length > 0)
    {
      take_turn (self, g_queue_peek_head (&self->ready));
      make_calls (self);
      if (g_get_monotonic_time () >= end)
        n_left = 0;
    }
  return G_SOURCE_CONTINUE;
}

static void
context_source_finalize (GSource *source)
{
  ContextSource *self = (ContextSource *) source;

  close (self->epoll);
  g_array_unref (self->calls);
  g_ptr_array_unref (self->timed);
  g_hash_table_unref (self->by_id);
  g_hash_table_unref (self->by_context);
}

static GSourceFuncs context_source_funcs = { .prepare = context_source_prepare,
                                             .check = context_source_check,
                                             .dispatch = context_source_dispatch,
                                             .finalize = context_source_finalize };

/**
 * amps_context_source_new:
 *
 * A source that runs main contexts in the thread that runs the context it is
 * attached to. A context looks at all its sources in each turn, and gives all its
 * descriptors to poll(): what has a nested context costs only when it is ready. And
 * that context does in a single turn of the main loop all that is to be done at once.
 *
 * When a descriptor is closed and its number is another file's, the nested context
 * must not watch that for the same events in the same step. What GIO connects takes
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
  self->by_context = g_hash_table_new_full (NULL, NULL, NULL, nested_unref);
  self->by_id = g_hash_table_new (NULL, NULL);
  self->timed = g_ptr_array_new ();
  self->calls = g_array_new (FALSE, FALSE, sizeof (Call));
  self->epoll = epoll;
  self->epoll_tag = g_source_add_unix_fd (source, epoll, G_IO_IN);
  g_source_set_static_name (source, "nested contexts");
  /* It never recurses; but GLib takes the descriptor of what may
   * not out of poll() for each dispatch. */
  g_source_set_can_recurse (source, TRUE);
  return source;
}

/* GLib aborts if it has no descriptor for a context. */
static gboolean
has_descriptor (ContextSource *self)
{
  int another = fcntl (self->epoll, F_DUPFD_CLOEXEC, 0);

  if (another >= 0)
    close (another);
  return another >= 0;
}

/**
 * amps_context_source_add:
 * @source: a context source
 *
 * See amps_context_source_wake() for what is attached to it.
 *
 * Returns: (transfer none) (nullable): a new context that it runs until that is
 *   removed; %NULL if the process has too few descriptors left
 */
GMainContext *
amps_context_source_add (GSource *source)
{
  ContextSource *self = (ContextSource *) source;
  struct epoll_event event = { .events = EPOLLIN };
  GPollFD first;
  Nested *nested;
  int priority;
  int timeout;

  if (!has_descriptor (self))
    return NULL;

  nested = g_rc_box_new0 (Nested);
  nested->id = ++self->last_id;
  nested->link.data = nested;
  nested->context = g_main_context_new ();
  nested->watches = g_array_new (FALSE, FALSE, sizeof (Watch));
  nested->descriptors = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  nested->due = -1;

  /* For good: what its owner attaches wakes up nobody. */
  g_main_context_acquire (nested->context);
  /* A context without a source waits only to be woken up. */
  g_main_context_prepare (nested->context, &priority);
  g_main_context_query (nested->context, priority, &timeout, &first, 1);
  nested->wakeup = first.fd;
  event.data.u64 = get_tag (nested, first.fd);
  if (epoll_ctl (self->epoll, EPOLL_CTL_ADD, first.fd, &event) != 0)
    {
      nested_unref (nested);
      return NULL;
    }

  g_hash_table_insert (self->by_context, nested->context, nested);
  g_hash_table_insert (self->by_id, GUINT_TO_POINTER (nested->id), nested);
  return nested->context;
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
  Nested *nested = g_hash_table_lookup (self->by_context, context);

  g_return_if_fail (nested != NULL);

  g_main_context_push_thread_default (context);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);

  nested->removed = TRUE;
  make_unready (self, nested);
  /* A child process may have them. */
  epoll_ctl (self->epoll, EPOLL_CTL_DEL, nested->wakeup, NULL);
  for (unsigned int i = 0; i < nested->watches->len; i++)
    epoll_ctl (self->epoll, EPOLL_CTL_DEL, g_array_index (nested->watches, Watch, i).fd, NULL);
  g_ptr_array_remove_fast (self->timed, nested);
  g_hash_table_remove (self->by_id, GUINT_TO_POINTER (nested->id));
  g_hash_table_remove (self->by_context, context);
}

/**
 * amps_context_source_run:
 * @source: a context source
 * @context: what has been added to it
 *
 * Does at once what is to be done in @context, without a turn of the main loop, unless
 * that is being done: for a caller that has just begun something there.
 */
void
amps_context_source_run (GSource *source, GMainContext *context)
{
  ContextSource *self = (ContextSource *) source;
  Nested *nested = g_hash_table_lookup (self->by_context, context);

  g_return_if_fail (nested != NULL);

  if (!nested->running)
    take_turn (self, nested);
}

/**
 * amps_context_source_wake:
 * @source: a context source
 * @context: what has been added to it
 *
 * Tells that there may be something to do in @context. To be called after whatever may
 * have attached a source to it, unless that was in a turn of @context, or in another
 * thread. g_main_context_wakeup() would do the same by system calls, and GLib would for
 * each source in a context that has no owner between its turns.
 */
void
amps_context_source_wake (GSource *source, GMainContext *context)
{
  ContextSource *self = (ContextSource *) source;
  Nested *nested = g_hash_table_lookup (self->by_context, context);

  g_return_if_fail (nested != NULL);

  make_ready (self, nested);
}

/**
 * amps_context_source_call:
 * @source: a context source
 * @func: (scope async): called once, and not from within a nested context
 * @user_data: passed to @func
 *
 * For what a nested context has come to, and others are to go on with: @func is called
 * when the turn of that context is over.
 */
void
amps_context_source_call (GSource *source, AmpsContextSourceFunc func, gpointer user_data)
{
  Call call = { func, user_data };

  g_array_append_val (((ContextSource *) source)->calls, call);
}
