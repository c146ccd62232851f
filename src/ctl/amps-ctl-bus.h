/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-api.h"

G_BEGIN_DECLS

/**
 * AmpsCtlBus:
 *
 * The way to an AMPS by D-Bus.
 */
#define AMPS_CTL_TYPE_BUS (amps_ctl_bus_get_type ())
G_DECLARE_FINAL_TYPE (AmpsCtlBus, amps_ctl_bus, AMPS_CTL, BUS, GObject)

AmpsCtlApi *amps_ctl_bus_new (const char *bus, GError **error);

G_END_DECLS
