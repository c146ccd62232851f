/* SPDX-License-Identifier: MIT */
#include "fake-clock.h"
#include "http-client.h"
#include "server/amps-http-body.h"
#include "server/amps-http-listener.h"
#include "server/amps-reply.h"

#include <string.h>

#define MAX_CONNECTIONS 4
#define MAX_BODY 1000

#define REQUEST "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"

typedef struct {
  AmpsClock *clock;
  AmpsHttpListener *listener;
  guint16 port;
  unsigned int n_checked;
  unsigned int n_handled;
  unsigned int last_refusal; /* its status */
  SoupServerMessage *paused; /* (owned) (nullable) */
} Fixture;

static void
check (SoupServerMessage *message, const char *path, gpointer user_data)
{
  ((Fixture *) user_data)->n_checked++;
  if (strcmp (path, "/refused") == 0)
    amps_reply_status (message, SOUP_STATUS_FORBIDDEN);
}

static void
handle (SoupServerMessage *message, const char *path, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->n_handled++;
  if (strcmp (path, "/later") == 0)
    {
      g_assert_null (fixture->paused);
      fixture->paused = g_object_ref (message);
      amps_http_listener_pause (fixture->listener, message);
      return;
    }

  g_autoptr (GBytes) body = amps_http_body_take (message);
  gsize length;
  const char *data = g_bytes_get_data (body, &length);

  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_COPY, data, length);
}

static void
note_answer (SoupServerMessage *message, unsigned int status, gpointer user_data)
{
  if (message == NULL)
    ((Fixture *) user_data)->last_refusal = status;
}

static void
answer_paused (Fixture *fixture)
{
  g_autoptr (SoupServerMessage) message = g_steal_pointer (&fixture->paused);

  amps_reply_status (message, SOUP_STATUS_ACCEPTED);
  amps_http_listener_unpause (fixture->listener, message);
}

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const AmpsHttpListenerFuncs funcs = { check, handle, note_answer };
  g_autoptr (GError) error = NULL;

  fixture->clock = fake_clock_new ();
  fixture->listener =
      amps_http_listener_new (fixture->clock, MAX_CONNECTIONS, MAX_BODY, &funcs, fixture);
  amps_http_listener_listen (fixture->listener, 0, &error);
  g_assert_no_error (error);
  fixture->port = amps_http_listener_get_port (fixture->listener);
  g_assert_cmpuint (fixture->port, >, 0);
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_null (fixture->paused);
  g_assert_finalize_object (fixture->listener);
  settle ();
  g_assert_finalize_object (fixture->clock);
}

static void
wait_for_connections (Fixture *fixture, unsigned int n)
{
  while (amps_http_listener_get_n_connections (fixture->listener) != n)
    g_main_context_iteration (NULL, TRUE);
}

static char *
exchange (GSocket *socket, const char *request, const char *until)
{
  raw_send (socket, request, strlen (request));
  return raw_receive (socket, until);
}

static void
assert_contains (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("no “%s” in “%s”", part, text);
}

static void
test_keep_alive (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);

  for (int i = 0; i < 3; i++)
    {
      g_autofree char *answer = exchange (socket, REQUEST, "\r\n\r\nhi");

      g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 200 OK\r\n"));
    }
  g_assert_cmpuint (amps_http_listener_get_n_connections (fixture->listener), ==, 1);
}

static void
test_pipelining (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  g_autofree char *answer = exchange (
      socket, REQUEST REQUEST "GET /last HTTP/1.1\r\nHost: a\r\n\r\n", "Content-Length: 0\r\n\r\n");

  g_assert_nonnull (strstr (answer, "\r\n\r\nhi"));
  g_assert_cmpuint (fixture->n_handled, ==, 3);
  g_assert_false (raw_is_closed (socket));
}

/* It makes no difference in what pieces a request comes, nor what follows it. */
static void
test_pieces (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char requests[] = REQUEST REQUEST "GET /last HTTP/1.1\r\n";
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  g_autofree char *answer = NULL;

  for (const char *at = requests; *at != '\0'; at++)
    {
      raw_send (socket, at, 1);
      settle ();
    }
  while (fixture->n_handled < 2)
    g_main_context_iteration (NULL, TRUE);
  answer = exchange (socket, "Host: a\r\n\r\n", "Content-Length: 0\r\n\r\n");
  g_assert_cmpuint (fixture->n_handled, ==, 3);
  g_assert_false (raw_is_closed (socket));
}

/* What came before a bad request is answered before it is refused. */
static void
test_pipelined_refusal (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  const char *later = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
  g_autofree char *requests = g_strconcat (REQUEST, later, "GET / HTTP/3.0\r\n\r\n" REQUEST, NULL);
  g_autofree char *answer = NULL;

  raw_send (socket, requests, strlen (requests));
  while (fixture->paused == NULL)
    g_main_context_iteration (NULL, TRUE);
  settle ();
  answer_paused (fixture);
  answer = raw_receive (socket, NULL);

  const char *first = strstr (answer, "HTTP/1.1 200 ");
  const char *second = strstr (answer, "HTTP/1.1 202 ");
  const char *third = strstr (answer, "HTTP/1.1 505 ");

  g_assert_true (first == answer && second > first && third > second);
  g_assert_cmpuint (fixture->n_handled, ==, 2);
  g_assert_cmpuint (fixture->last_refusal, ==, 505);
  g_socket_close (socket, NULL);
  wait_for_connections (fixture, 0);
}

/* A client may say that it has no more to send, and still wants its answer. */
static void
test_half_closed (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  g_autofree char *answer = NULL;

  raw_send (socket, REQUEST, strlen (REQUEST));
  g_socket_shutdown (socket, FALSE, TRUE, NULL);
  answer = raw_receive (socket, NULL);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 200 OK\r\n"));
  g_assert_true (g_str_has_suffix (answer, "\r\n\r\nhi"));
  wait_for_connections (fixture, 0);
}

/* libsoup alone would keep these connections, and their descriptors, for ever. */
static void
test_closed_while_idle (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  for (int i = 0; i < 3 * MAX_CONNECTIONS; i++)
    {
      g_autoptr (GSocket) socket = raw_connect (fixture->port);
      g_autofree char *answer = exchange (socket, REQUEST, "\r\n\r\nhi");

      assert_contains (answer, "HTTP/1.1 200 OK");
      g_socket_close (socket, NULL);
      wait_for_connections (fixture, 0);
    }
  g_assert_cmpuint (fixture->n_checked, ==, 3 * MAX_CONNECTIONS);
}

static void
test_closed_early (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const beginnings[] = {
    "", "PO", "POST /echo HTTP/1.1\r\nHost: a\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"
  };

  for (size_t i = 0; i < G_N_ELEMENTS (beginnings); i++)
    {
      g_autoptr (GSocket) first = raw_connect (fixture->port);
      g_autoptr (GSocket) second = raw_connect (fixture->port);
      g_autofree char *answer = exchange (second, REQUEST, "\r\n\r\nhi");

      assert_contains (answer, "HTTP/1.1 200 OK");
      raw_send (first, beginnings[i], strlen (beginnings[i]));
      raw_send (second, beginnings[i], strlen (beginnings[i]));
      wait_for_connections (fixture, 2);
      g_socket_close (first, NULL);
      g_socket_close (second, NULL);
      wait_for_connections (fixture, 0);
    }
  g_assert_cmpuint (fixture->n_handled, ==, G_N_ELEMENTS (beginnings));
}

static void
test_garbage (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const garbage[] = {
    "\x16\x03\x01\x02 hello TLS\r\n\r\n",
    "GET\r\n\r\n",
    "GET /x HTTP/1.1\r\n\r\n",
    "GET /x HTTP/9.9\r\nHost: a\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhihih",
    "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
  };

  for (size_t i = 0; i < G_N_ELEMENTS (garbage); i++)
    {
      g_autoptr (GSocket) socket = raw_connect (fixture->port);
      g_autofree char *answer = exchange (socket, garbage[i], NULL);

      g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 4") ||
                     g_str_has_prefix (answer, "HTTP/1.1 5"));
      assert_contains (answer, "\"detail\":");
      g_socket_close (socket, NULL);
      wait_for_connections (fixture, 0);
    }
  g_assert_cmpuint (fixture->n_handled, ==, 0);
}

static void
test_large_headers (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  g_autofree char *filler = g_strnfill (1024 * 1024, 'x');
  g_autofree char *request = g_strdup_printf ("GET / HTTP/1.1\r\nX-Filler: %s\r\n\r\n", filler);
  g_autofree char *answer = exchange (socket, request, NULL);

  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 431 "));
  g_socket_close (socket, NULL);
  wait_for_connections (fixture, 0);
}

static void
test_large_body (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  g_autofree char *answer =
      exchange (socket, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20971520\r\n\r\n", NULL);

  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 413 Body too large\r\n"));
  assert_contains (answer, "Content-Type: application/problem+json\r\n");
  assert_contains (answer, "MAX_BODY_SIZE");
  g_assert_cmpuint (fixture->n_checked, ==, 0);
  g_socket_close (socket, NULL);
  wait_for_connections (fixture, 0);
}

/* A client that sends it all before it reads gets its answer too. */
static void
test_large_body_sent (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  const gsize size = 20 * 1024 * 1024;
  g_autofree char *body = g_strnfill (size, 'x');
  const char *headers = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20971520\r\n\r\n";
  g_autofree char *answer = NULL;

  raw_send (socket, headers, strlen (headers));
  raw_send (socket, body, size);
  answer = raw_receive (socket, NULL);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 413 "));
  g_socket_close (socket, NULL);
  wait_for_connections (fixture, 0);
}

/* One that never stops sending is cut off. */
static void
test_large_body_endless (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  g_autofree char *answer =
      exchange (socket, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20971520\r\n\r\n", NULL);

  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 413 "));
  raw_send (socket, "more", 4);
  fake_clock_advance (fixture->clock, AMPS_SECONDS (3));
  wait_for_connections (fixture, 0);
}

static void
test_large_chunked (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  g_autofree char *chunk = g_strnfill (600, 'x');
  g_autofree char *request =
      g_strdup_printf ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "258\r\n%s\r\n258\r\n%s\r\n258\r\n",
                       chunk, chunk);
  g_autofree char *answer = exchange (socket, request, NULL);

  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 413 "));
  g_assert_cmpuint (fixture->n_handled, ==, 0);
}

/* libsoup 3.2 would take the rest for another request. */
static void
test_bad_chunk (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  g_autofree char *answer =
      exchange (socket,
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\nzz\r\n" REQUEST,
                NULL);

  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 400 "));
  g_assert_null (strstr (answer, "HTTP/1.1 2"));
  g_assert_cmpuint (fixture->n_handled, ==, 0);
  g_socket_close (socket, NULL);
  wait_for_connections (fixture, 0);
}

static void
test_chunked (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  g_autofree char *answer =
      exchange (socket,
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                "\r\n\r\nabcde");

  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 200 OK\r\n"));
}

/* The body is not sent for, when the headers suffice to refuse it. */
static void
test_expect (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  g_autofree char *refused =
      exchange (socket,
                "POST /refused HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                "Content-Length: 2\r\n\r\n",
                "\r\n\r\n");
  g_autoptr (GSocket) second = raw_connect (fixture->port);
  g_autofree char *go_on = exchange (second,
                                     "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                                     "Content-Length: 2\r\n\r\n",
                                     "\r\n\r\n");
  g_autofree char *answer = exchange (second, "hi", "\r\n\r\nhi");

  g_assert_true (g_str_has_prefix (refused, "HTTP/1.1 403 "));
  g_assert_true (g_str_has_prefix (go_on, "HTTP/1.1 100 "));
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 200 "));
}

/* Rather than closed: one that sends would not notice that for long. */
static gboolean
was_reset (GSocket *socket)
{
  return g_socket_send (socket, "x", 1, NULL, NULL) < 0;
}

static void
test_slow (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) silent = raw_connect (fixture->port);
  g_autoptr (GSocket) dripping = raw_connect (fixture->port);
  g_autoptr (GSocket) idle = raw_connect (fixture->port);
  g_autofree char *answer = exchange (idle, REQUEST, "\r\n\r\nhi");

  assert_contains (answer, "HTTP/1.1 200 OK");
  wait_for_connections (fixture, 3);
  for (int i = 0; i < 28; i++)
    {
      raw_send (dripping, "x", 1);
      fake_clock_advance (fixture->clock, AMPS_SECONDS (1));
    }
  g_assert_cmpuint (amps_http_listener_get_n_connections (fixture->listener), ==, 3);
  fake_clock_advance (fixture->clock, AMPS_SECONDS (3));
  wait_for_connections (fixture, 1);
  g_assert_true (was_reset (silent));
  g_assert_true (was_reset (dripping));
  g_assert_false (raw_is_closed (idle));

  fake_clock_advance (fixture->clock, AMPS_SECONDS (36));
  wait_for_connections (fixture, 0);
  g_assert_false (was_reset (idle));
  g_assert_true (raw_is_closed (idle));
}

static void
test_limit (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  GSocket *idle[MAX_CONNECTIONS];
  g_autoptr (GSocket) late = NULL;
  g_autofree char *answer = NULL;

  for (int i = 0; i < MAX_CONNECTIONS; i++)
    {
      idle[i] = raw_connect (fixture->port);
      g_free (exchange (idle[i], REQUEST, "\r\n\r\nhi"));
      fake_clock_advance (fixture->clock, AMPS_SECONDS (1));
    }

  late = raw_connect (fixture->port);
  answer = exchange (late, REQUEST, "\r\n\r\nhi");
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 200 "));
  wait_for_connections (fixture, MAX_CONNECTIONS);
  g_assert_true (raw_is_closed (idle[0]));
  for (int i = 1; i < MAX_CONNECTIONS; i++)
    g_assert_false (raw_is_closed (idle[i]));
  for (int i = 0; i < MAX_CONNECTIONS; i++)
    g_object_unref (idle[i]);
}

/* When all are busy the next one waits until one goes. */
static void
test_limit_busy (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  GSocket *busy[MAX_CONNECTIONS];
  g_autoptr (GSocket) late = NULL;
  g_autofree char *answer = NULL;

  for (int i = 0; i < MAX_CONNECTIONS; i++)
    {
      busy[i] = raw_connect (fixture->port);
      raw_send (busy[i], "POST", 4);
    }
  wait_for_connections (fixture, MAX_CONNECTIONS);

  late = raw_connect (fixture->port);
  raw_send (late, REQUEST, strlen (REQUEST));
  settle ();
  g_assert_cmpuint (fixture->n_handled, ==, 0);
  g_assert_cmpuint (amps_http_listener_get_n_connections (fixture->listener), ==, MAX_CONNECTIONS);

  g_socket_close (busy[0], NULL);
  answer = raw_receive (late, "\r\n\r\nhi");
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 200 "));
  for (int i = 0; i < MAX_CONNECTIONS; i++)
    g_object_unref (busy[i]);
}

static void
test_pause (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  const char *request = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
  g_autofree char *answer = NULL;

  raw_send (socket, request, strlen (request));
  while (fixture->paused == NULL)
    g_main_context_iteration (NULL, TRUE);
  fake_clock_advance (fixture->clock, AMPS_SECONDS (600));
  g_assert_false (raw_is_closed (socket));

  answer_paused (fixture);
  answer = raw_receive (socket, "\r\n\r\n");
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 202 "));
}

/* The client may go while it is kept waiting. */
static void
test_pause_gone (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = raw_connect (fixture->port);
  const char *request = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";

  raw_send (socket, request, strlen (request));
  while (fixture->paused == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_socket_close (socket, NULL);
  answer_paused (fixture);
  wait_for_connections (fixture, 0);
}

static void
test_stop (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) idle = raw_connect (fixture->port);
  g_autoptr (GSocket) busy = raw_connect (fixture->port);
  const char *request = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
  g_autofree char *answer = NULL;

  g_free (exchange (idle, REQUEST, "\r\n\r\nhi"));
  raw_send (busy, request, strlen (request));
  while (fixture->paused == NULL)
    g_main_context_iteration (NULL, TRUE);

  amps_http_listener_stop (fixture->listener);
  g_assert_cmpuint (amps_http_listener_get_port (fixture->listener), ==, 0);
  wait_for_connections (fixture, 1);
  g_assert_true (raw_is_closed (idle));

  answer_paused (fixture);
  answer = raw_receive (busy, "\r\n\r\n");
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 202 "));
}

static void
test_port_in_use (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const AmpsHttpListenerFuncs funcs = { check, handle, NULL };
  g_autoptr (AmpsHttpListener) second =
      amps_http_listener_new (fixture->clock, MAX_CONNECTIONS, MAX_BODY, &funcs, fixture);
  g_autofree char *expected = g_strdup_printf ("cannot listen on port %u: ", fixture->port);
  g_autoptr (GError) error = NULL;

  g_assert_false (amps_http_listener_listen (second, fixture->port, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_assert_true (g_str_has_prefix (error->message, expected));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/http-listener/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("keep-alive", test_keep_alive);
  ADD ("pipelining", test_pipelining);
  ADD ("pieces", test_pieces);
  ADD ("pipelined-refusal", test_pipelined_refusal);
  ADD ("half-closed", test_half_closed);
  ADD ("closed-while-idle", test_closed_while_idle);
  ADD ("closed-early", test_closed_early);
  ADD ("garbage", test_garbage);
  ADD ("large-headers", test_large_headers);
  ADD ("large-body", test_large_body);
  ADD ("large-body-sent", test_large_body_sent);
  ADD ("large-body-endless", test_large_body_endless);
  ADD ("large-chunked", test_large_chunked);
  ADD ("chunked", test_chunked);
  ADD ("bad-chunk", test_bad_chunk);
  ADD ("expect", test_expect);
  ADD ("slow", test_slow);
  ADD ("limit", test_limit);
  ADD ("limit-busy", test_limit_busy);
  ADD ("pause", test_pause);
  ADD ("pause-gone", test_pause_gone);
  ADD ("stop", test_stop);
  ADD ("port-in-use", test_port_in_use);
  return g_test_run ();
}
