/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"
#include "config/amps-config.h"
#include "jobs/amps-job.h"
#include "workload/amps-workload.h"

G_BEGIN_DECLS

/**
 * AmpsRefusals:
 *
 * Tells a wrong WORKLOAD_ADDRESS from a bad job. A workload that refuses every job, as a
 * server does that has no such path, gets no more of them: they wait, and one is tried
 * now and then (docs/promises.md#a-wrong-address-costs-no-job).
 */
#define AMPS_TYPE_REFUSALS (amps_refusals_get_type ())
G_DECLARE_FINAL_TYPE (AmpsRefusals, amps_refusals, AMPS, REFUSALS, GObject)

AmpsRefusals *amps_refusals_new (AmpsConfig *config, AmpsClock *clock, AmpsWorkload *workload);
void amps_refusals_accept (AmpsRefusals *self);
gboolean amps_refusals_refuse (AmpsRefusals *self, AmpsJob *job, unsigned int status);

gboolean amps_refusals_is_closed (AmpsRefusals *self);
gboolean amps_refusals_begin_trial (AmpsRefusals *self);
void amps_refusals_end_trial (AmpsRefusals *self, gboolean judged);
void amps_refusals_want_jobs (AmpsRefusals *self);

gboolean amps_refusals_is_paused (AmpsRefusals *self);
const char *amps_refusals_get_reason (AmpsRefusals *self);

G_END_DECLS
