/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AMPS_BUCKETS_MAX:
 *
 * How many buckets a histogram has at most.
 */
#define AMPS_BUCKETS_MAX 21

/**
 * AmpsBuckets:
 * @n_buckets: how many there are
 * @bounds: µs up to which each reaches; the last one has no end
 * @counts: how many observations were in each alone
 *
 * What a histogram has counted, since the start or in some time.
 */
typedef struct {
  unsigned int n_buckets;
  gint64 bounds[AMPS_BUCKETS_MAX];
  guint64 counts[AMPS_BUCKETS_MAX];
} AmpsBuckets;

void amps_buckets_subtract (AmpsBuckets *self, const AmpsBuckets *earlier);
gint64 amps_buckets_estimate_quantile (const AmpsBuckets *self, double quantile);

G_END_DECLS
