/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-embedded-lease.h"
#include "amps-embedded-message.h"

G_BEGIN_DECLS

/* A batch is a GQueue of AmpsEmbeddedCommand, publications and settlements in the order
 * they came, which one transaction commits. All of this is the worker's. */
gboolean amps_embedded_batch_apply (GQueue *batch, AmpsEmbeddedStore *store,
                                    const AmpsEmbeddedLease *lease, const char *dead_letters,
                                    gint64 now, GError **error);
void amps_embedded_batch_count (const GQueue *batch, AmpsEmbeddedLease *lease);
gboolean amps_embedded_batch_is_news (const GQueue *batch);
void amps_embedded_batch_answer (GQueue *batch, AmpsMailbox *events);
void amps_embedded_batch_fail (GQueue *batch, AmpsMailbox *events, const GError *error);

G_END_DECLS
