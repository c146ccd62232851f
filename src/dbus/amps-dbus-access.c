/* SPDX-License-Identifier: MIT */
#include "amps-dbus-access.h"

#include "base/amps-error.h"
#include "base/amps-log.h"

#include <unistd.h>

/* ms: for the bus to say who calls. */
#define CREDENTIALS_TIMEOUT 5000

typedef struct {
  GDBusMethodInvocation *invocation; /* (owned) */
  AmpsDBusAccessFunc func;
  GObject *target; /* (owned) */
} Check;

/**
 * amps_dbus_access_is_steering:
 * @uid: a user
 *
 * Returns: whether that user may settle jobs and steer AMPS: root, and whom AMPS runs as
 */
gboolean
amps_dbus_access_is_steering (unsigned int uid)
{
  return uid == 0 || uid == geteuid ();
}

/**
 * amps_dbus_access_return_error:
 * @invocation: (transfer full): a call
 * @error: why it failed
 *
 * Answers @invocation with the name that the table of errors has for @error.
 */
void
amps_dbus_access_return_error (GDBusMethodInvocation *invocation, const GError *error)
{
  g_dbus_method_invocation_return_dbus_error (invocation, amps_error_find_info (error)->dbus_name,
                                              error->message);
}

static void
dbus_access_refuse (GDBusMethodInvocation *invocation, const char *why)
{
  g_autoptr (GError) error = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_FORBIDDEN, why);

  amps_dbus_access_return_error (invocation, error);
}

static void
on_user (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Check *check = user_data;
  g_autoptr (GObject) target = check->target;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  unsigned int uid;

  if (answer == NULL)
    {
      amps_log (DEBUG, DBUS_CALLER_UNKNOWN, "The bus does not say who calls: %s", error->message);
      dbus_access_refuse (check->invocation, "the bus does not say who calls");
      return;
    }

  g_variant_get (answer, "(u)", &uid);
  if (amps_dbus_access_is_steering (uid))
    check->func (check->invocation, target);
  else
    dbus_access_refuse (check->invocation,
                        "only root, and the user that AMPS runs as, may do that");
}

/**
 * amps_dbus_access_check:
 * @invocation: (transfer full): a call that changes something
 * @func: (scope async): called, some time later, if who made it may
 * @target: (transfer none): passed to @func
 *
 * Asks the bus who made the call. It is answered with an error if that is nobody who
 * may.
 */
void
amps_dbus_access_check (GDBusMethodInvocation *invocation, AmpsDBusAccessFunc func, GObject *target)
{
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  Check *check = g_new (Check, 1);

  check->invocation = invocation;
  check->func = func;
  check->target = g_object_ref (target);
  g_dbus_connection_call (g_dbus_method_invocation_get_connection (invocation),
                          "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                          "GetConnectionUnixUser", g_variant_new ("(s)", sender),
                          G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NO_AUTO_START,
                          CREDENTIALS_TIMEOUT, NULL, on_user, check);
}
