/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-publisher.h"
#include "amps-sender.h"
#include "amps-settler.h"
#include "broker/amps-broker.h"

G_BEGIN_DECLS

/**
 * AmpsDecider:
 *
 * Turns what happened to a job into its settlement: the workload's answer, its
 * deadline, a call of the API.
 */
#define AMPS_TYPE_DECIDER (amps_decider_get_type ())
G_DECLARE_FINAL_TYPE (AmpsDecider, amps_decider, AMPS, DECIDER, GObject)

/**
 * AmpsDeciderAccepted:
 * @user_data: as given
 */
typedef void (*AmpsDeciderAccepted) (gpointer user_data);

AmpsDecider *amps_decider_new (AmpsConfig *config, AmpsClock *clock, AmpsBroker *broker,
                               AmpsManifest *manifest, AmpsMetrics *metrics, AmpsSender *sender,
                               AmpsSettler *settler, AmpsPublisher *publisher,
                               AmpsLifecycle *lifecycle, AmpsRefusals *refusals,
                               AmpsTracer *tracer);

void amps_decider_set_accepted (AmpsDecider *self, AmpsDeciderAccepted accepted,
                                gpointer user_data);

gboolean amps_decider_acknowledge (AmpsDecider *self, const char *identifier, GError **error);
gboolean amps_decider_reject (AmpsDecider *self, const char *identifier, const char *reason,
                              GError **error);
gboolean amps_decider_reschedule (AmpsDecider *self, const char *identifier, gint64 delay,
                                  GError **error);
gboolean amps_decider_heartbeat (AmpsDecider *self, const char *identifier, gint64 extend,
                                 gint64 *deadline, GError **error);
void amps_decider_acknowledge_async (AmpsDecider *self, const char *identifier, GPtrArray *events,
                                     AmpsTraceHeaders *trace, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
gboolean amps_decider_acknowledge_finish (AmpsDecider *self, GAsyncResult *result, GError **error);

void amps_decider_expire (AmpsDecider *self, AmpsJob *job, const char *reason, const char *detail);
void amps_decider_release (AmpsDecider *self, AmpsJob *job);
void amps_decider_release_followers (AmpsDecider *self, AmpsJob *job);

G_END_DECLS
