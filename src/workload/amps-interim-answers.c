/* SPDX-License-Identifier: MIT */
#include "amps-interim-answers.h"

#include "base/amps-error.h"

/* Some programs say with each step that they still work, and may do so for hours. But
 * libsoup reads them for as long as there are more, and AMPS does nothing else then. */
#define MAX_IN_A_SECOND 16

/**
 * amps_interim_answers_add:
 * @self: those that have come so far
 * @clock: what time is measured by
 * @error: return location: %AMPS_ERROR_TOO_LARGE
 *
 * Counts another one.
 *
 * Returns: whether they are few enough to go on
 */
gboolean
amps_interim_answers_add (AmpsInterimAnswers *self, AmpsClock *clock, GError **error)
{
  gint64 now = amps_clock_get_monotonic_time (clock);

  if (now - self->since >= AMPS_SECONDS (1))
    *self = (AmpsInterimAnswers){ .since = now };
  if (++self->n <= MAX_IN_A_SECOND)
    return TRUE;

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_TOO_LARGE,
               "more than %d interim answers (1xx) in a second", MAX_IN_A_SECOND);
  return FALSE;
}
