/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-session-pool.h"

#define CONNECTIONS_PER_SESSION 32

/* Less than the 5 s after which Node's server closes an idle connection: a POST
 * on a connection that is just being closed would be lost. */
#define IDLE_TIMEOUT_SECONDS 4

/* After so long with half of the connections idle, fewer are used. */
#define SHRINK_INTERVAL AMPS_SECONDS (5)

typedef struct {
  SoupSession *session; /* (owned) */
  unsigned int n_busy;
} Shard;

struct _AmpsSessionPool {
  AmpsClock *clock;            /* (owned) */
  GSocketConnectable *address; /* (owned) (nullable) instead of the URI's */
  GArray *shards;              /* (owned) of Shard, all but the last ones full */
  unsigned int limit;          /* of connections for now */
  unsigned int n_busy;
  unsigned int peak; /* of @n_busy since @shrunk */
  gint64 shrunk;     /* monotonic µs */
};

static SoupSession *
new_session (AmpsSessionPool *self)
{
  SoupSession *session = g_object_new (
      SOUP_TYPE_SESSION, "max-conns", CONNECTIONS_PER_SESSION, "max-conns-per-host",
      CONNECTIONS_PER_SESSION, "timeout", 0, "idle-timeout", IDLE_TIMEOUT_SECONDS, "user-agent",
      "amps/" AMPS_VERSION, "remote-connectable", self->address, "proxy-resolver", NULL, NULL);

  /* Answers are taken as they are. */
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_AUTH_MANAGER);
  return session;
}

static void
shard_clear (gpointer data)
{
  g_clear_object (&((Shard *) data)->session);
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
  self->shards = g_array_new (FALSE, TRUE, sizeof (Shard));
  g_array_set_clear_func (self->shards, shard_clear);
  self->limit = CONNECTIONS_PER_SESSION;
  return self;
}

/**
 * amps_session_pool_free:
 * @self: (transfer full): a pool
 */
void
amps_session_pool_free (AmpsSessionPool *self)
{
  g_array_unref (self->shards);
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
    self->limit = MAX (self->limit / 2, CONNECTIONS_PER_SESSION);
  self->peak = self->n_busy;
  self->shrunk = now;
}

/* The first one with room, so that the connections of the last ones grow idle. */
static Shard *
find_shard (AmpsSessionPool *self)
{
  Shard shard = { 0 };

  for (unsigned int i = 0; i < self->shards->len; i++)
    {
      Shard *candidate = &g_array_index (self->shards, Shard, i);

      if (candidate->n_busy < CONNECTIONS_PER_SESSION)
        return candidate;
    }

  shard.session = new_session (self);
  g_array_append_val (self->shards, shard);
  return &g_array_index (self->shards, Shard, self->shards->len - 1);
}

/**
 * amps_session_pool_acquire:
 * @self: a pool
 *
 * Returns: (transfer none) (nullable): a session to send one request with, to be
 *   released after it; %NULL while all connections are busy
 */
SoupSession *
amps_session_pool_acquire (AmpsSessionPool *self)
{
  Shard *shard;

  shrink (self);
  if (self->n_busy >= self->limit)
    return NULL;

  shard = find_shard (self);
  shard->n_busy++;
  self->n_busy++;
  return shard->session;
}

/**
 * amps_session_pool_release:
 * @self: a pool
 * @session: what was acquired
 */
void
amps_session_pool_release (AmpsSessionPool *self, SoupSession *session)
{
  for (unsigned int i = 0; i < self->shards->len; i++)
    {
      Shard *shard = &g_array_index (self->shards, Shard, i);

      if (shard->session != session)
        continue;
      shard->n_busy--;
      self->n_busy--;
      return;
    }

  g_warn_if_reached ();
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
  self->limit += self->limit / 2;
}
