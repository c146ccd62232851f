/* SPDX-License-Identifier: MIT */
#include "amps-backoff.h"

/**
 * amps_backoff_get_ceiling:
 * @min: µs, over 0
 * @max: µs, at least @min
 * @failures: how often it has failed, from 1
 *
 * Returns: `min × 2^(failures - 1)`, at most @max, in µs
 */
gint64
amps_backoff_get_ceiling (gint64 min, gint64 max, unsigned int failures)
{
  gint64 ceiling = min;

  g_return_val_if_fail (min > 0 && max >= min, min);

  for (unsigned int i = 1; i < failures && ceiling < max; i++)
    ceiling = ceiling > max / 2 ? max : ceiling * 2;

  return ceiling;
}

/**
 * amps_backoff_draw:
 * @min: µs, over 0
 * @max: µs, at least @min
 * @failures: how often it has failed, from 1
 *
 * Draws a wait with "full jitter", which spreads those who failed together
 * best: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * It is never under half of @min, so that a loop of failures cannot spin.
 *
 * Returns: µs to wait
 */
gint64
amps_backoff_draw (gint64 min, gint64 max, unsigned int failures)
{
  gint64 ceiling = amps_backoff_get_ceiling (min, max, failures);
  gint64 floor = min / 2;

  return floor + (gint64) (g_random_double () * (double) (ceiling - floor));
}
