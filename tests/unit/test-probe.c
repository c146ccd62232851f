/* SPDX-License-Identifier: MIT */
#include "fake-clock.h"
#include "http-client.h"
#include "log-recorder.h"
#include "main-loop.h"
#include "raw-server.h"
#include "server/amps-http-listener.h"
#include "workload/amps-probe.h"

#include <string.h>

typedef struct {
  AmpsClock *clock;
  AmpsClock *real_clock;
  AmpsHttpListener *listener; /* (nullable) the workload, once it is there */
  guint16 port;
  unsigned int status; /* what it answers */
  unsigned int n_asked;
  AmpsConfig *config;
  AmpsEndpoint *endpoint;
  AmpsProbe *probe;
  unsigned int n_changes;
} Fixture;

static void
accept_all (SoupServerMessage *message G_GNUC_UNUSED, const char *path G_GNUC_UNUSED,
            gpointer user_data G_GNUC_UNUSED)
{
}

static void
on_request (SoupServerMessage *message, const char *path, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_cmpstr (soup_server_message_get_method (message), ==, "GET");
  g_assert_cmpstr (path, ==, "/ready");
  g_assert_true (soup_message_headers_header_equals (
      soup_server_message_get_request_headers (message), "Connection", "close"));
  f->n_asked++;
  soup_server_message_set_status (message, f->status, NULL);
}

static void
on_changed (AmpsProbe *probe G_GNUC_UNUSED, GParamSpec *pspec G_GNUC_UNUSED, Fixture *f)
{
  f->n_changes++;
}

static void
count_restart (unsigned int *n_restarts)
{
  (*n_restarts)++;
}

static void
start_workload (Fixture *f)
{
  static const AmpsHttpListenerFuncs funcs = { accept_all, on_request, NULL };
  g_autoptr (GError) error = NULL;

  f->listener = amps_http_listener_new (f->real_clock, 10, 1000, &funcs, f);
  amps_http_listener_listen (f->listener, f->port, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *f, gconstpointer ready_path)
{
  static const char *const none[] = { NULL };
  g_autofree char *address = NULL;
  g_autoptr (GError) error = NULL;

  f->clock = fake_clock_new ();
  f->real_clock = amps_clock_new ();
  f->port = find_free_port ();
  f->status = 204;
  address = g_strdup_printf ("WORKLOAD_ADDRESS=http://127.0.0.1:%u/jobs", f->port);

  const char *const environment[] = { "BROKER_SUBJECT=jobs", address, NULL };

  f->config = amps_config_new (environment, NULL, none, &error);
  g_assert_no_error (error);
  f->endpoint = amps_endpoint_new (f->config);
  f->probe = amps_probe_new (f->clock, f->endpoint, ready_path);
  g_signal_connect (f->probe, "notify::available", G_CALLBACK (on_changed), f);
}

static void
tear_down (Fixture *f, gconstpointer ready_path G_GNUC_UNUSED)
{
  g_free (log_recorder_take ());
  g_object_run_dispose (G_OBJECT (f->probe));
  /* Each look that was ended still has to say so. */
  while (G_OBJECT (f->probe)->ref_count > 1)
    g_main_context_iteration (NULL, TRUE);
  iterate_until_idle ();
  g_assert_finalize_object (f->probe);
  g_assert_finalize_object (f->endpoint);
  g_assert_finalize_object (f->config);
  g_clear_object (&f->listener);
  g_assert_finalize_object (f->clock);
  g_object_unref (f->real_clock);
}

/* Lets the probe's next time come, and the world answer. */
static void
advance (Fixture *f, gint64 microseconds)
{
  fake_clock_advance (f->clock, microseconds);
  iterate_until_idle ();
}

static void
wait_until_available (Fixture *f, gboolean available)
{
  while (amps_probe_get_available (f->probe) != available)
    advance (f, AMPS_SECONDS (1));
}

static void
test_nothing_is_known_at_first (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  advance (f, AMPS_SECONDS (60));
  g_assert_false (amps_probe_get_available (f->probe));
  g_assert_nonnull (strstr (amps_probe_get_reason (f->probe), "not been reached yet"));
}

static void
test_workload_that_comes_later (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_probe_start (f->probe);
  for (unsigned int i = 0; i < 5; i++)
    advance (f, AMPS_SECONDS (1));
  g_assert_false (amps_probe_get_available (f->probe));
  g_assert_nonnull (strstr (amps_probe_get_reason (f->probe), "refused"));
  g_assert_cmpuint (f->n_changes, ==, 0);

  start_workload (f);
  wait_until_available (f, TRUE);
  g_assert_cmpuint (f->n_changes, ==, 1);
  g_assert_null (amps_probe_get_reason (f->probe));
}

/* The breaker opens when a POST could not be made, and closes by itself. */
static void
test_breaker (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  start_workload (f);
  amps_probe_start (f->probe);
  wait_until_available (f, TRUE);

  amps_probe_report_unreachable (f->probe, "a POST was refused", NULL);
  g_assert_false (amps_probe_get_available (f->probe));
  g_assert_cmpstr (amps_probe_get_reason (f->probe), ==, "a POST was refused");
  wait_until_available (f, TRUE);
  g_assert_cmpuint (f->n_changes, ==, 3);
}

/* Not before it was due; else ten POSTs that fail would be ten probes. */
static void
test_waits_between_probes (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  start_workload (f);
  amps_probe_start (f->probe);
  wait_until_available (f, TRUE);
  amps_probe_report_unreachable (f->probe, "once", NULL);
  amps_probe_report_unreachable (f->probe, "twice", NULL);
  advance (f, 0);
  g_assert_false (amps_probe_get_available (f->probe));
  g_assert_cmpstr (amps_probe_get_reason (f->probe), ==, "once");
}

/* A look is no probe: it finds out that nobody is there, but does not end the wait after
 * a POST that failed meanwhile. */
static void
test_look (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  unsigned int n_restarts = 0;

  g_signal_connect_swapped (f->probe, "restarted", G_CALLBACK (count_restart), &n_restarts);
  start_workload (f);
  amps_probe_start (f->probe);
  wait_until_available (f, TRUE);
  n_restarts = 0;
  amps_probe_look (f->probe);
  amps_probe_report_unreachable (f->probe, "a certificate is missing", NULL);
  iterate_until_idle ();
  g_assert_false (amps_probe_get_available (f->probe));
  wait_until_available (f, TRUE);
  g_assert_cmpuint (n_restarts, ==, 0);

  g_clear_object (&f->listener);
  amps_probe_look (f->probe);
  iterate_until_idle ();
  g_assert_false (amps_probe_get_available (f->probe));
  start_workload (f);
  wait_until_available (f, TRUE);
  g_assert_cmpuint (n_restarts, ==, 1);
}

/* While draining nothing is POSTed that would tell. */
static void
test_watch (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  start_workload (f);
  amps_probe_start (f->probe);
  wait_until_available (f, TRUE);
  g_clear_object (&f->listener);
  advance (f, AMPS_SECONDS (60));
  g_assert_true (amps_probe_get_available (f->probe));

  amps_probe_set_interval (f->probe, AMPS_SECONDS (1));
  wait_until_available (f, FALSE);
}

/* A look only connects. */
static void
test_look_at_ready_path (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  unsigned int n_asked;

  start_workload (f);
  amps_probe_start (f->probe);
  wait_until_available (f, TRUE);
  n_asked = f->n_asked;
  for (unsigned int i = 0; i < 20; i++)
    amps_probe_look (f->probe);
  iterate_until_idle ();
  g_assert_cmpuint (f->n_asked, ==, n_asked);
  g_assert_true (amps_probe_get_available (f->probe));
}

static void
test_ready_path (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->status = 503;
  start_workload (f);
  amps_probe_start (f->probe);
  for (unsigned int i = 0; i < 3; i++)
    advance (f, AMPS_SECONDS (1));
  g_assert_cmpuint (f->n_asked, >=, 2);
  g_assert_false (amps_probe_get_available (f->probe));
  g_assert_nonnull (strstr (amps_probe_get_reason (f->probe), "503"));

  f->status = 200;
  wait_until_available (f, TRUE);

  /* It is asked again and again. */
  f->status = 302;
  wait_until_available (f, FALSE);
}

/* However slowly an answer comes in, the question has an end. */
static void
test_answer_that_does_not_end (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", f->port);
  g_autoptr (RawServer) server = raw_server_new (address);

  raw_server_reply (server, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  amps_probe_start (f->probe);
  wait_until_available (f, TRUE);

  raw_server_reply (server, "HTTP/1.1 204 No Content\r\nAnd-So-On: ");
  advance (f, AMPS_SECONDS (5));
  while (raw_server_get_n_requests (server) < 2)
    g_main_context_iteration (NULL, FALSE);
  advance (f, AMPS_SECONDS (30) - 1);
  g_assert_cmpuint (raw_server_get_n_requests (server), ==, 2);
  g_assert_true (amps_probe_get_available (f->probe));
  advance (f, 1);
  g_assert_false (amps_probe_get_available (f->probe));
  g_assert_cmpstr (amps_probe_get_reason (f->probe), ==, "no answer within 30 s");

  raw_server_reply (server, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  wait_until_available (f, TRUE);
}

/* It would have the main loop for itself. */
static void
test_interim_answers (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", f->port);
  g_autoptr (RawServer) server = raw_server_new (address);
  g_autoptr (GString) reply = g_string_new ("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");

  raw_server_reply (server, reply->str);
  amps_probe_start (f->probe);
  wait_until_available (f, TRUE);

  for (unsigned int i = 0; i < 17; i++)
    g_string_prepend (reply, "HTTP/1.1 103 Early Hints\r\n\r\n");
  raw_server_reply (server, reply->str);
  wait_until_available (f, FALSE);
  g_assert_nonnull (strstr (amps_probe_get_reason (f->probe), "interim answers"));

  raw_server_reply (server, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  wait_until_available (f, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  log_recorder_start ();

#define ADD(name, path, test) g_test_add ("/probe/" name, Fixture, path, set_up, test, tear_down)
  ADD ("nothing-is-known-at-first", NULL, test_nothing_is_known_at_first);
  ADD ("workload-that-comes-later", NULL, test_workload_that_comes_later);
  ADD ("breaker", NULL, test_breaker);
  ADD ("waits-between-probes", NULL, test_waits_between_probes);
  ADD ("look", NULL, test_look);
  ADD ("watch", NULL, test_watch);
  ADD ("ready-path", "/ready", test_ready_path);
  ADD ("look-at-ready-path", "/ready", test_look_at_ready_path);
  ADD ("answer-that-does-not-end", "/ready", test_answer_that_does_not_end);
  ADD ("interim-answers", "/ready", test_interim_answers);
  return g_test_run ();
}
