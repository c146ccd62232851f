/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void amps_signals_hold (void);
void amps_signals_let_through (void);

G_END_DECLS
