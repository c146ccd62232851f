/* SPDX-License-Identifier: MIT */
#include "amps-session-pool.h"

/* So many requests may be under way before it is known whether more would help. */
#define MIN_LIMIT 32

/* After so long with half of the connections idle, fewer are used. */
#define SHRINK_INTERVAL AMPS_SECONDS (5)

struct _AmpsSessionPool {
  AmpsClock *clock;       /* (owned) */
  AmpsEndpoint *endpoint; /* (owned) */
  GQueue idle;            /* (owned) of SoupSession, the last used one first */
  unsigned int limit;     /* of connections for now */
  unsigned int n_busy;
  unsigned int peak; /* of @n_busy since @shrunk */
  gint64 shrunk;     /* monotonic µs */
};

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
  g_object_unref (self->endpoint);
  g_object_unref (self->clock);
  g_free (self);
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
  return session != NULL ? session : amps_endpoint_create_session (self->endpoint, 0);
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
