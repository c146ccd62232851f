/* SPDX-License-Identifier: MIT */
#include "amps-service-manager.h"

#include "dispatcher-fixture.h"
#include "log-recorder.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WATCHDOG_USEC 8000000

/* What stands in for systemd: a real socket. */
typedef struct {
  char *address; /* (owned) as in NOTIFY_SOCKET */
  int fd;
} Listener;

static void
listener_bind (Listener *listener)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  gsize length = strlen (listener->address);

  memcpy (address.sun_path, listener->address, length);
  if (address.sun_path[0] == '@')
    address.sun_path[0] = '\0';
  listener->fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  g_assert_cmpint (bind (listener->fd, (struct sockaddr *) &address,
                         (socklen_t) (G_STRUCT_OFFSET (struct sockaddr_un, sun_path) + length)),
                   ==, 0);
}

static Listener
listen_at (const char *kind)
{
  g_autofree char *name = g_strdup_printf ("amps-notify-%d", (int) getpid ());
  Listener listener = { .address = g_str_equal (kind, "@")
                                       ? g_strconcat ("@", name, NULL)
                                       : g_build_filename (g_get_tmp_dir (), name, NULL) };

  listener_bind (&listener);
  return listener;
}

static void
listener_close (Listener *listener)
{
  close (listener->fd);
  if (listener->address[0] == '/')
    g_unlink (listener->address);
  g_free (listener->address);
}

/* @expected: all that was told since the last time, "|" behind each datagram */
static void
assert_heard (Listener *listener, const char *expected)
{
  g_autoptr (GString) heard = g_string_new (NULL);
  char text[4096];
  ssize_t n;

  iterate_until_idle ();
  while ((n = recv (listener->fd, text, sizeof text, 0)) >= 0)
    {
      g_string_append_len (heard, text, n);
      g_string_append_c (heard, '|');
    }
  g_assert_cmpint (errno, ==, EAGAIN);
  g_assert_cmpstr (heard->str, ==, expected);
}

static AmpsServiceManager *
make (DispatcherFixture *f, const char *address, const char *watchdog, const char *pid)
{
  g_auto (GStrv) environment = g_new0 (char *, 1);

  if (address != NULL)
    environment = g_environ_setenv (environment, "NOTIFY_SOCKET", address, TRUE);
  if (watchdog != NULL)
    environment = g_environ_setenv (environment, "WATCHDOG_USEC", watchdog, TRUE);
  if (pid != NULL)
    environment = g_environ_setenv (environment, "WATCHDOG_PID", pid, TRUE);
  return amps_service_manager_new ((const char *const *) environment, f->clock, f->dispatcher);
}

static void
check_life (DispatcherFixture *f, const char *kind)
{
  Listener listener = listen_at (kind);
  g_autoptr (AmpsServiceManager) manager = make (f, listener.address, NULL, NULL);

  assert_heard (&listener, "");
  amps_service_manager_start (manager);
  assert_heard (&listener, "READY=1|STATUS=running, jobs in flight: 0|");
  fake_clock_skip (f->clock, 123456789 - amps_clock_get_monotonic_time (f->clock));
  iterate_until_idle ();
  amps_service_manager_begin_reload (manager);
  amps_service_manager_end_reload (manager);
  assert_heard (&listener, "RELOADING=1\nMONOTONIC_USEC=123456789|READY=1|");
  amps_service_manager_stop (manager, AMPS_SECONDS (40));
  assert_heard (&listener, "STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000|");
  amps_lifecycle_stop (f->lifecycle);

  /* Whoever is told that it is ready would take it for one that has not stopped. */
  amps_service_manager_begin_reload (manager);
  amps_service_manager_end_reload (manager);
  assert_heard (&listener, "");
  listener_close (&listener);
}

static void
test_path (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  check_life (f, "/");
}

static void
test_abstract (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  check_life (f, "@");
}

/* Once a second at most, and only if it is another one. */
static void
test_status (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Listener listener = listen_at ("@");
  g_autoptr (AmpsServiceManager) manager = make (f, listener.address, NULL, NULL);

  amps_service_manager_start (manager);
  assert_heard (&listener, "READY=1|STATUS=running, jobs in flight: 0|");
  run (f, "a");
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (999));
  assert_heard (&listener, "");
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (1));
  assert_heard (&listener, "STATUS=running, jobs in flight: 1|");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_heard (&listener, "");

  /* A line of a stranger's must not be an assignment. */
  amps_broker_change_state (AMPS_BROKER (f->broker), AMPS_BROKER_DISCONNECTED, "refused\nREADY=1");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_heard (&listener, "STATUS=running, jobs in flight: 1; refused READY=1|");
  listener_close (&listener);
}

static void
test_watchdog (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Listener listener = listen_at ("@");
  g_autofree char *pid = g_strdup_printf ("%d", (int) getpid ());
  g_autoptr (AmpsServiceManager) manager =
      make (f, listener.address, G_STRINGIFY (WATCHDOG_USEC), pid);

  amps_service_manager_start (manager);
  assert_heard (&listener, "READY=1|STATUS=running, jobs in flight: 0|");
  fake_clock_advance (f->clock, WATCHDOG_USEC / 2 - 1);
  assert_heard (&listener, "");
  fake_clock_advance (f->clock, 1);
  assert_heard (&listener, "WATCHDOG=1|");

  fake_broker_set_stuck (f->broker, TRUE);
  fake_clock_advance (f->clock, WATCHDOG_USEC / 2);
  assert_heard (&listener, "");
  /* One that goes on is not ended for the time that it hung. */
  fake_broker_set_stuck (f->broker, FALSE);
  fake_clock_advance (f->clock, WATCHDOG_USEC / 16);
  assert_heard (&listener, "WATCHDOG=1|");
  fake_clock_advance (f->clock, WATCHDOG_USEC / 2 - 1);
  assert_heard (&listener, "");

  /* While AMPS drains, too. */
  amps_service_manager_stop (manager, 1);
  fake_clock_advance (f->clock, 1);
  assert_heard (&listener, "STOPPING=1\nEXTEND_TIMEOUT_USEC=1|WATCHDOG=1|");
  listener_close (&listener);
}

static void
assert_warned (const char *expected)
{
  g_autofree char *warnings = log_recorder_take ();

  g_assert_cmpstr (warnings, ==, expected);
}

static void
test_no_watchdog (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  static const char *const unwanted[][2] = {
    { NULL, NULL }, { "8000000", "1" }, { "8000000", "x" }, { "0", NULL }, { "8s", NULL },
  };
  Listener listener = listen_at ("@");

  for (unsigned int i = 0; i < G_N_ELEMENTS (unwanted); i++)
    {
      g_autoptr (AmpsServiceManager) manager =
          make (f, listener.address, unwanted[i][0], unwanted[i][1]);

      amps_service_manager_start (manager);
      fake_clock_advance (f->clock, AMPS_SECONDS (60));
      assert_heard (&listener, "READY=1|STATUS=running, jobs in flight: 0|");
    }
  assert_warned ("WATCHDOG_USEC is not a number of microseconds\n"
                 "WATCHDOG_USEC is not a number of microseconds\n");
  listener_close (&listener);
}

static void
discard_all (Listener *listener)
{
  char text[1];

  while (recv (listener->fd, text, sizeof text, 0) >= 0)
    ;
}

/* One that does not listen is not waited for; but a service whose state it has missed
 * would stay in the one before for ever. */
static void
test_full (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Listener listener = listen_at ("@");
  g_autoptr (AmpsServiceManager) manager = make (f, listener.address, NULL, NULL);

  amps_service_manager_start (manager);
  assert_heard (&listener, "READY=1|STATUS=running, jobs in flight: 0|");
  for (unsigned int i = 0; i < 10000; i++)
    amps_service_manager_end_reload (manager);
  assert_warned ("Can't reach the service manager at NOTIFY_SOCKET: "
                 "Resource temporarily unavailable\n");

  discard_all (&listener);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_heard (&listener, "READY=1|");
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_heard (&listener, "");
  listener_close (&listener);
}

static void
live (AmpsServiceManager *manager, AmpsClock *clock)
{
  amps_service_manager_start (manager);
  amps_service_manager_begin_reload (manager);
  amps_service_manager_end_reload (manager);
  fake_clock_advance (clock, AMPS_SECONDS (60));
  amps_service_manager_stop (manager, 1);
  iterate_until_idle ();
}

static void
test_nobody (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  static const char *const addresses[] = { NULL, "" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      g_autoptr (AmpsServiceManager) manager = make (f, addresses[i], "1000", NULL);

      live (manager, f->clock);
    }
  assert_warned ("");
}

static void
test_bad_addresses (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *name = g_strnfill (sizeof ((struct sockaddr_un){ 0 }.sun_path) - 1, 'a');
  g_autofree char *path = g_strconcat ("/", name, NULL);
  const char *addresses[] = { "@", "notify", "vsock:2:1", path };

  for (unsigned int i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      g_autoptr (AmpsServiceManager) manager = make (f, addresses[i], "1000", NULL);

      live (manager, f->clock);
      assert_warned ("NOTIFY_SOCKET is not the address of a unix socket\n");
    }
}

int
main (int argc, char **argv)
{
  const DispatcherTest tests[] = {
    { "/service-manager/path", test_path, NULL },
    { "/service-manager/abstract", test_abstract, NULL },
    { "/service-manager/status", test_status, NULL },
    { "/service-manager/watchdog", test_watchdog, NULL },
    { "/service-manager/no-watchdog", test_no_watchdog, NULL },
    { "/service-manager/full", test_full, NULL },
    { "/service-manager/nobody", test_nobody, NULL },
    { "/service-manager/bad-addresses", test_bad_addresses, NULL },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
