/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-context.h"

G_BEGIN_DECLS

/**
 * AmpsCtlMetrics:
 *
 * The metrics of an AMPS at one moment, see docs/reference/metrics.md.
 */
typedef struct _AmpsCtlMetrics AmpsCtlMetrics;

AmpsCtlMetrics *amps_ctl_metrics_new (const char *text);
AmpsCtlMetrics *amps_ctl_metrics_fetch (AmpsCtlContext *context, const char *url, GError **error);
void amps_ctl_metrics_free (AmpsCtlMetrics *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsCtlMetrics, amps_ctl_metrics_free)

gint64 amps_ctl_metrics_get_time (AmpsCtlMetrics *self);
gboolean amps_ctl_metrics_get (AmpsCtlMetrics *self, const char *name, double *value);
double amps_ctl_metrics_get_percentile (AmpsCtlMetrics *self, AmpsCtlMetrics *earlier,
                                        const char *histogram, double share);

G_END_DECLS
