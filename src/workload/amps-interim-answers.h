/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"

G_BEGIN_DECLS

/**
 * AmpsInterimAnswers:
 * @since: monotonic µs when the second began of which the last one was
 * @n: how many came in it
 *
 * The interim answers (1xx, RFC 9110, section 15.2) to a request. All zero for none.
 */
typedef struct {
  gint64 since;
  unsigned int n;
} AmpsInterimAnswers;

gboolean amps_interim_answers_add (AmpsInterimAnswers *self, AmpsClock *clock, GError **error);

G_END_DECLS
