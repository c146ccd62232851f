/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-lifecycle.h"
#include "amps-refusals.h"
#include "amps-verdict.h"
#include "base/amps-clock.h"
#include "config/amps-config.h"
#include "jobs/amps-manifest.h"
#include "metrics/amps-metrics.h"
#include "telemetry/amps-tracer.h"
#include "workload/amps-workload.h"

G_BEGIN_DECLS

/**
 * AmpsSender:
 *
 * Sends waiting jobs to the workload as it has places free: never more than
 * MAX_CONCURRENCY at once.
 */
#define AMPS_TYPE_SENDER (amps_sender_get_type ())
G_DECLARE_FINAL_TYPE (AmpsSender, amps_sender, AMPS, SENDER, GObject)

/**
 * AmpsSenderAnswered:
 * @job: (transfer none): a job that was sent
 * @verdict: (transfer none): what the workload's answer means for it
 * @user_data: as given
 */
typedef void (*AmpsSenderAnswered) (AmpsJob *job, const AmpsVerdict *verdict, gpointer user_data);

AmpsSender *amps_sender_new (AmpsConfig *config, AmpsClock *clock, AmpsWorkload *workload,
                             AmpsManifest *manifest, AmpsMetrics *metrics, AmpsLifecycle *lifecycle,
                             AmpsRefusals *refusals, AmpsTracer *tracer);
void amps_sender_set_answered (AmpsSender *self, AmpsSenderAnswered answered, gpointer user_data);
void amps_sender_add (AmpsSender *self, AmpsJob *job, gint64 not_before);
void amps_sender_add_first (AmpsSender *self, AmpsJob *job);
void amps_sender_clear (AmpsSender *self);
void amps_sender_set_max_concurrency (AmpsSender *self, unsigned int max_concurrency);
void amps_sender_send (AmpsSender *self);

G_END_DECLS
