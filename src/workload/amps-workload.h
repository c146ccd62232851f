/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-answer.h"
#include "amps-probe.h"
#include "base/amps-clock.h"
#include "config/amps-config.h"
#include "jobs/amps-job.h"
#include "metrics/amps-metrics.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define AMPS_TYPE_WORKLOAD (amps_workload_get_type ())
G_DECLARE_FINAL_TYPE (AmpsWorkload, amps_workload, AMPS, WORKLOAD, GObject)

AmpsWorkload *amps_workload_new (AmpsConfig *config, AmpsClock *clock, AmpsMetrics *metrics);

void amps_workload_start (AmpsWorkload *self);
gboolean amps_workload_is_guarded (AmpsWorkload *self);
AmpsProbe *amps_workload_get_probe (AmpsWorkload *self);
void amps_workload_send_async (AmpsWorkload *self, GPtrArray *jobs, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
AmpsAnswer *amps_workload_send_finish (AmpsWorkload *self, GAsyncResult *result, GError **error);

gboolean amps_workload_get_available (AmpsWorkload *self);

G_END_DECLS
