/* SPDX-License-Identifier: MIT */
#include "server/amps-access.h"

#include <gio/gunixsocketaddress.h>

/* How the settings steer it is tested with the server. */

static void
test_local (void)
{
  static const struct {
    const char *remote;
    const char *local;
    gboolean is_local;
  } cases[] = {
    { "127.0.0.1", "127.0.0.1", TRUE },
    { "127.8.8.8", "127.0.0.1", TRUE },
    { "::1", "::1", TRUE },
    { "::ffff:127.0.0.1", "::ffff:127.0.0.1", TRUE },
    { "10.0.0.5", "10.0.0.5", TRUE },
    { "::ffff:10.0.0.5", "10.0.0.5", TRUE },
    { "10.0.0.6", "10.0.0.5", FALSE },
    { "::ffff:10.0.0.6", "::ffff:10.0.0.5", FALSE },
    { "fe80::1", "fe80::2", FALSE },
    { "::", "::1", FALSE },
    { "::127.0.0.1", "::1", FALSE },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GSocketAddress) remote =
          g_inet_socket_address_new_from_string (cases[i].remote, 40000);
      g_autoptr (GSocketAddress) local =
          g_inet_socket_address_new_from_string (cases[i].local, 4000);

      g_test_message ("%s to %s", cases[i].remote, cases[i].local);
      g_assert_cmpint (amps_access_is_local (remote, local), ==, cases[i].is_local);
    }
}

/* Anonymous is what most clients are. */
static void
test_unix (void)
{
  g_autoptr (GSocketAddress) named = g_unix_socket_address_new ("/run/client.sock");
  g_autoptr (GSocketAddress) anonymous =
      g_unix_socket_address_new_with_type ("", 0, G_UNIX_SOCKET_ADDRESS_ANONYMOUS);
  g_autoptr (GSocketAddress) local = g_inet_socket_address_new_from_string ("10.0.0.5", 4000);

  g_assert_true (amps_access_is_local (named, local));
  g_assert_true (amps_access_is_local (anonymous, local));
}

static void
test_origin (void)
{
  static const struct {
    const char *origin;
    const char *host;
    gboolean is_own;
  } cases[] = {
    { "http://localhost:4000", "localhost:4000", TRUE },
    { "http://127.0.0.1:4000", "127.0.0.1:4000", TRUE },
    { "http://[::1]:4000", "[::1]:4000", TRUE },
    { "http://localhost:8080", "localhost:8080", TRUE },
    { "http://LocalHost:4000", "localhost:4000", TRUE },
    { "http://localhost:3000", "localhost:4000", FALSE },
    { "http://localhost:4000", NULL, FALSE },
    { "http://evil.example", "localhost:4000", FALSE },
    { "http://localhost:4000@evil.example", "localhost:4000", FALSE },
    { "null", "localhost:4000", FALSE },
    { "", "localhost:4000", FALSE },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].origin);
      g_assert_cmpint (amps_access_is_own_origin (cases[i].origin, cases[i].host), ==,
                       cases[i].is_own);
    }
}

static void
test_host (void)
{
  static const struct {
    const char *host;
    gboolean is_own;
  } cases[] = {
    { "localhost", TRUE },
    { "localhost:4000", TRUE },
    { "LOCALHOST:1", TRUE },
    { "127.0.0.1:4000", TRUE },
    { "10.1.2.3", TRUE },
    { "[::1]:4000", TRUE },
    { "[fe80::1]", TRUE },
    { "amps:4000", TRUE },
    { "Amps", TRUE },
    { "amps.evil.example:4000", FALSE },
    { "localhost.evil.example", FALSE },
    { "localhost.", FALSE },
    { "127.0.0.1.evil.example:4000", FALSE },
    { "evil.example:4000", FALSE },
    { "evil.example, localhost", FALSE },
    { "localhost, evil.example", FALSE },
    { "localhost:4000@evil.example", FALSE },
    { "localhost/evil", FALSE },
    { "[::1", FALSE },
    { "[::1]evil.example", FALSE },
    { "::1", FALSE },
    { "0x7f000001", FALSE },
    { "", FALSE },
  };
  g_autofree char *own = g_strconcat (g_get_host_name (), ":4000", NULL);

  g_assert_true (amps_access_is_own_host (own, "http://amps:4000"));
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].host);
      g_assert_cmpint (amps_access_is_own_host (cases[i].host, "http://amps:4000"), ==,
                       cases[i].is_own);
    }
}

static void
test_site (void)
{
  static const char *const foreign[] = { "cross-site", "same-site",         "",
                                         "None",       "none, same-origin", "other" };

  g_assert_true (amps_access_is_own_site ("none"));
  g_assert_true (amps_access_is_own_site ("same-origin"));
  for (size_t i = 0; i < G_N_ELEMENTS (foreign); i++)
    g_assert_false (amps_access_is_own_site (foreign[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/access/unix", test_unix);
  g_test_add_func ("/access/local", test_local);
  g_test_add_func ("/access/host", test_host);
  g_test_add_func ("/access/site", test_site);
  g_test_add_func ("/access/origin", test_origin);
  return g_test_run ();
}
