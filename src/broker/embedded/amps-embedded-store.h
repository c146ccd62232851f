/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-byte-budget.h"
#include "jobs/amps-settlement.h"
#include "metrics/amps-queue-depths.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsStoredJob:
 * @id: the row
 * @body: the event
 * @attempt: 1-based
 * @handed_out: how often it has been claimed, this time included
 * @returns: how often it was given back
 * @first_received: µs since 1970; 0 when this is the first time
 * @retry: has another value each time it comes because it failed; 0 if it does not
 *
 * A job that has been claimed.
 */
typedef struct {
  gint64 id;
  GBytes *body;
  unsigned int attempt;
  unsigned int handed_out;
  unsigned int returns;
  gint64 first_received;
  unsigned int retry;
} AmpsStoredJob;

void amps_stored_job_free (AmpsStoredJob *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsStoredJob, amps_stored_job_free)

/**
 * AmpsEmbeddedStore:
 *
 * Queues in an SQLite file, for one thread. A job is claimed by a lease, and
 * settled only while the lease is the claimer's own. Times are µs since 1970.
 */
typedef struct _AmpsEmbeddedStore AmpsEmbeddedStore;

AmpsEmbeddedStore *amps_embedded_store_open (const char *path, gboolean durable, GError **error);
void amps_embedded_store_close (AmpsEmbeddedStore *self);
const char *amps_embedded_store_get_log (AmpsEmbeddedStore *self);
gboolean amps_embedded_store_is_in_place (AmpsEmbeddedStore *self, GError **error);
gboolean amps_embedded_store_is_broken (AmpsEmbeddedStore *self);

gboolean amps_embedded_store_begin (AmpsEmbeddedStore *self, GError **error);
gboolean amps_embedded_store_commit (AmpsEmbeddedStore *self, GError **error);
void amps_embedded_store_roll_back (AmpsEmbeddedStore *self);

gboolean amps_embedded_store_execute (AmpsEmbeddedStore *self, const char *sql, gint64 *n_changed,
                                      GError **error);
gboolean amps_embedded_store_publish (AmpsEmbeddedStore *self, const char *queue, GBytes *body,
                                      gint64 now, GError **error);
void amps_embedded_store_set_budget (AmpsEmbeddedStore *self, AmpsByteBudget *budget);
gsize amps_embedded_store_get_lacking (AmpsEmbeddedStore *self);
GPtrArray *amps_embedded_store_claim (AmpsEmbeddedStore *self, const char *queue, const char *owner,
                                      gint64 now, gint64 lease_end, unsigned int limit,
                                      GError **error);
GPtrArray *amps_embedded_store_reclaim (AmpsEmbeddedStore *self, const char *before,
                                        const char *owner, gint64 lease_end, GError **error);
gboolean amps_embedded_store_settle (AmpsEmbeddedStore *self, gint64 id, const char *owner,
                                     const AmpsSettlement *settlement, const char *dead_letters,
                                     gint64 now, AmpsSettled *settled, GError **error);
gboolean amps_embedded_store_renew (AmpsEmbeddedStore *self, const char *owner, gint64 lease_end,
                                    unsigned int *n_renewed, GError **error);
gboolean amps_embedded_store_give_up (AmpsEmbeddedStore *self, const char *owner, GError **error);
gboolean amps_embedded_store_get_next_due (AmpsEmbeddedStore *self, const char *queue, gint64 *due,
                                           GError **error);
AmpsQueueDepths *amps_embedded_store_count (AmpsEmbeddedStore *self, const char *subject,
                                            const char *dead_letters, gint64 now, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsEmbeddedStore, amps_embedded_store_close)

G_END_DECLS
