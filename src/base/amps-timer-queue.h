/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-clock.h"

G_BEGIN_DECLS

/**
 * AmpsTimerQueue:
 *
 * Many things that become due, each at its own time, watched by one [struct@GLib.Source]:
 * ten thousand timers of their own would cost each turn of the loop dearly.
 */
typedef struct _AmpsTimerQueue AmpsTimerQueue;

/**
 * AmpsTimerEntry:
 *
 * The place of one thing in the queue, valid until it is due or removed.
 */
typedef GSequenceIter AmpsTimerEntry;

/**
 * AmpsTimerQueueFunc:
 * @item: what is due; no longer in the queue
 * @user_data: as given
 */
typedef void (*AmpsTimerQueueFunc) (gpointer item, gpointer user_data);

AmpsTimerQueue *amps_timer_queue_new (AmpsClock *clock, const char *name, AmpsTimerQueueFunc func,
                                      gpointer user_data);
void amps_timer_queue_free (AmpsTimerQueue *self);
AmpsTimerEntry *amps_timer_queue_add (AmpsTimerQueue *self, gint64 due, gpointer item);
void amps_timer_queue_remove (AmpsTimerQueue *self, AmpsTimerEntry *entry);
void amps_timer_queue_flush (AmpsTimerQueue *self);
GPtrArray *amps_timer_queue_take_all (AmpsTimerQueue *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsTimerQueue, amps_timer_queue_free)

G_END_DECLS
