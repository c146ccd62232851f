/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-lifecycle.h"
#include "base/amps-clock.h"
#include "broker/amps-broker.h"
#include "jobs/amps-manifest.h"
#include "metrics/amps-metrics.h"

G_BEGIN_DECLS

/**
 * AMPS_SETTLER_SHORT_DELAY:
 *
 * Shorter waits, in µs, are spent in the job's slot: the broker's shortest is 1 s.
 */
#define AMPS_SETTLER_SHORT_DELAY AMPS_SECONDS (1)

/**
 * AmpsSettler:
 *
 * Sees decided jobs through: tells the broker what became of them, again and
 * again where a copy is not confirmed, and takes them off the manifest.
 */
#define AMPS_TYPE_SETTLER (amps_settler_get_type ())
G_DECLARE_FINAL_TYPE (AmpsSettler, amps_settler, AMPS, SETTLER, GObject)

AmpsSettler *amps_settler_new (AmpsClock *clock, AmpsBroker *broker, AmpsManifest *manifest,
                               AmpsMetrics *metrics, AmpsLifecycle *lifecycle);
void amps_settler_settle (AmpsSettler *self, AmpsJob *job, const AmpsSettlement *settlement);
unsigned int amps_settler_get_n_pending (AmpsSettler *self);
const char *amps_settler_get_problem (AmpsSettler *self);

G_END_DECLS
