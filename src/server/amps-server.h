/* SPDX-License-Identifier: MIT */
#pragma once

#include "broker/amps-dead-letters.h"
#include "config/amps-config.h"
#include "delivery/amps-dispatcher.h"
#include "metrics/amps-metrics.h"

G_BEGIN_DECLS

#define AMPS_TYPE_SERVER (amps_server_get_type ())
G_DECLARE_FINAL_TYPE (AmpsServer, amps_server, AMPS, SERVER, GObject)

/**
 * AmpsServerCreateDeadLetters:
 * @user_data: as given
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT if there are none to be had
 *
 * Returns: (transfer full) (nullable): the dead letters of the subject
 */
typedef AmpsDeadLetters *(*AmpsServerCreateDeadLetters) (gpointer user_data, GError **error);

AmpsServer *amps_server_new (AmpsConfig *config, AmpsClock *clock, AmpsDispatcher *dispatcher,
                             AmpsMetrics *metrics);
void amps_server_offer_dead_letters (AmpsServer *self, AmpsServerCreateDeadLetters create,
                                     gpointer user_data);
gboolean amps_server_start (AmpsServer *self, GError **error);
void amps_server_stop (AmpsServer *self);

G_END_DECLS
