/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-embedded-store.h"

G_BEGIN_DECLS

/**
 * AmpsEmbeddedTime:
 * @real: µs since 1970: what the file says, for all processes
 * @boot: µs since the machine was started, suspended or not: how long a lease lasts
 *
 * One moment. The wall clock can be set, and the other one means nothing after the
 * next start.
 */
typedef struct {
  gint64 real;
  gint64 boot;
} AmpsEmbeddedTime;

/**
 * AmpsEmbeddedClock:
 *
 * Sees that the wall clock was set, and sets the times in the file by as much.
 */
typedef struct _AmpsEmbeddedClock AmpsEmbeddedClock;

AmpsEmbeddedClock *amps_embedded_clock_new (const char *boot_id);
AmpsEmbeddedClock *amps_embedded_clock_new_for_system (void);
void amps_embedded_clock_free (AmpsEmbeddedClock *self);

void amps_embedded_clock_observe (AmpsEmbeddedClock *self, AmpsEmbeddedTime now);
gboolean amps_embedded_clock_was_set (const AmpsEmbeddedClock *self);
gboolean amps_embedded_clock_enter (AmpsEmbeddedClock *self, AmpsEmbeddedStore *store, gint64 now,
                                    GError **error);
gboolean amps_embedded_clock_adjust (AmpsEmbeddedClock *self, AmpsEmbeddedStore *store,
                                     GError **error);
void amps_embedded_clock_committed (AmpsEmbeddedClock *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsEmbeddedClock, amps_embedded_clock_free)

G_END_DECLS
