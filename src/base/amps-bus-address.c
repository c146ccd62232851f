/* SPDX-License-Identifier: MIT */
#include "amps-bus-address.h"

#include <gio/gio.h>

/* Not by g_dbus_address_get_for_bus_sync(), which may start a bus, and wait for it. */
static char *
find_session_bus (void)
{
  const char *address = g_getenv ("DBUS_SESSION_BUS_ADDRESS");
  g_autofree char *path = g_build_filename (g_get_user_runtime_dir (), "bus", NULL);
  g_autofree char *escaped = NULL;

  if (address != NULL && address[0] != '\0')
    return g_strdup (address);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return NULL;

  escaped = g_dbus_address_escape_value (path);
  return g_strconcat ("unix:path=", escaped, NULL);
}

static char *
find_system_bus (gboolean only_if_there)
{
  static const char path[] = "/run/dbus/system_bus_socket";
  const char *address = g_getenv ("DBUS_SYSTEM_BUS_ADDRESS");

  if (address != NULL && address[0] != '\0')
    return g_strdup (address);
  if (only_if_there && !g_file_test (path, G_FILE_TEST_EXISTS))
    return NULL;

  return g_strconcat ("unix:path=", path, NULL);
}

/**
 * amps_bus_address_find:
 * @bus: what DBUS_BUS may be, other than "none"
 *
 * Returns: (transfer full) (nullable): the address of that bus; %NULL if there is none
 */
char *
amps_bus_address_find (const char *bus)
{
  char *session;

  if (g_str_equal (bus, "session"))
    return find_session_bus ();
  if (g_str_equal (bus, "system"))
    return find_system_bus (FALSE);
  if (!g_str_equal (bus, "auto"))
    return g_strdup (bus);

  session = find_session_bus ();
  return session != NULL ? session : find_system_bus (TRUE);
}
