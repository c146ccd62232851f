/* SPDX-License-Identifier: MIT */
#pragma once

#include "config/amps-config.h"
#include "delivery/amps-dispatcher.h"

G_BEGIN_DECLS

/**
 * AmpsDBusService:
 *
 * AMPS on D-Bus: passes calls to the parts of the dispatcher, and what happens there to the
 * bus.
 */
#define AMPS_TYPE_DBUS_SERVICE (amps_dbus_service_get_type ())
G_DECLARE_FINAL_TYPE (AmpsDBusService, amps_dbus_service, AMPS, DBUS_SERVICE, GObject)

AmpsDBusService *amps_dbus_service_new (AmpsConfig *config, AmpsClock *clock,
                                        AmpsDispatcher *dispatcher, AmpsMetrics *metrics);
void amps_dbus_service_start (AmpsDBusService *self);
const char *amps_dbus_service_get_name (AmpsDBusService *self);

G_END_DECLS
