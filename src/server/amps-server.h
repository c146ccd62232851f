/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-config.h"
#include "core/amps-metrics.h"
#include "delivery/amps-dispatcher.h"

G_BEGIN_DECLS

#define AMPS_TYPE_SERVER (amps_server_get_type ())
G_DECLARE_FINAL_TYPE (AmpsServer, amps_server, AMPS, SERVER, GObject)

AmpsServer *amps_server_new (AmpsConfig *config, AmpsClock *clock, AmpsDispatcher *dispatcher,
                             AmpsMetrics *metrics);
gboolean amps_server_start (AmpsServer *self, GError **error);
void amps_server_stop (AmpsServer *self);

G_END_DECLS
