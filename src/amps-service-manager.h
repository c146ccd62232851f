/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-clock.h"
#include "delivery/amps-dispatcher.h"

G_BEGIN_DECLS

/**
 * AmpsServiceManager:
 *
 * The service manager that has started AMPS and wants to know its state: systemd, or
 * another one with the same protocol (sd_notify(3)). Does nothing if there is none.
 */
#define AMPS_TYPE_SERVICE_MANAGER (amps_service_manager_get_type ())
G_DECLARE_FINAL_TYPE (AmpsServiceManager, amps_service_manager, AMPS, SERVICE_MANAGER, GObject)

AmpsServiceManager *amps_service_manager_new (const char *const *environment, AmpsClock *clock,
                                              AmpsDispatcher *dispatcher);
void amps_service_manager_start (AmpsServiceManager *self);
void amps_service_manager_begin_reload (AmpsServiceManager *self);
void amps_service_manager_end_reload (AmpsServiceManager *self);
void amps_service_manager_stop (AmpsServiceManager *self, gint64 timeout);

G_END_DECLS
