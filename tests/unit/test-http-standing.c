/* SPDX-License-Identifier: MIT */
#include "base/amps-clock.h"
#include "server/amps-http-standing.h"

static void
init (AmpsHttpStanding *standing, const char *remote, const char *local)
{
  g_autoptr (GSocketAddress) peer = g_inet_socket_address_new_from_string (remote, 50000);
  g_autoptr (GSocketAddress) own = g_inet_socket_address_new_from_string (local, 4000);

  amps_http_standing_init (standing, peer, own, AMPS_SECONDS (100));
}

static void
test_local (void)
{
  static const struct {
    const char *remote;
    const char *local;
    gboolean is_local;
  } pairs[] = {
    { "127.0.0.1", "127.0.0.1", TRUE },
    { "::1", "::1", TRUE },
    { "::ffff:127.0.0.5", "::ffff:127.0.0.1", TRUE },
    { "10.0.0.5", "10.0.0.5", TRUE },
    { "10.0.0.5", "10.0.0.6", FALSE },
    { "fd00::1", "fd00::2", FALSE },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      AmpsHttpStanding standing;

      init (&standing, pairs[i].remote, pairs[i].local);
      g_assert_cmpint (standing.is_local, ==, pairs[i].is_local);
      g_assert_cmpint (standing.stage, ==, AMPS_HTTP_STAGE_HEAD);
    }
}

static guint64
get_network (const char *remote)
{
  AmpsHttpStanding standing;

  init (&standing, remote, "10.0.0.1");
  return standing.network;
}

static void
test_network (void)
{
  g_assert_true (get_network ("10.0.0.5") == get_network ("::ffff:10.0.0.5"));
  g_assert_false (get_network ("10.0.0.5") == get_network ("10.0.0.6"));
  g_assert_false (get_network ("::ffff:10.0.0.5") == get_network ("::ffff:10.0.0.6"));
  g_assert_true (get_network ("2001:db8:0:1::5") == get_network ("2001:db8:0:1:f::6"));
  g_assert_false (get_network ("2001:db8:0:1::5") == get_network ("2001:db8:0:2::5"));
}

/* @seconds: since @standing was made */
static void
assert_late_after (const AmpsHttpStanding *standing, int seconds)
{
  gint64 late = AMPS_SECONDS (100 + seconds);

  g_assert_false (amps_http_standing_is_late (standing, late - 1));
  g_assert_true (amps_http_standing_is_late (standing, late));
}

static void
enter (AmpsHttpStanding *standing, AmpsHttpStage stage, int seconds)
{
  amps_http_standing_enter (standing, stage, AMPS_SECONDS (100 + seconds));
}

static void
test_local_times (void)
{
  AmpsHttpStanding standing;

  init (&standing, "127.0.0.1", "127.0.0.1");
  assert_late_after (&standing, 30);
  enter (&standing, AMPS_HTTP_STAGE_HEAD, 5);
  assert_late_after (&standing, 30);
  enter (&standing, AMPS_HTTP_STAGE_BODY, 10);
  assert_late_after (&standing, 30);
  enter (&standing, AMPS_HTTP_STAGE_ANSWER, 20);
  assert_late_after (&standing, 30);
  enter (&standing, AMPS_HTTP_STAGE_WAITING, 20);
  g_assert_false (amps_http_standing_is_late (&standing, G_MAXINT64));
  enter (&standing, AMPS_HTTP_STAGE_ANSWER, 900);
  assert_late_after (&standing, 930);
  enter (&standing, AMPS_HTTP_STAGE_IDLE, 900);
  assert_late_after (&standing, 965);
  enter (&standing, AMPS_HTTP_STAGE_HEAD, 950);
  assert_late_after (&standing, 980);
  enter (&standing, AMPS_HTTP_STAGE_CLOSING, 950);
  assert_late_after (&standing, 951);
  enter (&standing, AMPS_HTTP_STAGE_ENDED, 950);
  g_assert_false (amps_http_standing_is_late (&standing, G_MAXINT64));
}

static void
test_remote_times (void)
{
  AmpsHttpStanding standing;

  init (&standing, "10.0.0.2", "10.0.0.1");
  assert_late_after (&standing, 5);
  enter (&standing, AMPS_HTTP_STAGE_BODY, 4);
  assert_late_after (&standing, 30);
  enter (&standing, AMPS_HTTP_STAGE_IDLE, 10);
  assert_late_after (&standing, 75);
  enter (&standing, AMPS_HTTP_STAGE_HEAD, 20);
  assert_late_after (&standing, 25);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http-standing/local", test_local);
  g_test_add_func ("/http-standing/network", test_network);
  g_test_add_func ("/http-standing/local-times", test_local_times);
  g_test_add_func ("/http-standing/remote-times", test_remote_times);
  return g_test_run ();
}
