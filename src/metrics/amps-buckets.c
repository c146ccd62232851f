/* SPDX-License-Identifier: MIT */
#include "amps-buckets.h"

/**
 * amps_buckets_subtract:
 * @self: what a histogram has counted
 * @earlier: what the same one had counted earlier
 *
 * Leaves what came between the two.
 */
void
amps_buckets_subtract (AmpsBuckets *self, const AmpsBuckets *earlier)
{
  for (unsigned int i = 0; i < self->n_buckets; i++)
    self->counts[i] -= earlier->counts[i];
}

/**
 * amps_buckets_estimate_quantile:
 * @self: what a histogram has counted
 * @quantile: from 0 to 1
 *
 * Takes the observations of a bucket as spread evenly in it, as Prometheus'
 * histogram_quantile() does.
 *
 * Returns: µs; −1 without observations; in the last bucket, where it begins
 */
gint64
amps_buckets_estimate_quantile (const AmpsBuckets *self, double quantile)
{
  guint64 total = 0, below = 0;
  gint64 start = 0;

  for (unsigned int i = 0; i < self->n_buckets; i++)
    total += self->counts[i];
  if (total == 0)
    return -1;

  double rank = quantile * (double) total;

  for (unsigned int i = 0; i + 1 < self->n_buckets; i++)
    {
      guint64 count = self->counts[i];

      if (count > 0 && (double) (below + count) >= rank)
        return start + (gint64) ((double) (self->bounds[i] - start) * (rank - (double) below) /
                                 (double) count);
      below += count;
      start = self->bounds[i];
    }

  return start;
}
