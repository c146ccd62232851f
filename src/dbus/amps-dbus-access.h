/* SPDX-License-Identifier: MIT */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsDBusAccessFunc:
 * @invocation: (transfer full): a call
 * @target: what is called
 *
 * Called for a call that may be made.
 */
typedef void (*AmpsDBusAccessFunc) (GDBusMethodInvocation *invocation, GObject *target);

gboolean amps_dbus_access_is_steering (unsigned int uid);
void amps_dbus_access_check (GDBusMethodInvocation *invocation, AmpsDBusAccessFunc func,
                             GObject *target);
void amps_dbus_access_return_error (GDBusMethodInvocation *invocation, const GError *error);

G_END_DECLS
