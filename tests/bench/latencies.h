/* SPDX-License-Identifier: MIT */
/* How long events took, which say themselves when they were made. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where a publisher puts the monotonic time in ns: near the beginning of the event. */
#define LATENCIES_SENT "\"sent\":"

GArray *latencies_new (void);

gboolean latencies_note (GArray *latencies, const char *event, gssize length, gint64 now);

void latencies_sort (GArray *latencies);

double latencies_get_quantile_ms (const GArray *latencies, double quantile);

G_END_DECLS
