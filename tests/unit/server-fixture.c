/* SPDX-License-Identifier: MIT */
#include "server-fixture.h"

#include "broker/amps-broker-factory.h"
#include "fake-clock.h"

#include <string.h>

static AmpsConfig *
server_create_config (ServerFixture *fixture, const char *setting)
{
  static const char *const none[] = { NULL };
  g_autofree char *port = g_strdup_printf ("PORT=%u", fixture->port);
  g_autofree char *metrics_port = g_strdup_printf ("METRICS_PORT=%u", fixture->metrics_port);
  const char *const environment[] = { "BROKER_SUBJECT=tests", port, metrics_port, setting, NULL };
  g_autoptr (GError) error = NULL;
  AmpsConfig *config = amps_config_new_full (AMPS_CONFIG_SERVICE, environment, NULL, none,
                                             amps_broker_factory_get_backends (), &error);

  g_assert_no_error (error);
  return config;
}

/* @data is a setting, or NULL. */
void
server_set_up (ServerFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->port = find_free_port ();
  do
    fixture->metrics_port = find_free_port ();
  while (fixture->metrics_port == fixture->port);
  fixture->clock = fake_clock_new ();
  fixture->dispatcher = fake_dispatcher_new (fixture->clock);
  fixture->lifecycle = amps_dispatcher_get_lifecycle (fixture->dispatcher);
  fixture->metrics = amps_metrics_new ();
  fixture->config = server_create_config (fixture, data);
  fixture->session = g_object_new (SOUP_TYPE_SESSION, "proxy-resolver", NULL, NULL);
  fixture->server =
      amps_server_new (fixture->config, fixture->clock, fixture->dispatcher, fixture->metrics);
  amps_server_start (fixture->server, &error);
  g_assert_no_error (error);
}

/* A connection keeps it until its socket has closed. */
static void
wait_finalized (gpointer object)
{
  g_object_add_weak_pointer (object, &object);
  g_object_unref (object);
  while (object != NULL)
    g_main_context_iteration (NULL, TRUE);
}

void
server_tear_down (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  amps_server_stop (fixture->server);
  soup_session_abort (fixture->session);
  g_assert_finalize_object (fixture->session);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (fixture->server);
  g_assert_finalize_object (fixture->config);
  g_assert_finalize_object (fixture->dispatcher);
  g_assert_finalize_object (fixture->metrics);
  wait_finalized (fixture->clock);
}

HttpAnswer *
server_call (ServerFixture *fixture, const char *method, const char *path, const char *body)
{
  return http_call (fixture->session, method, fixture->port, path, body);
}

HttpAnswer *
server_post (ServerFixture *fixture, const char *path, const char *body)
{
  return server_call (fixture, "POST", path, body);
}

const char *
get_header (HttpAnswer *answer, const char *name)
{
  return soup_message_headers_get_one (soup_message_get_response_headers (answer->message), name);
}

void
assert_calls (ServerFixture *fixture, const char *expected)
{
  g_autofree char *calls = fake_dispatcher_steal_calls (fixture->dispatcher);

  g_assert_cmpstr (calls, ==, expected);
}

void
assert_contains (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("no “%s” in “%s”", part, text);
}

void
assert_problem (HttpAnswer *answer, unsigned int status, const char *detail)
{
  g_autofree char *member = g_strdup_printf ("\"status\":%u", status);

  g_assert_cmpuint (answer->status, ==, status);
  g_assert_cmpstr (get_header (answer, "Content-Type"), ==, PROBLEM);
  assert_contains (answer->body, member);
  assert_contains (answer->body, "\"title\":\"");
  assert_contains (answer->body, detail);
}

void
assert_empty (HttpAnswer *answer, unsigned int status)
{
  g_assert_cmpuint (answer->status, ==, status);
  g_assert_cmpstr (answer->body, ==, "");
}

void
assert_json (HttpAnswer *answer, unsigned int status)
{
  g_assert_cmpuint (answer->status, ==, status);
  g_assert_cmpstr (get_header (answer, "Content-Type"), ==, JSON);
}
