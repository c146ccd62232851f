/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* All times and durations in AMPS are a gint64 of µs. */
#define AMPS_MILLISECONDS(n) ((gint64) (n) *1000)
#define AMPS_SECONDS(n) ((gint64) (n) *G_USEC_PER_SEC)

#define AMPS_TYPE_CLOCK (amps_clock_get_type ())
G_DECLARE_DERIVABLE_TYPE (AmpsClock, amps_clock, AMPS, CLOCK, GObject)

/**
 * AmpsClockClass:
 * @get_monotonic_time: µs that only ever grow; for deadlines
 * @get_real_time: µs since 1970; for what people and peers read
 * @get_boot_time: as @get_monotonic_time, while the machine is suspended, too
 *
 * Time is a part like any other, so that a test advances it instead of sleeping.
 */
struct _AmpsClockClass {
  GObjectClass parent_class;

  gint64 (*get_monotonic_time) (AmpsClock *self);
  gint64 (*get_real_time) (AmpsClock *self);
  gint64 (*get_boot_time) (AmpsClock *self);
};

AmpsClock *amps_clock_new (void);

gint64 amps_clock_get_monotonic_time (AmpsClock *self);
gint64 amps_clock_get_real_time (AmpsClock *self);
gint64 amps_clock_get_boot_time (AmpsClock *self);
gint64 amps_get_boot_time (void);
gint64 amps_clock_to_real_time (AmpsClock *self, gint64 monotonic);
char *amps_clock_format_time (AmpsClock *self, gint64 monotonic);

GSource *amps_clock_create_timer (AmpsClock *self, const char *name);
GSource *amps_clock_attach_timer (AmpsClock *self, const char *name, GSourceFunc callback,
                                  gpointer user_data);
void amps_timer_free (GSource *timer);
void amps_timer_set_due (GSource *timer, gint64 due);
gint64 amps_timer_get_due (GSource *timer);

G_END_DECLS
