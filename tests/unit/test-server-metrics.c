/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "fake-clock.h"
#include "server-fixture.h"

#include <string.h>

/* What the server itself counts, and looks up when the metrics are asked for. */

static char *
get_metrics (ServerFixture *f)
{
  g_autoptr (HttpAnswer) answer = http_call (f->session, "GET", f->metrics_port, "/metrics", NULL);

  return g_strdup (answer->body);
}

static void
assert_shows (ServerFixture *f, const char *line)
{
  g_autofree char *text = get_metrics (f);
  g_autofree char *whole = g_strdup_printf ("\n%s\n", line);

  assert_contains (text, whole);
}

/* All lines of the API's requests, without the name of the metric. */
static void
assert_requests (ServerFixture *f, const char *expected)
{
  static const char name[] = "amps_api_requests_total{";
  g_autofree char *text = get_metrics (f);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) found = g_string_new (NULL);

  for (unsigned int i = 0; lines[i] != NULL; i++)
    {
      if (g_str_has_prefix (lines[i], name))
        g_string_append_printf (found, "%s\n", lines[i] + strlen (name));
    }
  g_assert_cmpstr (found->str, ==, expected);
}

static void
call (ServerFixture *f, const char *method, const char *path, const char *body)
{
  g_autoptr (HttpAnswer) answer = server_call (f, method, path, body);

  g_assert_nonnull (answer);
}

static void
send_large (ServerFixture *f)
{
  static const char request[] =
      "POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20971520\r\n\r\n";
  g_autoptr (GSocket) socket = raw_connect (f->port);
  g_autofree char *answer = NULL;

  raw_send (socket, request, strlen (request));
  answer = raw_receive (socket, NULL);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 413 "));
}

static void
test_requests (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  assert_requests (f, "");
  fake_dispatcher_add_job (f->dispatcher, "a");
  fake_dispatcher_fail (f->dispatcher, "gone", AMPS_ERROR_NOT_FOUND, "no such job");
  call (f, "POST", "/acknowledge", "{\"identifier\":\"a\"}");
  call (f, "POST", "/acknowledge", "{\"identifier\":\"a\"}");
  call (f, "POST", "/acknowledge", "{\"identifier\":\"gone\"}");
  call (f, "POST", "/acknowledge", "{");
  call (f, "GET", "/acknowledge", NULL);
  call (f, "GET", "/jobs?limit=1", NULL);
  call (f, "GET", "/jobs/a", NULL);
  call (f, "GET", "/jobs/b", NULL);
  call (f, "GET", "/health/detailed", NULL);
  call (f, "GET", "/no/such/page", NULL);
  send_large (f);
  assert_requests (f, "call=\"acknowledge\",code=\"202\"} 2\n"
                      "call=\"acknowledge\",code=\"400\"} 1\n"
                      "call=\"acknowledge\",code=\"404\"} 1\n"
                      "call=\"acknowledge\",code=\"405\"} 1\n"
                      "call=\"publish\",code=\"413\"} 1\n"
                      "call=\"jobs\",code=\"200\"} 1\n"
                      "call=\"job\",code=\"200\"} 1\n"
                      "call=\"job\",code=\"404\"} 1\n"
                      "call=\"health_detailed\",code=\"503\"} 1\n"
                      "call=\"other\",code=\"404\"} 1\n");
}

static void
test_refused (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  call (f, "POST", "/drain", NULL);
  assert_requests (f, "call=\"drain\",code=\"401\"} 1\n");
}

/* It is counted when its answer is sent, not when it comes. */
static void
test_held (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char event[] =
      "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}";
  g_autofree char *request = g_strdup_printf ("POST /publish HTTP/1.1\r\nHost: localhost\r\n"
                                              "Content-Type: application/cloudevents+json\r\n"
                                              "Content-Length: %zu\r\n\r\n%s",
                                              strlen (event), event);
  g_autoptr (GSocket) socket = raw_connect (f->port);
  g_autofree char *answer = NULL;

  fake_dispatcher_hold_publications (f->dispatcher);
  raw_send (socket, request, strlen (request));
  assert_requests (f, "");
  fake_dispatcher_finish_publication (f->dispatcher, NULL);
  answer = raw_receive (socket, "\r\n\r\n");
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 202 "));
  assert_requests (f, "call=\"publish\",code=\"202\"} 1\n");
}

static void
test_invalid_publication (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char request[] = "POST /publish HTTP/1.1\r\nHost: localhost\r\n"
                                "Content-Type: application/cloudevents-batch+json\r\n"
                                "Content-Length: 2\r\n\r\n{}";
  g_autoptr (GSocket) socket = raw_connect (f->port);
  g_autofree char *answer = NULL;

  raw_send (socket, request, strlen (request));
  answer = raw_receive (socket, "\r\n\r\n");
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 400 "));
  assert_shows (f, "amps_publications_total{result=\"invalid\"} 1");
}

static void
test_ready (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  assert_shows (f, "amps_ready 1");
  fake_dispatcher_set_not_ready (f->dispatcher, "the broker is away");
  assert_shows (f, "amps_ready 0");
}

static void
test_oldest (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsManifest *manifest = amps_dispatcher_get_manifest (f->dispatcher);
  gint64 now = amps_clock_get_monotonic_time (f->clock);

  assert_shows (f, "amps_oldest_job_age_seconds 0");
  fake_dispatcher_add_job (f->dispatcher, "a");
  fake_dispatcher_add_job (f->dispatcher, "b");
  amps_job_get_delivery (amps_manifest_lookup (manifest, "a"))->received = now;
  amps_job_get_delivery (amps_manifest_lookup (manifest, "b"))->received = now + 1500000;
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  assert_shows (f, "amps_oldest_job_age_seconds 5");
  fake_dispatcher_remove_job (f->dispatcher, "a");
  assert_shows (f, "amps_oldest_job_age_seconds 3.5");
}

/* As after a lost connection: the delivery is younger than the run. */
static void
test_oldest_attached (ServerFixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsJob *job;

  fake_dispatcher_add_job (f->dispatcher, "a");
  job = amps_manifest_lookup (amps_dispatcher_get_manifest (f->dispatcher), "a");
  amps_manifest_begin_run (amps_dispatcher_get_manifest (f->dispatcher), job, 0);
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  amps_job_get_delivery (job)->received = amps_clock_get_monotonic_time (f->clock);
  assert_shows (f, "amps_oldest_job_age_seconds 5");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, setting, function)                                                               \
  g_test_add ("/server-metrics/" name, ServerFixture, setting, server_set_up, function,            \
              server_tear_down)
  ADD ("requests", NULL, test_requests);
  ADD ("refused", "API_TOKEN=secret", test_refused);
  ADD ("held", NULL, test_held);
  ADD ("invalid-publication", NULL, test_invalid_publication);
  ADD ("ready", NULL, test_ready);
  ADD ("oldest", NULL, test_oldest);
  ADD ("oldest-attached", NULL, test_oldest_attached);
  return g_test_run ();
}
