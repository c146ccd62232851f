/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-embedded-clock.h"

G_BEGIN_DECLS

/**
 * AmpsEmbeddedLease:
 * @owner: owned; what the file calls who holds the jobs
 * @epoch: from 1; grows with each new owner
 * @n_held: how many jobs are claimed and not settled
 * @end: boot µs: when the leases on all of them end
 *
 * What one process has claimed. All its leases end together, so that one statement
 * renews them.
 */
typedef struct {
  char *owner;
  unsigned int epoch;
  unsigned int n_held;
  gint64 end;

  /*< private >*/
  char *heir; /* (owned) the next owner */
  gint64 duration;
  gboolean doubtful; /* others may have jobs */
  gboolean over;     /* the main thread goes by that already */
} AmpsEmbeddedLease;

AmpsEmbeddedLease *amps_embedded_lease_new (gint64 duration);
AmpsEmbeddedLease *amps_embedded_lease_copy (const AmpsEmbeddedLease *self);
void amps_embedded_lease_free (AmpsEmbeddedLease *self);

void amps_embedded_lease_doubt (AmpsEmbeddedLease *self);
void amps_embedded_lease_end (AmpsEmbeddedLease *self, unsigned int epoch);

gint64 amps_embedded_lease_get_wait (const AmpsEmbeddedLease *self, AmpsEmbeddedTime now);
gint64 amps_embedded_lease_get_end_in_file (const AmpsEmbeddedLease *self, AmpsEmbeddedTime now);

gboolean amps_embedded_lease_keep (AmpsEmbeddedLease *self, AmpsEmbeddedStore *store,
                                   AmpsEmbeddedTime now, GPtrArray **left, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsEmbeddedLease, amps_embedded_lease_free)

G_END_DECLS
