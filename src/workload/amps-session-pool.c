/* SPDX-License-Identifier: MIT */
#include "amps-session-pool.h"

#include "amps-context-source.h"

/* This many requests may be under way before it is known whether more would help. */
#define MIN_LIMIT 32

/* Connections beyond those share sessions: many that wait take less memory so. But there a
 * request costs more, and several turns of the main loop. */
#define MAX_UNSHARED 32
#define SHARED_SIZE 8

/* After this long with half of the connections idle, fewer are used. */
#define SHRINK_INTERVAL AMPS_SECONDS (5)

/* Less than the 5 s after which Node's server closes an idle connection: a POST
 * on a connection that is just being closed would be lost. */
#define IDLE_TIMEOUT AMPS_SECONDS (4)

/* After this many are closed, others have to wait for the next turn of the main loop. */
#define MAX_CLOSED 32

struct _AmpsSessionPool {
  AmpsClock *clock;           /* (owned) */
  AmpsEndpoint *endpoint;     /* (owned) */
  AmpsConnectionWatch *watch; /* (unowned) (nullable) */
  GPtrArray *sessions;        /* (owned) of AmpsPooledSession, those with one connection first */
  GSource *contexts;          /* (owned) (nullable) runs the nested ones, once there was any */
  GMainContext *common;       /* (unowned) (nullable) of sessions with one connection each */
  GSource *idle_timer;        /* (owned) due when one of them may have to be closed */
  unsigned int limit;         /* of connections for now */
  unsigned int n_busy;
  unsigned int peak; /* of @n_busy since @shrunk */
  gint64 shrunk;     /* monotonic µs */
};

static void
make_idle_timer_due (AmpsSessionPool *self, gint64 due)
{
  gint64 before = amps_timer_get_due (self->idle_timer);

  if (before < 0 || due < before)
    amps_timer_set_due (self->idle_timer, due);
}

/* Any of its connections may be used for the next request. */
static gboolean
is_too_old (AmpsPooledSession *session, gint64 now)
{
  gint64 since = amps_pooled_session_get_idle_since (session);

  return since >= 0 && now - since >= IDLE_TIMEOUT;
}

static gboolean
on_idle_timer (gpointer user_data)
{
  AmpsSessionPool *self = user_data;
  gint64 now = amps_clock_get_monotonic_time (self->clock);
  unsigned int n_closed = 0;
  unsigned int i = 0;

  while (i < self->sessions->len && n_closed < MAX_CLOSED)
    {
      AmpsPooledSession *session = g_ptr_array_index (self->sessions, i);
      gint64 idle_since;

      if (is_too_old (session, now))
        n_closed += amps_pooled_session_close_idle (session);
      if (amps_pooled_session_is_empty (session))
        {
          g_ptr_array_remove_index (self->sessions, i);
          continue;
        }

      idle_since = amps_pooled_session_get_idle_since (session);
      if (idle_since >= 0)
        make_idle_timer_due (self, idle_since + IDLE_TIMEOUT);
      i++;
    }

  if (i < self->sessions->len)
    make_idle_timer_due (self, now);
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
 * @watch: (nullable): what watches them, and outlives the pool
 *
 * Returns: (transfer full): a pool without a connection
 */
AmpsSessionPool *
amps_session_pool_new (AmpsClock *clock, AmpsEndpoint *endpoint, AmpsConnectionWatch *watch)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_ENDPOINT (endpoint), NULL);

  AmpsSessionPool *self = g_new0 (AmpsSessionPool, 1);

  self->clock = g_object_ref (clock);
  self->endpoint = g_object_ref (endpoint);
  self->watch = watch;
  self->limit = MIN_LIMIT;
  self->sessions = g_ptr_array_new_with_free_func ((GDestroyNotify) amps_pooled_session_free);
  self->idle_timer =
      amps_clock_attach_timer (clock, "idle workload connections", on_idle_timer, self);
  return self;
}

/**
 * amps_session_pool_free:
 * @self: (transfer full): a pool to which everything has been released
 */
void
amps_session_pool_free (AmpsSessionPool *self)
{
  amps_timer_free (self->idle_timer);
  g_ptr_array_unref (self->sessions);
  if (self->contexts != NULL)
    {
      if (self->common != NULL)
        amps_context_source_remove (self->contexts, self->common);
      g_source_destroy (self->contexts);
      g_source_unref (self->contexts);
    }
  g_object_unref (self->endpoint);
  g_object_unref (self->clock);
  g_free (self);
}

/**
 * amps_session_pool_acquire_idle:
 * @self: a pool
 *
 * The first session that has one, so that the connections of the last ones grow idle
 * together.
 *
 * Returns: (transfer none) (nullable): a session to send one request with, on a
 *   connection that it has, to be released after it; %NULL if none is idle, or as many
 *   are busy as may be
 */
AmpsPooledSession *
amps_session_pool_acquire_idle (AmpsSessionPool *self)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);

  shrink (self);
  if (self->n_busy >= self->limit)
    return NULL;

  for (unsigned int i = 0; i < self->sessions->len; i++)
    {
      AmpsPooledSession *session = g_ptr_array_index (self->sessions, i);

      if (amps_pooled_session_get_idle_since (session) < 0 || is_too_old (session, now))
        continue;

      amps_pooled_session_take_idle (session);
      amps_pooled_session_set_alone (session, self->n_busy++ == 0);
      return session;
    }

  return NULL;
}

/* Every turn of the main loop would look at all connections that wait for answers: those of
 * a shared session have a context of their own, which is looked at only when it has
 * something to do. The others have one together, whose steps all of them take at once.
 *
 * Returns: (transfer full) (nullable): %NULL if there are too few descriptors left */
static AmpsPooledSession *
create_nested (AmpsSessionPool *self, unsigned int size)
{
  if (self->contexts == NULL)
    {
      self->contexts = amps_context_source_new ();
      if (self->contexts == NULL)
        return NULL;

      g_source_attach (self->contexts, NULL);
    }
  if (size == 1 && self->common == NULL)
    {
      self->common = amps_context_source_add (self->contexts);
      if (self->common == NULL)
        return NULL;
    }

  return amps_pooled_session_new (self->endpoint, self->contexts, size == 1 ? self->common : NULL,
                                  size, self->watch);
}

/* Returns: (transfer none) (nullable): %NULL if there are too few descriptors left */
static AmpsPooledSession *
get_shared (AmpsSessionPool *self)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);
  AmpsPooledSession *session;

  for (unsigned int i = 0; i < self->sessions->len; i++)
    {
      session = g_ptr_array_index (self->sessions, i);
      if (amps_pooled_session_is_shared (session) && amps_pooled_session_has_room (session) &&
          !is_too_old (session, now))
        return session;
    }

  session = create_nested (self, SHARED_SIZE);
  if (session != NULL)
    g_ptr_array_add (self->sessions, session);
  return session;
}

/**
 * amps_session_pool_acquire_new:
 * @self: a pool
 *
 * Returns: (transfer none) (nullable): a session to send one request with, on a
 *   connection that is to be made, to be released after it; %NULL if as many are busy
 *   as may be
 */
AmpsPooledSession *
amps_session_pool_acquire_new (AmpsSessionPool *self)
{
  AmpsPooledSession *session = NULL;

  if (self->n_busy >= self->limit)
    return NULL;

  if (self->n_busy >= MAX_UNSHARED)
    session = get_shared (self);
  if (session == NULL)
    {
      /* If only for want of descriptors, it stays here for as long as it is used. */
      session = create_nested (self, 1);
      if (session == NULL)
        session = amps_pooled_session_new (self->endpoint, NULL, NULL, 1, self->watch);
      g_ptr_array_insert (self->sessions, 0, session);
    }

  amps_pooled_session_take_new (session);
  amps_pooled_session_set_alone (session, self->n_busy++ == 0);
  return session;
}

/**
 * amps_session_pool_release:
 * @self: a pool
 * @session: what was acquired
 * @message: (nullable): what was sent
 */
void
amps_session_pool_release (AmpsSessionPool *self, AmpsPooledSession *session, SoupMessage *message)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);

  self->n_busy--;
  amps_pooled_session_give_back (session, message, now);
  make_idle_timer_due (self, now + IDLE_TIMEOUT);
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
