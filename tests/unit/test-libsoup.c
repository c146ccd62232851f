/* SPDX-License-Identifier: MIT */
#include "http-client.h"
#include "main-loop.h"
#include "raw-server.h"

#include <libsoup/soup.h>
#include <string.h>

/* Nothing of AMPS: what docs/libsoup.md says that libsoup does. Where one of these fails,
 * libsoup has changed, and what AMPS does about it may have become needless. */

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define IDLE_TIMEOUT 1 /* s */
#define TIMEOUT (2 * G_USEC_PER_SEC)

static void
iterate_for (gint64 microseconds)
{
  gint64 end = g_get_monotonic_time () + microseconds;

  while (g_get_monotonic_time () < end)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
}

/* A server that gets its connections from others, as AMPS's does. */

typedef struct {
  SoupServer *server;
  GSocket *listening;
  GSocket *client;
  GObject *stream; /* (weak) (nullable): the server's end of the connection */
  unsigned int n_requests;
} Served;

static void
answer (SoupServer *server G_GNUC_UNUSED, SoupServerMessage *message,
        const char *path G_GNUC_UNUSED, GHashTable *query G_GNUC_UNUSED, gpointer user_data)
{
  ((Served *) user_data)->n_requests++;
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_STATIC, "hi", 2);
}

static void
served_set_up (Served *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSocket) accepted = NULL;
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  self->listening =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_assert_true (g_socket_bind (self->listening, any, FALSE, &error));
  g_assert_true (g_socket_listen (self->listening, &error));
  address = g_socket_get_local_address (self->listening, &error);
  g_assert_no_error (error);
  self->client = raw_connect (g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  accepted = g_socket_accept (self->listening, NULL, &error);
  g_assert_no_error (error);
  g_socket_set_blocking (accepted, FALSE);

  self->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (self->server, NULL, answer, self, NULL);
  connection = g_socket_connection_factory_create_connection (accepted);
  g_set_weak_pointer (&self->stream, G_OBJECT (connection));
  g_assert_true (soup_server_accept_iostream (self->server, G_IO_STREAM (connection), address,
                                              address, &error));
  g_assert_no_error (error);
}

static void
served_tear_down (Served *self, gconstpointer data G_GNUC_UNUSED)
{
  g_clear_object (&self->client);
  soup_server_disconnect (self->server);
  iterate_until_idle ();
  g_object_unref (self->server);
  g_object_unref (self->listening);
  g_clear_weak_pointer (&self->stream);
}

static void
served_call (Served *self, const char *request)
{
  g_autofree char *text = NULL;

  raw_send (self->client, request, strlen (request));
  text = raw_receive (self->client, "hi");
  g_assert_true (g_str_has_prefix (text, "HTTP/1.1 200 OK\r\n"));
}

static void
test_no_listener (Served *self, gconstpointer data G_GNUC_UNUSED)
{
  served_call (self, GET);
  iterate_for (G_USEC_PER_SEC / 10);
  g_assert_true (raw_is_closed (self->client));
}

static void
test_listener (Served *self, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_true (soup_server_listen_socket (self->server, self->listening, 0, NULL));
  served_call (self, GET);
  served_call (self, GET);
  g_assert_false (raw_is_closed (self->client));
}

static void
test_closed_while_idle (Served *self, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_true (soup_server_listen_socket (self->server, self->listening, 0, NULL));
  served_call (self, GET);
  g_assert_true (g_socket_close (self->client, NULL));
  iterate_for (G_USEC_PER_SEC / 10);
  g_assert_cmpint (self->stream == NULL, ==, soup_check_version (3, 3, 0));
}

/* The connections of a client */

typedef struct {
  RawServer *server;
  SoupSession *session;
  char *url;
  unsigned int n_answers;
  GString *events; /* of connections, in their order */
} Client;

static void
client_set_up (Client *self, gconstpointer idle_timeout)
{
  self->server = raw_server_new (NULL);
  self->url = g_strdup_printf ("http://127.0.0.1:%u/", raw_server_get_port (self->server));
  self->session = soup_session_new_with_options ("idle-timeout", GPOINTER_TO_UINT (idle_timeout),
                                                 "proxy-resolver", NULL, NULL);
  self->events = g_string_new (NULL);
}

static void
client_tear_down (Client *self, gconstpointer data G_GNUC_UNUSED)
{
  soup_session_abort (self->session);
  iterate_until_idle ();
  g_object_unref (self->session);
  raw_server_free (self->server);
  g_free (self->url);
  g_string_free (self->events, TRUE);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GBytes *body = soup_session_send_and_read_finish (SOUP_SESSION (source), result, NULL);

  g_clear_pointer (&body, g_bytes_unref);
  ((Client *) user_data)->n_answers++;
}

static void
client_send (Client *self, SoupMessage *message)
{
  soup_session_send_and_read_async (self->session, message, G_PRIORITY_DEFAULT, NULL, on_answer,
                                    self);
}

static void
client_wait (Client *self, unsigned int count)
{
  gint64 end = g_get_monotonic_time () + TIMEOUT;

  while (self->n_answers < count && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, FALSE);
}

static void
test_misdirected (Client *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (SoupMessage) message = soup_message_new ("POST", self->url);

  raw_server_reply (self->server, "HTTP/1.1 421 No\r\nContent-Length: 0\r\n\r\n");
  client_send (self, message);
  client_wait (self, 1);
  g_assert_cmpuint (raw_server_get_n_requests (self->server), ==, 2);
}

static void
test_post_is_not_sent_twice (Client *self, gconstpointer data G_GNUC_UNUSED)
{
  for (unsigned int i = 1; i <= 2; i++)
    {
      g_autoptr (SoupMessage) message = soup_message_new ("POST", self->url);

      soup_message_add_flags (message, SOUP_MESSAGE_IDEMPOTENT);
      raw_server_reply (self->server,
                        i == 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" : NULL);
      client_send (self, message);
      client_wait (self, i);
      g_assert_cmpuint (raw_server_get_n_requests (self->server), ==, i);
    }
  g_assert_cmpuint (raw_server_get_n_connections (self->server), ==, 1);
}

static void
assert_cut_short (Client *self, const char *reply, gboolean is_error)
{
  g_autoptr (SoupMessage) message = soup_message_new ("GET", self->url);
  g_autoptr (GInputStream) body = NULL;
  g_autoptr (GError) error = NULL;
  char buffer[16];
  gssize length;

  raw_server_reply (self->server, reply);
  raw_server_answer_once (self->server, TRUE);
  body = soup_session_send (self->session, message, NULL, &error);
  g_assert_no_error (error);
  while ((length = g_input_stream_read (body, buffer, sizeof buffer, NULL, &error)) > 0)
    ;
  g_assert_cmpint (length < 0, ==, is_error);
  g_assert_true (g_input_stream_close (body, NULL, NULL));
}

static void
test_cut_short (Client *self, gconstpointer data G_GNUC_UNUSED)
{
  assert_cut_short (self, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
                    soup_check_version (3, 6, 5));
  assert_cut_short (self, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhi",
                    FALSE);
}

static void
on_network_event (SoupMessage *message, GSocketClientEvent event, GIOStream *stream G_GNUC_UNUSED,
                  Client *self)
{
  if (event == G_SOCKET_CLIENT_RESOLVING || event == G_SOCKET_CLIENT_COMPLETE)
    g_string_append_printf (self->events, "%c%s ", event == G_SOCKET_CLIENT_RESOLVING ? '+' : '-',
                            soup_message_get_method (message));
}

static void
assert_order_of_connections (const char *expected)
{
  Client self = { 0 };
  g_autoptr (SoupMessage) first = NULL;
  g_autoptr (SoupMessage) second = NULL;

  client_set_up (&self, NULL);
  raw_server_reply (self.server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  raw_server_hold (self.server, TRUE);
  first = soup_message_new ("GET", self.url);
  second = soup_message_new ("PUT", self.url);
  g_signal_connect (first, "network-event", G_CALLBACK (on_network_event), &self);
  g_signal_connect (second, "network-event", G_CALLBACK (on_network_event), &self);
  client_send (&self, first);
  client_send (&self, second);
  raw_server_wait_for_requests (self.server, 2);
  g_assert_true (g_str_has_prefix (self.events->str, expected));
  raw_server_hold (self.server, FALSE);
  client_wait (&self, 2);
  client_tear_down (&self, NULL);
}

static void
test_connections (void)
{
  if (g_test_subprocess ())
    {
      assert_order_of_connections (g_getenv ("SOUP_FORCE_HTTP1") != NULL ? "+GET +PUT "
                                                                         : "+GET -GET +PUT ");
      return;
    }

  /* libsoup reads it once. */
  g_unsetenv ("SOUP_FORCE_HTTP1");
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_setenv ("SOUP_FORCE_HTTP1", "1", TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

/* libsoup looks for a connection in a turn of the main loop, and here that is the one in which
 * the timer is due, too. */
static void
send_when_timer_is_due (Client *self)
{
  g_autoptr (SoupMessage) first = soup_message_new ("GET", self->url);
  g_autoptr (SoupMessage) second = soup_message_new ("GET", self->url);

  raw_server_reply (self->server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  client_send (self, first);
  client_wait (self, 1);
  iterate_until_idle ();

  client_send (self, second);
  g_usleep (IDLE_TIMEOUT * G_USEC_PER_SEC + 50000);
  client_wait (self, 2);
}

/* It never ends, or libsoup uses what it has freed. */
static void
test_idle_timer (void)
{
  if (g_test_subprocess ())
    {
      Client self = { 0 };

      client_set_up (&self, GUINT_TO_POINTER (IDLE_TIMEOUT));
      send_when_timer_is_due (&self);
      g_assert_cmpuint (self.n_answers, ==, 2);
      client_tear_down (&self, NULL);
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define SERVED(name, test)                                                                         \
  g_test_add ("/libsoup/" name, Served, NULL, served_set_up, test, served_tear_down)
  SERVED ("no-listener", test_no_listener);
  SERVED ("listener", test_listener);
  SERVED ("closed-while-idle", test_closed_while_idle);
#define CLIENT(name, test)                                                                         \
  g_test_add ("/libsoup/" name, Client, NULL, client_set_up, test, client_tear_down)
  CLIENT ("misdirected", test_misdirected);
  CLIENT ("post-is-not-sent-twice", test_post_is_not_sent_twice);
  CLIENT ("cut-short", test_cut_short);
  g_test_add_func ("/libsoup/idle-timer", test_idle_timer);
  g_test_add_func ("/libsoup/connections", test_connections);
  return g_test_run ();
}
