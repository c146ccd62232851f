/* SPDX-License-Identifier: MIT */
#include "server-fixture.h"

/* The trace context of a call goes with what it publishes. */

#define EVENT "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}"
#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void
post (ServerFixture *fixture, const char *path, const char *body, const char *traceparent,
      const char *tracestate)
{
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%d%s", fixture->port, path);
  g_autoptr (SoupMessage) message = soup_message_new ("POST", url);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);
  g_autoptr (HttpAnswer) answer = NULL;

  soup_message_headers_append (headers, "traceparent", traceparent);
  if (tracestate != NULL)
    soup_message_headers_append (headers, "tracestate", tracestate);
  answer = http_send (fixture->session, message, body);
  assert_empty (answer, 202);
}

static void
test_publish (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  post (fixture, "/publish", EVENT, PARENT, "a=1");
  assert_calls (fixture, "trace " PARENT " a=1\nevent " EVENT "\npublished\n");
  post (fixture, "/publish", EVENT, PARENT, NULL);
  assert_calls (fixture, "trace " PARENT " \nevent " EVENT "\npublished\n");
}

/* It is no reason to refuse the event. */
static void
test_junk (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  post (fixture, "/publish", EVENT, "junk", "a=1");
  assert_calls (fixture, "event " EVENT "\npublished\n");
}

static void
test_acknowledge (ServerFixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  post (fixture, "/acknowledge", "{\"identifier\":\"a\",\"publish\":" EVENT "}", PARENT, NULL);
  assert_calls (fixture, "acknowledge a with\ntrace " PARENT " \nevent " EVENT "\npublished\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test)                                                                            \
  g_test_add ("/server-trace/" name, ServerFixture, NULL, server_set_up, test, server_tear_down)
  ADD ("publish", test_publish);
  ADD ("junk", test_junk);
  ADD ("acknowledge", test_acknowledge);
  return g_test_run ();
}
