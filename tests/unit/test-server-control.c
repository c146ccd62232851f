/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "fake-clock.h"
#include "server-fixture.h"

#include <string.h>

/* The calls that steer AMPS. */

static void
test_control (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (HttpAnswer) pause = server_post (fixture, "/pause", NULL);
  g_autoptr (HttpAnswer) resume = server_post (fixture, "/resume", NULL);
  g_autoptr (HttpAnswer) drained = server_call (fixture, "GET", "/drain", NULL);
  g_autoptr (HttpAnswer) draining = NULL;
  g_autoptr (HttpAnswer) bad = NULL;
  g_autoptr (HttpAnswer) refused = NULL;

  assert_json (pause, 200);
  assert_contains (pause->body, "\"state\":\"paused\"");
  assert_contains (resume->body, "\"state\":\"running\"");
  g_assert_cmpuint (drained->status, ==, 200);
  assert_contains (drained->body, "{\"state\":\"draining\",\"in_flight\":0}");

  fake_dispatcher_add_job (fixture->dispatcher, "a");
  draining = server_post (fixture, "/drain", NULL);
  assert_json (draining, 202);
  assert_contains (draining->body, "\"in_flight\":1");
  bad = server_post (fixture, "/drain?wait=soon", NULL);
  assert_problem (bad, 400, "wait");

  amps_lifecycle_stop (fixture->lifecycle);
  refused = server_post (fixture, "/resume", NULL);
  assert_problem (refused, 409, "AMPS is stopping");
}

static void
test_concurrency (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const wrong[] = {
    "{}",
    "{\"limit\":0}",
    "{\"limit\":65536}",
    "{\"limit\":-1}",
    "{\"limit\":1.5}",
    "{\"limit\":1e2}",
    "{\"limit\":\"5\"}",
    "{\"limit\":null}",
    "{\"limit\":18446744073709551617}",
  };
  static const char *const broken[] = { "", "5", "{\"limit\":5", "{\"limit\":5,\"limit\":6}" };
  g_autoptr (HttpAnswer) answer = server_post (fixture, "/concurrency", "{\"limit\":65535}");

  assert_json (answer, 200);
  g_assert_cmpstr (answer->body, ==, "{\"limit\":65535}");
  assert_calls (fixture, "concurrency 65535\n");
  for (size_t i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (HttpAnswer) refused = server_post (fixture, "/concurrency", wrong[i]);

      assert_problem (refused, 400, "“limit” must be a number from 1 to 65535");
    }
  for (size_t i = 0; i < G_N_ELEMENTS (broken); i++)
    {
      g_autoptr (HttpAnswer) refused = server_post (fixture, "/concurrency", broken[i]);

      assert_problem (refused, 400, "the body must be a JSON object");
    }
  assert_calls (fixture, "");
}

static GSocket *
begin_drain (ServerFixture *fixture, const char *query)
{
  g_autofree char *request =
      g_strdup_printf ("GET /drain?%s HTTP/1.1\r\nHost: localhost\r\n\r\n", query);
  GSocket *socket = raw_connect (fixture->port);

  g_assert_true (amps_lifecycle_resume (fixture->lifecycle, NULL));
  raw_send (socket, request, strlen (request));
  while (!amps_lifecycle_is_draining (fixture->lifecycle))
    g_main_context_iteration (NULL, TRUE);
  return socket;
}

static void
test_drain_wait (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) ends = NULL;
  g_autoptr (GSocket) gives_up = NULL;
  g_autofree char *ended = NULL;
  g_autofree char *given_up = NULL;

  fake_dispatcher_add_job (fixture->dispatcher, "a");
  ends = begin_drain (fixture, "wait=10s");
  fake_clock_advance (fixture->clock, AMPS_SECONDS (5));
  g_assert_false (raw_is_closed (ends));
  fake_dispatcher_remove_job (fixture->dispatcher, "a");
  fake_clock_advance (fixture->clock, AMPS_SECONDS (1));
  ended = raw_receive (ends, "}");
  g_assert_true (g_str_has_prefix (ended, "HTTP/1.1 200 "));

  fake_dispatcher_add_job (fixture->dispatcher, "b");
  gives_up = begin_drain (fixture, "wait=2s");
  fake_clock_advance (fixture->clock, AMPS_SECONDS (3));
  given_up = raw_receive (gives_up, "}");
  g_assert_true (g_str_has_prefix (given_up, "HTTP/1.1 202 "));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/server-control/" name, ServerFixture, NULL, server_set_up, function,               \
              server_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("control", test_control);
  ADD ("concurrency", test_concurrency);
  ADD ("drain-wait", test_drain_wait);
  return g_test_run ();
}
