/* SPDX-License-Identifier: MIT */
#include "dbus/amps-dbus-service.h"

#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "dbus/amps-dbus-access.h"
#include "dbus/amps-dbus-bus.h"
#include "dispatcher-fixture.h"
#include "log-recorder.h"

#include <string.h>
#include <unistd.h>

#define NAME "io.github.hotellistat.Amps1"
#define PATH "/io/github/hotellistat/Amps1"
#define ERROR(name) NAME ".Error." name

/* AMPS and somebody else, on a bus of their own. */
typedef struct {
  DispatcherFixture *f;
  GTestDBus *daemon;
  GDBusConnection *connection;
  AmpsDBusService *service;
  GString *signals; /* as text, in the order in which they came */
} Bus;

static void
wait_for_name (AmpsDBusService *service)
{
  while (amps_dbus_service_get_name (service) == NULL)
    g_main_context_iteration (NULL, TRUE);
}

static GDBusConnection *
connect_client (GTestDBus *daemon)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection =
      g_dbus_connection_new_for_address_sync (g_test_dbus_get_bus_address (daemon),
                                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                  G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                              NULL, NULL, &error);

  g_assert_no_error (error);
  return connection;
}

static void
on_signal (GDBusConnection *connection G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
           const char *path G_GNUC_UNUSED, const char *interface G_GNUC_UNUSED, const char *name,
           GVariant *parameters, gpointer user_data)
{
  Bus *bus = user_data;
  g_autofree char *text = g_variant_print (parameters, TRUE);

  g_string_append_printf (bus->signals, "%s%s ", name, text);
}

static AmpsDBusService *
start_service (DispatcherFixture *f, AmpsConfig *config)
{
  AmpsDBusService *service = amps_dbus_service_new (config, f->clock, f->dispatcher, f->metrics);

  amps_dbus_service_start (service);
  wait_for_name (service);
  return service;
}

static void
bus_up (Bus *bus, DispatcherFixture *f)
{
  bus->f = f;
  bus->daemon = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (bus->daemon);
  bus->signals = g_string_new (NULL);
  bus->connection = connect_client (bus->daemon);
  g_dbus_connection_signal_subscribe (bus->connection, NULL, NULL, NULL, PATH, NULL,
                                      G_DBUS_SIGNAL_FLAGS_NONE, on_signal, bus, NULL);
  bus->service = start_service (f, f->config);
}

static void
close_client (GDBusConnection *connection)
{
  g_dbus_connection_close_sync (connection, NULL, NULL);
  g_object_unref (connection);
}

static void
bus_down (Bus *bus)
{
  close_client (bus->connection);
  g_object_run_dispose (G_OBJECT (bus->service));
  iterate_until_idle ();
  g_assert_finalize_object (bus->service);
  g_string_free (bus->signals, TRUE);
  g_test_dbus_down (bus->daemon);
  g_object_unref (bus->daemon);
}

static void
keep_result (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

/* Returns: (nullable): the answer, as text; else @error is set */
static char *
call_interface (Bus *bus, const char *interface, const char *method, GVariant *parameters,
                GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) answer = NULL;

  g_dbus_connection_call (bus->connection, NAME, PATH, interface, method, parameters, NULL,
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, keep_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);

  answer = g_dbus_connection_call_finish (bus->connection, result, error);
  return answer != NULL ? g_variant_print (answer, TRUE) : NULL;
}

static void
assert_call (Bus *bus, const char *method, GVariant *parameters, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = call_interface (bus, NAME, method, parameters, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (answer, ==, expected);
}

static void
assert_error (GError *error, const char *name, const char *text)
{
  g_autofree char *found = error != NULL ? g_dbus_error_get_remote_error (error) : NULL;

  g_assert_cmpstr (found, ==, name);
  if (strstr (error->message, text) == NULL)
    g_error ("no “%s” in “%s”", text, error->message);
}

static void
assert_call_fails (Bus *bus, const char *method, GVariant *parameters, const char *name,
                   const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (call_interface (bus, NAME, method, parameters, &error));
  assert_error (error, name, text);
}

static void
assert_property (Bus *bus, const char *property, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *value = call_interface (bus, "org.freedesktop.DBus.Properties", "Get",
                                           g_variant_new ("(ss)", NAME, property), &error);

  g_assert_no_error (error);
  g_assert_cmpstr (value, ==, expected);
}

/* Signals come by the same connection as answers, and before the next one. */
static void
fetch_signals (Bus *bus)
{
  iterate_until_idle ();
  g_free (call_interface (bus, "org.freedesktop.DBus.Peer", "Ping", NULL, NULL));
  iterate_until_idle ();
}

static void
forget_signals (Bus *bus)
{
  fetch_signals (bus);
  g_string_truncate (bus->signals, 0);
}

static void
assert_signals (Bus *bus, const char *expected)
{
  fetch_signals (bus);
  g_assert_cmpstr (bus->signals->str, ==, expected);
  g_string_truncate (bus->signals, 0);
}

static void
test_reading (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Bus bus;
  g_autoptr (GError) error = NULL;
  g_autofree char *job = NULL;

  bus_up (&bus, f);
  assert_call (&bus, "ListJobs", g_variant_new ("(u)", 0), "(@aa{sv} [],)");
  run (f, "a");
  run (f, "b");

  job = call_interface (&bus, NAME, "GetJob", g_variant_new ("(s)", "a"), &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (job, "'Id': <'a'>"));
  g_assert_nonnull (strstr (job, "'State': <'running'>"));
  g_assert_nonnull (strstr (job, "'Attempt': <uint32 1>"));
  assert_call_fails (&bus, "GetJob", g_variant_new ("(s)", "x"), ERROR ("NotFound"), "“x”");

  assert_property (&bus, "Subject", "(<'jobs'>,)");
  assert_property (&bus, "State", "(<'running'>,)");
  assert_property (&bus, "Obstacles", "(<@as []>,)");
  assert_property (&bus, "BrokerState", "(<'consuming'>,)");
  assert_property (&bus, "WorkloadState", "(<'available'>,)");
  assert_property (&bus, "WorkerId", "(<'worker 7'>,)");
  assert_property (&bus, "JobsInFlight", "(<uint32 2>,)");
  bus_down (&bus);
}

static void
test_limit (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Bus bus;
  g_autofree char *jobs = NULL;

  bus_up (&bus, f);
  run (f, "a");
  run (f, "b");
  jobs = call_interface (&bus, NAME, "ListJobs", g_variant_new ("(u)", 1), NULL);
  g_assert_true ((strstr (jobs, "'Id': <'a'>") != NULL) != (strstr (jobs, "'Id': <'b'>") != NULL));
  bus_down (&bus);
}

/* It would be in the log and in the dead letter. */
static void
test_long_reason (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Bus bus;
  g_autofree char *reason = g_strnfill (1024 * 1024, 'x');
  g_autofree char *log = NULL;

  bus_up (&bus, f);
  run (f, "a");
  g_free (log_recorder_take ());
  assert_call (&bus, "Reject", g_variant_new ("(ss)", "a", reason), "()");
  log = log_recorder_take ();
  g_assert_nonnull (strstr (log, "xx…"));
  g_assert_cmpuint (strlen (log), <, 2 * AMPS_FOREIGN_TEXT_MAX);
  bus_down (&bus);
}

static void
test_settling (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Bus bus;

  bus_up (&bus, f);
  for (const char *id = "abc"; *id != '\0'; id++)
    run (f, (const char[]){ *id, '\0' });

  assert_call (&bus, "Acknowledge", g_variant_new ("(s)", "a"), "()");
  assert_call (&bus, "Reject", g_variant_new ("(ss)", "b", "no"), "()");
  assert_call (&bus, "Reschedule", g_variant_new ("(st)", "c", (guint64) 5000000), "()");
  assert_outcomes (f, "acknowledged 1 rejected 1 rescheduled 1 ");
  assert_call (&bus, "Acknowledge", g_variant_new ("(s)", "a"), "()");
  assert_call_fails (&bus, "Reject", g_variant_new ("(ss)", "a", ""), ERROR ("Conflict"), "");
  assert_call_fails (&bus, "Acknowledge", g_variant_new ("(s)", "x"), ERROR ("NotFound"), "");
  assert_call_fails (&bus, "Reschedule", g_variant_new ("(st)", "a", G_MAXUINT64),
                     ERROR ("InvalidArgument"), "too long");
  bus_down (&bus);
}

static void
test_heartbeat (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Bus bus;
  gint64 deadline = amps_clock_get_real_time (f->clock) + AMPS_SECONDS (70);
  g_autofree char *expected = g_strdup_printf ("(uint64 %" G_GINT64_FORMAT ",)", deadline);

  bus_up (&bus, f);
  run (f, "a");
  assert_call (&bus, "Heartbeat", g_variant_new ("(st)", "a", (guint64) AMPS_SECONDS (70)),
               expected);
  assert_call_fails (&bus, "Heartbeat", g_variant_new ("(st)", "x", (guint64) 0),
                     ERROR ("NotFound"), "");
  bus_down (&bus);
}

static void
test_publish (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  static const char event[] =
      "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"/s\",\"type\":\"other\"}";
  Bus bus;

  bus_up (&bus, f);
  assert_call (&bus, "Publish", g_variant_new ("(s)", event), "()");
  assert_call_fails (&bus, "Publish", g_variant_new ("(s)", "{}"), ERROR ("InvalidEvent"),
                     "specversion");
  bus_down (&bus);
}

static void
test_steering (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Bus bus;

  bus_up (&bus, f);
  forget_signals (&bus);
  assert_call (&bus, "Pause", NULL, "()");
  assert_property (&bus, "State", "(<'paused'>,)");
  assert_property (&bus, "Obstacles", "(<['paused']>,)");
  assert_call (&bus, "Drain", NULL, "()");
  assert_call (&bus, "Resume", NULL, "()");
  assert_signals (&bus, "StateChanged('paused',) StateChanged('draining',) "
                        "StateChanged('running',) ");

  amps_lifecycle_stop (f->lifecycle);
  assert_call_fails (&bus, "Resume", NULL, ERROR ("Conflict"), "stopping");
  bus_down (&bus);
}

static void
set_max_concurrency (Bus *bus, GVariant *value, GError **error)
{
  g_free (call_interface (bus, "org.freedesktop.DBus.Properties", "Set",
                          g_variant_new ("(ssv)", NAME, "MaxConcurrency", value), error));
}

static void
test_max_concurrency (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Bus bus;
  g_autoptr (GError) error = NULL;

  bus_up (&bus, f);
  assert_property (&bus, "MaxConcurrency", "(<uint32 100>,)");
  set_max_concurrency (&bus, g_variant_new_uint32 (5), &error);
  g_assert_no_error (error);
  assert_property (&bus, "MaxConcurrency", "(<uint32 5>,)");
  assert_told (f, "prefetch 5\n");

  set_max_concurrency (&bus, g_variant_new_uint32 (0), &error);
  assert_error (error, ERROR ("InvalidArgument"), "from 1 to 65535");
  g_clear_error (&error);
  set_max_concurrency (&bus, g_variant_new_uint32 (65536), &error);
  assert_error (error, ERROR ("InvalidArgument"), "from 1 to 65535");
  g_clear_error (&error);
  set_max_concurrency (&bus, g_variant_new_string ("5"), &error);
  assert_error (error, "org.freedesktop.DBus.Error.InvalidArgs", "");
  assert_property (&bus, "MaxConcurrency", "(<uint32 5>,)");
  bus_down (&bus);
}

/* However many jobs come and go. */
static void
test_changes_once_a_second (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Bus bus;

  bus_up (&bus, f);
  forget_signals (&bus);
  for (const char *id = "abc"; *id != '\0'; id++)
    run (f, (const char[]){ *id, '\0' });
  assert_signals (&bus, "");
  assert_property (&bus, "JobsInFlight", "(<uint32 3>,)");

  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  fetch_signals (&bus);
  g_assert_nonnull (strstr (bus.signals->str, "'JobsInFlight': <uint32 3>"));
  g_assert_nonnull (strstr (bus.signals->str, "'received': uint64 3"));
  g_assert_null (strstr (bus.signals->str, "'State'"));
  g_string_truncate (bus.signals, 0);

  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_signals (&bus, "");
  bus_down (&bus);
}

static void
test_expiry (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Bus bus;

  bus_up (&bus, f);
  run (f, "a");
  forget_signals (&bus);
  fake_clock_advance (f->clock, AMPS_SECONDS (3600));
  fetch_signals (&bus);
  g_assert_nonnull (strstr (bus.signals->str, "JobExpired('a', 'expired')"));
  bus_down (&bus);
}

static void
test_second_instance (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Bus bus;
  AmpsDBusService *second;

  bus_up (&bus, f);
  g_assert_cmpstr (amps_dbus_service_get_name (bus.service), ==, NAME);
  second = start_service (f, f->config);
  g_assert_cmpstr (amps_dbus_service_get_name (second), ==, NAME ".worker_7");
  g_object_run_dispose (G_OBJECT (second));
  iterate_until_idle ();
  g_assert_finalize_object (second);
  bus_down (&bus);
}

static void
test_names (DispatcherFixture *f G_GNUC_UNUSED, gconstpointer settings G_GNUC_UNUSED)
{
  static const char *const names[][2] = {
    { "worker", NAME ".worker" },
    { "pod-7f9.svc:1", NAME ".pod-7f9_svc_1" },
    { "7", NAME "._7" },
    { "Größe", NAME ".Gr____e" },
  };
  g_autofree char *long_id = g_strnfill (1000, 'x');
  g_autofree char *long_name = amps_dbus_bus_make_second_name (long_id);

  for (unsigned int i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = amps_dbus_bus_make_second_name (names[i][0]);

      g_assert_cmpstr (name, ==, names[i][1]);
      g_assert_true (g_dbus_is_name (name));
    }
  g_assert_true (g_dbus_is_name (long_name));
}

static void
test_bus_that_comes_back (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  Bus bus;

  bus_up (&bus, f);
  close_client (bus.connection);
  g_test_dbus_stop (bus.daemon);
  while (amps_dbus_service_get_name (bus.service) != NULL)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (bus.daemon);

  bus.daemon = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (bus.daemon);
  bus.connection = connect_client (bus.daemon);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  wait_for_name (bus.service);
  assert_property (&bus, "State", "(<'running'>,)");
  bus_down (&bus);
}

static void
test_access (DispatcherFixture *f G_GNUC_UNUSED, gconstpointer settings G_GNUC_UNUSED)
{
  g_assert_true (amps_dbus_access_is_steering (0));
  g_assert_true (amps_dbus_access_is_steering (geteuid ()));
  g_assert_false (amps_dbus_access_is_steering (geteuid () + 1));
}

#define SETTINGS "DBUS_BUS=session\nWORKER_ID=worker 7"

int
main (int argc, char **argv)
{
  static const DispatcherTest tests[] = {
    { "/dbus-service/reading", test_reading, SETTINGS },
    { "/dbus-service/limit", test_limit, SETTINGS },
    { "/dbus-service/long-reason", test_long_reason, SETTINGS },
    { "/dbus-service/settling", test_settling, SETTINGS },
    { "/dbus-service/heartbeat", test_heartbeat, SETTINGS },
    { "/dbus-service/publish", test_publish, SETTINGS },
    { "/dbus-service/steering", test_steering, SETTINGS },
    { "/dbus-service/max-concurrency", test_max_concurrency, SETTINGS },
    { "/dbus-service/changes-once-a-second", test_changes_once_a_second, SETTINGS },
    { "/dbus-service/expiry", test_expiry, SETTINGS },
    { "/dbus-service/second-instance", test_second_instance, SETTINGS },
    { "/dbus-service/names", test_names, SETTINGS },
    { "/dbus-service/bus-that-comes-back", test_bus_that_comes_back, SETTINGS },
    { "/dbus-service/access", test_access, SETTINGS },
  };

  return run_dispatcher_tests (&argc, &argv, tests, G_N_ELEMENTS (tests));
}
