/* SPDX-License-Identifier: MIT */
#include "amps-embedded-lease.h"

static char *
draw_owner (void)
{
  return g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
}

/* Drawn before: a transaction that fails when it is to be made durable may be in the file
 * for all that, and the next try has to find what it did. */
static void
set_new_owner (AmpsEmbeddedLease *self)
{
  g_free (self->owner);
  self->owner = self->heir;
  self->heir = draw_owner ();
  self->epoch++;
}

/**
 * amps_embedded_lease_new:
 * @duration: µs
 *
 * Returns: (transfer full): leases on nothing yet
 */
AmpsEmbeddedLease *
amps_embedded_lease_new (gint64 duration)
{
  AmpsEmbeddedLease *self = g_new0 (AmpsEmbeddedLease, 1);

  self->duration = duration;
  self->heir = draw_owner ();
  set_new_owner (self);
  return self;
}

/**
 * amps_embedded_lease_copy:
 * @self: leases
 *
 * Returns: (transfer full): the same, for a transaction that may yet fail
 */
AmpsEmbeddedLease *
amps_embedded_lease_copy (const AmpsEmbeddedLease *self)
{
  AmpsEmbeddedLease *copy = g_memdup2 (self, sizeof *self);

  copy->owner = g_strdup (self->owner);
  copy->heir = g_strdup (self->heir);
  return copy;
}

/**
 * amps_embedded_lease_free:
 * @self: (transfer full): leases
 */
void
amps_embedded_lease_free (AmpsEmbeddedLease *self)
{
  g_free (self->owner);
  g_free (self->heir);
  g_free (self);
}

/**
 * amps_embedded_lease_doubt:
 * @self: leases
 *
 * Says that others may have some of the jobs: the next transaction looks.
 */
void
amps_embedded_lease_doubt (AmpsEmbeddedLease *self)
{
  self->doubtful = TRUE;
}

/**
 * amps_embedded_lease_end:
 * @self: leases
 * @epoch: which ones; nothing is done if these are newer
 *
 * Says that the main thread saw them run out: what is left is to be told anew.
 */
void
amps_embedded_lease_end (AmpsEmbeddedLease *self, unsigned int epoch)
{
  if (epoch == self->epoch)
    self->over = TRUE;
}

/**
 * amps_embedded_lease_get_wait:
 * @self: leases
 * @now: the time
 *
 * Returns: µs until amps_embedded_lease_keep() has something to do; 0 or less for now
 */
gint64
amps_embedded_lease_get_wait (const AmpsEmbeddedLease *self, AmpsEmbeddedTime now)
{
  if (self->over)
    return 0;
  if (self->n_held == 0)
    return G_MAXINT64;
  return self->doubtful ? 0 : self->end - self->duration * 2 / 3 - now.boot;
}

/**
 * amps_embedded_lease_get_end_in_file:
 * @self: leases
 * @now: the time
 *
 * Returns: when they end, in µs since 1970
 */
gint64
amps_embedded_lease_get_end_in_file (const AmpsEmbeddedLease *self, AmpsEmbeddedTime now)
{
  return now.real + self->end - now.boot;
}

/* Others have some, and nobody knows which: those that are left come again, under
 * another owner, and never were up for grabs. */
static gboolean
take_what_is_left (AmpsEmbeddedLease *self, AmpsEmbeddedStore *store, AmpsEmbeddedTime now,
                   GPtrArray **left, GError **error)
{
  g_autofree char *before = g_steal_pointer (&self->owner);

  set_new_owner (self);
  *left = amps_embedded_store_reclaim (store, before, self->owner,
                                       amps_embedded_lease_get_end_in_file (self, now), error);
  if (*left == NULL)
    return FALSE;

  self->n_held = (*left)->len;
  self->over = FALSE;
  return TRUE;
}

/**
 * amps_embedded_lease_keep:
 * @self: leases
 * @store: the file, in a transaction
 * @now: the time
 * @left: (out) (transfer full) (nullable) (element-type AmpsStoredJob): if an epoch
 *   has ended, the jobs that are still held, in a new one
 * @error: return location
 *
 * Renews the leases when it is time. One that has run out is taken up again, unless
 * another process has the job.
 *
 * Returns: whether it could be done
 */
gboolean
amps_embedded_lease_keep (AmpsEmbeddedLease *self, AmpsEmbeddedStore *store, AmpsEmbeddedTime now,
                          GPtrArray **left, GError **error)
{
  unsigned int n_renewed;

  *left = NULL;
  if (self->n_held > 0 && amps_embedded_lease_get_wait (self, now) > 0)
    return TRUE;

  self->end = now.boot + self->duration;
  self->doubtful = FALSE;
  if (self->over)
    return take_what_is_left (self, store, now, left, error);
  if (self->n_held == 0)
    return TRUE;

  if (!amps_embedded_store_renew (
          store, self->owner, amps_embedded_lease_get_end_in_file (self, now), &n_renewed, error))
    return FALSE;
  return n_renewed == self->n_held || take_what_is_left (self, store, now, left, error);
}
