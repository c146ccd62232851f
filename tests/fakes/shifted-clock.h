/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"

G_BEGIN_DECLS

#define TYPE_SHIFTED_CLOCK (shifted_clock_get_type ())
G_DECLARE_FINAL_TYPE (ShiftedClock, shifted_clock, SHIFTED, CLOCK, AmpsClock)

AmpsClock *shifted_clock_new (void);
void shifted_clock_set_shift (ShiftedClock *self, gint64 shift);

G_END_DECLS
