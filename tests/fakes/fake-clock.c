/* SPDX-License-Identifier: MIT */
#include "fake-clock.h"

struct _FakeClock {
  AmpsClock parent_instance;

  gint64 now;
};

G_DEFINE_FINAL_TYPE (FakeClock, fake_clock, AMPS_TYPE_CLOCK)

/* 2026-01-01 00:00:00 UTC is where the wall clock starts. */
#define REAL_START (G_GINT64_CONSTANT (1767225600) * G_USEC_PER_SEC)

static gint64
get_monotonic_time (AmpsClock *clock)
{
  return FAKE_CLOCK (clock)->now;
}

static gint64
get_real_time (AmpsClock *clock)
{
  return REAL_START + FAKE_CLOCK (clock)->now;
}

static void
fake_clock_class_init (FakeClockClass *klass)
{
  AmpsClockClass *clock_class = AMPS_CLOCK_CLASS (klass);

  clock_class->get_monotonic_time = get_monotonic_time;
  clock_class->get_real_time = get_real_time;
  clock_class->get_boot_time = get_monotonic_time;
}

static void
fake_clock_init (FakeClock *self)
{
  self->now = G_USEC_PER_SEC;
}

/* A clock that stands still until it is advanced. */
AmpsClock *
fake_clock_new (void)
{
  return g_object_new (TYPE_FAKE_CLOCK, NULL);
}

/* Moves the time on, as when the main loop is busy meanwhile. */
void
fake_clock_skip (AmpsClock *clock, gint64 microseconds)
{
  FAKE_CLOCK (clock)->now += microseconds;
}

/* Moves the time on and lets everything run that became due by it. */
void
fake_clock_advance (AmpsClock *clock, gint64 microseconds)
{
  fake_clock_skip (clock, microseconds);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}
