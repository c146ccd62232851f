/* SPDX-License-Identifier: MIT */
#include "amps-session-pool.h"

#include "core/amps-context-source.h"

/* So many requests may be under way before it is known whether more would help. */
#define MIN_LIMIT 32

/* So many connections are made at once. Each step of making one is a turn of the main
 * loop, and the first POST waits in each for all others. */
#define MAX_CONNECTING 8

/* Sessions beyond those are in groups with a nested context each: every turn of the
 * main loop would look at all that wait for answers. */
#define MAX_UNGROUPED 64
#define GROUP_SIZE 32

/* When more connections are allowed, all sessions are in groups. While there are few,
 * a request costs more in a group. */
#define MAX_MIXED 512

/* After so long with half of the connections idle, fewer are used. */
#define SHRINK_INTERVAL AMPS_SECONDS (5)

/* Less than the 5 s after which Node's server closes an idle connection: a POST
 * on a connection that is just being closed would be lost. */
#define IDLE_TIMEOUT AMPS_SECONDS (4)

/* So many are closed in one turn of the main loop. */
#define MAX_CLOSED 32

typedef struct {
  grefcount ref_count; /* one for each session */
  GSource *source;     /* (owned) has the context */
  unsigned int n_sessions;
} Group;

typedef struct {
  SoupSession *session; /* (owned) */
  gint64 released;      /* monotonic µs */
} Idle;

struct _AmpsSessionPool {
  AmpsClock *clock;       /* (owned) */
  AmpsEndpoint *endpoint; /* (owned) */
  GArray *idle;           /* (owned) of Idle, the last used one last */
  GSource *idle_timer;    /* (owned) due when the first of them may have to be closed */
  GPtrArray *connecting;  /* (owned) of SoupSession, acquired: whose connections are being made */
  Group *group;           /* (owned) (nullable) gets new sessions */
  unsigned int limit;     /* of connections for now */
  unsigned int n_busy;
  unsigned int peak; /* of @n_busy since @shrunk */
  gint64 shrunk;     /* monotonic µs */
};

/* Returns: (nullable): %NULL if there are too few descriptors left */
static Group *
group_new (void)
{
  GSource *source = amps_context_source_new ();
  Group *group;

  if (source == NULL)
    return NULL;

  group = g_new0 (Group, 1);
  g_ref_count_init (&group->ref_count);
  group->source = source;
  g_source_attach (source, NULL);
  return group;
}

static void
group_unref (gpointer data)
{
  Group *group = data;

  if (!g_ref_count_dec (&group->ref_count))
    return;

  g_source_destroy (group->source);
  g_source_unref (group->source);
  g_free (group);
}

static GQuark
group_quark (void)
{
  return g_quark_from_static_string ("amps-session-pool-group");
}

/* Returns: (nullable): %NULL if it is in the main context */
static Group *
get_group (SoupSession *session)
{
  return g_object_get_qdata (G_OBJECT (session), group_quark ());
}

static SoupSession *
create_grouped_session (AmpsSessionPool *self, Group *group)
{
  GMainContext *context = amps_context_source_get_nested (group->source);
  SoupSession *session;

  g_main_context_push_thread_default (context);
  session = amps_endpoint_create_session (self->endpoint, 0);
  g_main_context_pop_thread_default (context);

  g_ref_count_inc (&group->ref_count);
  g_object_set_qdata_full (G_OBJECT (session), group_quark (), group, group_unref);
  if (++group->n_sessions == GROUP_SIZE)
    g_clear_pointer (&self->group, group_unref);
  return session;
}

static SoupSession *
create_session (AmpsSessionPool *self)
{
  gboolean grouped = self->n_busy > MAX_UNGROUPED || self->limit > MAX_MIXED;

  if (grouped && self->group == NULL)
    self->group = group_new ();

  if (grouped && self->group != NULL)
    return create_grouped_session (self, self->group);
  return amps_endpoint_create_session (self->endpoint, 0);
}

/* Whether it should be where it is, with so many as there may be now. */
static gboolean
is_well_placed (AmpsSessionPool *self, SoupSession *session)
{
  return get_group (session) != NULL ? self->limit > MAX_UNGROUPED : self->limit <= MAX_MIXED;
}

static void
idle_clear (gpointer data)
{
  Idle *idle = data;

  g_object_unref (idle->session);
}

static gboolean
is_old (AmpsSessionPool *self, const Idle *idle)
{
  return amps_clock_get_monotonic_time (self->clock) - idle->released >= IDLE_TIMEOUT;
}

/* libsoup's own timer would also close a connection that a request has taken in the
 * same turn of the main loop, and the request would never end. */
static gboolean
on_idle_timer (gpointer user_data)
{
  AmpsSessionPool *self = user_data;
  unsigned int n_old = 0;

  while (n_old < MIN (self->idle->len, MAX_CLOSED) &&
         is_old (self, &g_array_index (self->idle, Idle, n_old)))
    n_old++;

  g_array_remove_range (self->idle, 0, n_old);
  if (self->idle->len > 0)
    amps_timer_set_due (self->idle_timer,
                        g_array_index (self->idle, Idle, 0).released + IDLE_TIMEOUT);
  return G_SOURCE_CONTINUE;
}

static void
shrink (AmpsSessionPool *self)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);

  self->peak = MAX (self->peak, self->n_busy);
  if (now - self->shrunk < SHRINK_INTERVAL)
    return;

  if (self->peak < self->limit / 2)
    self->limit = MAX (self->limit / 2, MIN_LIMIT);
  self->peak = self->n_busy;
  self->shrunk = now;
}

/**
 * amps_session_pool_new:
 * @clock: what time is measured by
 * @endpoint: where connections lead
 *
 * Returns: (transfer full): a pool without a connection
 */
AmpsSessionPool *
amps_session_pool_new (AmpsClock *clock, AmpsEndpoint *endpoint)
{
  AmpsSessionPool *self = g_new0 (AmpsSessionPool, 1);

  self->clock = g_object_ref (clock);
  self->endpoint = g_object_ref (endpoint);
  self->limit = MIN_LIMIT;
  self->idle = g_array_new (FALSE, FALSE, sizeof (Idle));
  g_array_set_clear_func (self->idle, idle_clear);
  self->connecting = g_ptr_array_new ();
  self->idle_timer = amps_clock_create_timer (clock, "idle workload connections");
  g_source_set_callback (self->idle_timer, on_idle_timer, self, NULL);
  g_source_attach (self->idle_timer, NULL);
  return self;
}

/**
 * amps_session_pool_free:
 * @self: (transfer full): a pool
 */
void
amps_session_pool_free (AmpsSessionPool *self)
{
  g_source_destroy (self->idle_timer);
  g_source_unref (self->idle_timer);
  g_array_unref (self->idle);
  g_ptr_array_unref (self->connecting);
  g_clear_pointer (&self->group, group_unref);
  g_object_unref (self->endpoint);
  g_object_unref (self->clock);
  g_free (self);
}

/**
 * amps_session_pool_acquire:
 * @self: a pool
 *
 * Returns: (transfer full) (nullable): a session to send one request with, to be
 *   released after it; %NULL while all connections are busy, or enough are being made
 */
SoupSession *
amps_session_pool_acquire (AmpsSessionPool *self)
{
  const Idle *last;
  SoupSession *session = NULL;

  shrink (self);
  if (self->n_busy >= self->limit)
    return NULL;

  /* The last used one, so that the connections of the others grow idle. */
  if (self->idle->len > 0)
    {
      last = &g_array_index (self->idle, Idle, self->idle->len - 1);
      if (!is_old (self, last))
        session = g_object_ref (last->session);
      g_array_set_size (self->idle, self->idle->len - 1);
    }

  if (session == NULL && self->connecting->len >= MAX_CONNECTING)
    return NULL;

  self->n_busy++;
  if (session == NULL)
    {
      session = create_session (self);
      g_ptr_array_add (self->connecting, session);
    }
  return session;
}

/**
 * amps_session_pool_connected:
 * @self: a pool
 * @session: what was acquired
 *
 * Says that something could be sent.
 *
 * Returns: whether that was the first time, and so another connection may be made
 */
gboolean
amps_session_pool_connected (AmpsSessionPool *self, SoupSession *session)
{
  return g_ptr_array_remove_fast (self->connecting, session);
}

/**
 * amps_session_pool_overlook_connecting:
 * @self: a pool
 *
 * Lets others be made beside the connections that are being made, which take long.
 *
 * Returns: whether there are any
 */
gboolean
amps_session_pool_overlook_connecting (AmpsSessionPool *self)
{
  gboolean any = self->connecting->len > 0;

  g_ptr_array_set_size (self->connecting, 0);
  return any;
}

/**
 * amps_session_pool_release:
 * @self: a pool
 * @session: (transfer full): what was acquired
 */
void
amps_session_pool_release (AmpsSessionPool *self, SoupSession *session)
{
  Idle idle = { session, amps_clock_get_monotonic_time (self->clock) };

  g_ptr_array_remove_fast (self->connecting, session);
  self->n_busy--;
  if (is_well_placed (self, session))
    {
      g_array_append_val (self->idle, idle);
      if (amps_timer_get_due (self->idle_timer) < 0)
        amps_timer_set_due (self->idle_timer, idle.released + IDLE_TIMEOUT);
      return;
    }

  /* It is closed as one that has been idle for long. */
  amps_timer_set_due (self->idle_timer, idle.released);
  idle.released -= IDLE_TIMEOUT;
  g_array_prepend_val (self->idle, idle);
}

/**
 * amps_session_pool_grow:
 * @self: a pool
 *
 * Allows more connections if all are busy, because requests wait for one in vain.
 */
void
amps_session_pool_grow (AmpsSessionPool *self)
{
  if (self->n_busy >= self->limit)
    self->limit *= 2;
}

/**
 * amps_session_pool_send_async:
 * @session: what was acquired
 * @message: a request
 * @cancellable: (nullable): stops it
 * @callback: called with the answer, in the session's main context
 * @user_data: passed to @callback
 *
 * soup_session_send_async() in the session's main context, except that an answer 421
 * is given to @callback like any other. libsoup would send @message again, which a
 * client may (RFC 9110, section 15.5.20); but the workload has had it.
 */
void
amps_session_pool_send_async (SoupSession *session, SoupMessage *message, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  Group *group = get_group (session);
  GMainContext *context = group != NULL ? amps_context_source_get_nested (group->source) : NULL;
  unsigned int got_body = g_signal_lookup ("got-body", SOUP_TYPE_MESSAGE);
  gulong handler;

  g_main_context_push_thread_default (context);
  soup_session_send_async (session, message, G_PRIORITY_DEFAULT, cancellable, callback, user_data);
  handler = g_signal_handler_find (message, G_SIGNAL_MATCH_ID, got_body, 0, NULL, NULL, NULL);
  g_clear_signal_handler (&handler, message);
  g_main_context_pop_thread_default (context);
}
