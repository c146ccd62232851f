/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsQueueDepths:
 *
 * How many messages wait in some queues. Belongs to one thread at a time.
 */
typedef struct _AmpsQueueDepths AmpsQueueDepths;

AmpsQueueDepths *amps_queue_depths_new (void);
void amps_queue_depths_free (AmpsQueueDepths *self);
void amps_queue_depths_add (AmpsQueueDepths *self, const char *queue, guint64 n_messages);
gboolean amps_queue_depths_get (const AmpsQueueDepths *self, const char *queue,
                                guint64 *n_messages);
void amps_queue_depths_append (const AmpsQueueDepths *self, GString *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsQueueDepths, amps_queue_depths_free)

G_END_DECLS
