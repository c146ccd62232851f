/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-dbus-interface.h"
#include "base/amps-clock.h"
#include "config/amps-config.h"

G_BEGIN_DECLS

/**
 * AmpsDBusBus:
 *
 * The bus that AMPS is on: connects to it, again when it was lost, exports an interface
 * and owns a name.
 */
#define AMPS_TYPE_DBUS_BUS (amps_dbus_bus_get_type ())
G_DECLARE_FINAL_TYPE (AmpsDBusBus, amps_dbus_bus, AMPS, DBUS_BUS, GObject)

AmpsDBusBus *amps_dbus_bus_new (AmpsConfig *config, AmpsClock *clock, AmpsDBusInterface *interface);
void amps_dbus_bus_start (AmpsDBusBus *self);
const char *amps_dbus_bus_get_name (AmpsDBusBus *self);

char *amps_dbus_bus_make_second_name (const char *worker_id);

G_END_DECLS
