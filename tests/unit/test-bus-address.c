/* SPDX-License-Identifier: MIT */
#include "base/amps-bus-address.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

static void
assert_address (const char *bus, const char *expected)
{
  g_autofree char *address = amps_bus_address_find (bus);

  g_assert_cmpstr (address, ==, expected);
}

static void
test_environment (void)
{
  g_setenv ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/session", TRUE);
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/system", TRUE);
  assert_address ("session", "unix:path=/session");
  assert_address ("system", "unix:path=/system");
  assert_address ("auto", "unix:path=/session");
  assert_address ("unix:path=/other", "unix:path=/other");

  g_unsetenv ("DBUS_SESSION_BUS_ADDRESS");
  assert_address ("session", NULL);
  assert_address ("auto", "unix:path=/system");

  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", "", TRUE);
  assert_address ("system", "unix:path=/run/dbus/system_bus_socket");
}

/* Where systemd puts it. */
static void
test_session (void)
{
  g_autofree char *path = g_build_filename (g_get_user_runtime_dir (), "bus", NULL);
  g_autofree char *address = g_strconcat ("unix:path=", path, NULL);

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  assert_address ("session", address);
  assert_address ("auto", address);
  g_assert_cmpint (g_unlink (path), ==, 0);
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = g_dir_make_tmp ("amps-bus-XXXXXX", NULL);
  int status;

  g_test_init (&argc, &argv, NULL);
  g_assert_nonnull (folder);
  g_setenv ("XDG_RUNTIME_DIR", folder, TRUE);

  g_test_add_func ("/bus-address/environment", test_environment);
  g_test_add_func ("/bus-address/session", test_session);
  status = g_test_run ();
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  return status;
}
