/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-decider.h"

G_BEGIN_DECLS

/**
 * AmpsReleaser:
 *
 * Gives jobs back that are not to be done here: while AMPS drains, and when the
 * workload is away for long.
 */
#define AMPS_TYPE_RELEASER (amps_releaser_get_type ())
G_DECLARE_FINAL_TYPE (AmpsReleaser, amps_releaser, AMPS, RELEASER, GObject)

AmpsReleaser *amps_releaser_new (AmpsClock *clock, AmpsWorkload *workload, AmpsManifest *manifest,
                                 AmpsSender *sender, AmpsDecider *decider,
                                 AmpsLifecycle *lifecycle);

G_END_DECLS
