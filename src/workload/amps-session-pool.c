/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-session-pool.h"

/* Less than the 5 s after which Node's server closes an idle connection: a POST
 * on a connection that is just being closed would be lost. */
#define IDLE_TIMEOUT_SECONDS 4

/* So many requests may be under way before it is known whether more would help. */
#define MIN_LIMIT 32

/* After so long with half of the connections idle, fewer are used. */
#define SHRINK_INTERVAL AMPS_SECONDS (5)

struct _AmpsSessionPool {
  AmpsClock *clock;            /* (owned) */
  GSocketConnectable *address; /* (owned) (nullable) instead of the URI's */
  GQueue idle;                 /* (owned) of SoupSession, the last used one first */
  unsigned int limit;          /* of connections for now */
  unsigned int n_busy;
  unsigned int peak; /* of @n_busy since @shrunk */
  gint64 shrunk;     /* monotonic µs */
};

/* At each step of a request a session looks at all its connections, and asks the
 * kernel about those that are idle. So there is just one in each. */
static SoupSession *
new_session (AmpsSessionPool *self)
{
  SoupSession *session =
      g_object_new (SOUP_TYPE_SESSION, "max-conns", 1, "max-conns-per-host", 1, "timeout", 0,
                    "idle-timeout", IDLE_TIMEOUT_SECONDS, "user-agent", "amps/" AMPS_VERSION,
                    "remote-connectable", self->address, "proxy-resolver", NULL, NULL);

  /* Answers are taken as they are. */
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_AUTH_MANAGER);
  return session;
}

/**
 * amps_session_pool_new:
 * @clock: what time is measured by
 * @address: (nullable): where to connect, instead of what the URIs say
 *
 * Returns: (transfer full): a pool without a connection
 */
AmpsSessionPool *
amps_session_pool_new (AmpsClock *clock, GSocketConnectable *address)
{
  AmpsSessionPool *self = g_new0 (AmpsSessionPool, 1);

  self->clock = g_object_ref (clock);
  self->address = address != NULL ? g_object_ref (address) : NULL;
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
  g_clear_object (&self->address);
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
  return session != NULL ? session : new_session (self);
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
 * Allows more connections, because requests have waited for one in vain.
 */
void
amps_session_pool_grow (AmpsSessionPool *self)
{
  self->limit *= 2;
}
