/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"

G_BEGIN_DECLS

#define TYPE_FAKE_CLOCK (fake_clock_get_type ())
G_DECLARE_FINAL_TYPE (FakeClock, fake_clock, FAKE, CLOCK, AmpsClock)

AmpsClock *fake_clock_new (void);
void fake_clock_skip (AmpsClock *clock, gint64 microseconds);
void fake_clock_advance (AmpsClock *clock, gint64 microseconds);

G_END_DECLS
