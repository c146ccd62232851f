/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-decider.h"

G_BEGIN_DECLS

/**
 * AmpsLostJobs:
 *
 * Expires the jobs that a workload had accepted before it was started anew: they are
 * gone with it, and would hold their places until their deadlines.
 */
#define AMPS_TYPE_LOST_JOBS (amps_lost_jobs_get_type ())
G_DECLARE_FINAL_TYPE (AmpsLostJobs, amps_lost_jobs, AMPS, LOST_JOBS, GObject)

AmpsLostJobs *amps_lost_jobs_new (AmpsClock *clock, AmpsWorkload *workload, AmpsManifest *manifest,
                                  AmpsDecider *decider);

G_END_DECLS
