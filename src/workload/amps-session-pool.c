/* SPDX-License-Identifier: MIT */
#include "amps-session-pool.h"

#include "core/amps-context-source.h"

/* So many requests may be under way before it is known whether more would help. */
#define MIN_LIMIT 32

/* Sessions beyond those are in groups with a nested context each: every turn of the
 * main loop would look at all that wait for answers. */
#define MAX_UNGROUPED 128
#define GROUP_SIZE 32

/* After so long with half of the connections idle, fewer are used. */
#define SHRINK_INTERVAL AMPS_SECONDS (5)

typedef struct {
  grefcount ref_count; /* one for each session */
  GSource *source;     /* (owned) has the context */
  unsigned int n_sessions;
} Group;

struct _AmpsSessionPool {
  AmpsClock *clock;       /* (owned) */
  AmpsEndpoint *endpoint; /* (owned) */
  GQueue idle;            /* (owned) of SoupSession, the last used one first */
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
  return self;
}

/**
 * amps_session_pool_free:
 * @self: (transfer full): a pool
 */
void
amps_session_pool_free (AmpsSessionPool *self)
{
  g_queue_clear_full (&self->idle, g_object_unref);
  g_clear_pointer (&self->group, group_unref);
  g_object_unref (self->endpoint);
  g_object_unref (self->clock);
  g_free (self);
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
  if (self->n_busy > MAX_UNGROUPED && self->group == NULL)
    self->group = group_new ();

  if (self->n_busy > MAX_UNGROUPED && self->group != NULL)
    return create_grouped_session (self, self->group);
  return amps_endpoint_create_session (self->endpoint, 0);
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
  while (self->n_busy + self->idle.length > self->limit && self->idle.length > 0)
    g_object_unref (g_queue_pop_tail (&self->idle));

  self->peak = self->n_busy;
  self->shrunk = now;
}

/**
 * amps_session_pool_acquire:
 * @self: a pool
 *
 * Returns: (transfer full) (nullable): a session to send one request with, to be
 *   released after it; %NULL while all connections are busy
 */
SoupSession *
amps_session_pool_acquire (AmpsSessionPool *self)
{
  SoupSession *session;

  shrink (self);
  if (self->n_busy >= self->limit)
    return NULL;

  /* The last used one, so that the connections of the others grow idle. */
  session = g_queue_pop_head (&self->idle);
  self->n_busy++;
  return session != NULL ? session : create_session (self);
}

/**
 * amps_session_pool_release:
 * @self: a pool
 * @session: (transfer full): what was acquired
 */
void
amps_session_pool_release (AmpsSessionPool *self, SoupSession *session)
{
  self->n_busy--;
  g_queue_push_head (&self->idle, session);
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
 * soup_session_send_async() in the session's main context.
 */
void
amps_session_pool_send_async (SoupSession *session, SoupMessage *message, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  Group *group = g_object_get_qdata (G_OBJECT (session), group_quark ());
  GMainContext *context = group != NULL ? amps_context_source_get_nested (group->source) : NULL;

  g_main_context_push_thread_default (context);
  soup_session_send_async (session, message, G_PRIORITY_DEFAULT, cancellable, callback, user_data);
  g_main_context_pop_thread_default (context);
}
