/* SPDX-License-Identifier: MIT */
#include "shifted-clock.h"

/* The real one, but the machine may have been suspended: then the boot time is later. */
struct _ShiftedClock {
  AmpsClock parent_instance;

  gint64 shift; /* µs */
};

G_DEFINE_FINAL_TYPE (ShiftedClock, shifted_clock, AMPS_TYPE_CLOCK)

static gint64
get_shifted_time (AmpsClock *clock)
{
  return amps_get_boot_time () + SHIFTED_CLOCK (clock)->shift;
}

static void
shifted_clock_class_init (ShiftedClockClass *klass)
{
  AMPS_CLOCK_CLASS (klass)->get_boot_time = get_shifted_time;
}

static void
shifted_clock_init (ShiftedClock *self G_GNUC_UNUSED)
{
}

AmpsClock *
shifted_clock_new (void)
{
  return g_object_new (TYPE_SHIFTED_CLOCK, NULL);
}

void
shifted_clock_set_shift (ShiftedClock *self, gint64 shift)
{
  self->shift = shift;
}
