/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-dispatcher-state.h"
#include "amps-drain.h"
#include "amps-refusals.h"
#include "broker/amps-broker.h"
#include "core/amps-metrics.h"
#include "workload/amps-workload.h"

G_BEGIN_DECLS

/**
 * AmpsIntake:
 *
 * Whether messages are taken from the broker, and why not.
 */
#define AMPS_TYPE_INTAKE (amps_intake_get_type ())
G_DECLARE_FINAL_TYPE (AmpsIntake, amps_intake, AMPS, INTAKE, GObject)

AmpsIntake *amps_intake_new (AmpsBroker *broker, AmpsWorkload *workload, AmpsMetrics *metrics,
                             AmpsDrain *drain, AmpsRefusals *refusals);
void amps_intake_set_paused (AmpsIntake *self, AmpsPauseReason reason, gboolean paused);
void amps_intake_set_problem (AmpsIntake *self, const char *problem);
gboolean amps_intake_is_ready (AmpsIntake *self);
char **amps_intake_dup_obstacles (AmpsIntake *self);
AmpsDispatcherState amps_intake_get_state (AmpsIntake *self);

G_END_DECLS
