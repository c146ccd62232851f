/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-dbus-generated.h"
#include "config/amps-config.h"
#include "delivery/amps-dispatcher.h"

G_BEGIN_DECLS

/**
 * AmpsDBusInterface:
 *
 * The interface of an AMPS on a bus. It reads each property when somebody asks for it,
 * says once a second at most what has changed, and lets nobody else than root and AMPS's
 * own user call what changes something.
 */
#define AMPS_TYPE_DBUS_INTERFACE (amps_dbus_interface_get_type ())
G_DECLARE_FINAL_TYPE (AmpsDBusInterface, amps_dbus_interface, AMPS, DBUS_INTERFACE,
                      AmpsDBusAmps1Skeleton)

AmpsDBusInterface *amps_dbus_interface_new (AmpsConfig *config, AmpsClock *clock,
                                            AmpsDispatcher *dispatcher, AmpsMetrics *metrics);
gboolean amps_dbus_interface_export (AmpsDBusInterface *self, GDBusConnection *connection,
                                     GError **error);
void amps_dbus_interface_unexport (AmpsDBusInterface *self);

G_END_DECLS
