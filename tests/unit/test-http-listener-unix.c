/* SPDX-License-Identifier: MIT */
#include "fake-clock.h"
#include "http-client.h"
#include "server/amps-http-body.h"
#include "server/amps-http-listener.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

#define MAX_CONNECTIONS 4
#define MAX_BODY 1000

#define REQUEST "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"

/* A port and a unix socket, in a folder that goes with the fixture. */
typedef struct {
  AmpsClock *clock;
  AmpsHttpListener *listener;
  char *folder;
  char *path;
} Fixture;

static void
check (SoupServerMessage *message G_GNUC_UNUSED, const char *path G_GNUC_UNUSED,
       gpointer user_data G_GNUC_UNUSED)
{
}

static void
echo (SoupServerMessage *message, const char *path G_GNUC_UNUSED, gpointer user_data G_GNUC_UNUSED)
{
  g_autoptr (GBytes) body = amps_http_body_take (message);
  gsize length;
  const char *data = g_bytes_get_data (body, &length);

  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_COPY, data, length);
}

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  static const AmpsHttpListenerFuncs funcs = { check, echo, NULL };
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("amps-listener-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->folder, "api.sock", NULL);
  fixture->clock = fake_clock_new ();
  fixture->listener =
      amps_http_listener_new (fixture->clock, MAX_CONNECTIONS, MAX_BODY, &funcs, fixture);
  amps_http_listener_listen (fixture->listener, 0, &error);
  g_assert_no_error (error);
  amps_http_listener_listen_at (fixture->listener, fixture->path, 0600, &error);
  g_assert_no_error (error);
}

/* The socket's file goes with the listener, or the folder could not. */
static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  amps_http_listener_stop (fixture->listener);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_assert_finalize_object (fixture->listener);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (fixture->clock);
  g_free (fixture->folder);
  g_free (fixture->path);
}

static GSocket *
connect_unix (Fixture *fixture)
{
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (fixture->path);
  g_autoptr (GError) error = NULL;
  GSocket *socket =
      g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, &error);

  g_socket_connect (socket, address, NULL, &error);
  g_assert_no_error (error);
  g_socket_set_blocking (socket, FALSE);
  return socket;
}

static GSocket *
connect_port (Fixture *fixture)
{
  return raw_connect (amps_http_listener_get_port (fixture->listener));
}

static void
assert_answer (GSocket *socket, const char *request, const char *until, const char *expected)
{
  g_autofree char *answer = NULL;

  raw_send (socket, request, strlen (request));
  answer = raw_receive (socket, until);
  if (strstr (answer, expected) == NULL)
    g_error ("no “%s” in “%s”", expected, answer);
}

static void
wait_for_connections (Fixture *fixture, unsigned int n)
{
  while (amps_http_listener_get_n_connections (fixture->listener) != n)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_served (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = connect_unix (fixture);

  for (int i = 0; i < 3; i++)
    assert_answer (socket, REQUEST, "\r\n\r\nhi", "HTTP/1.1 200 OK\r\n");
  g_assert_cmpuint (amps_http_listener_get_n_connections (fixture->listener), ==, 1);
  g_socket_close (socket, NULL);
  wait_for_connections (fixture, 0);
}

/* libsoup takes the address of a connection for the host then, and for one of the
 * Internet's. */
static void
test_no_host (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = connect_unix (fixture);

  assert_answer (socket, "POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", NULL, "200 OK\r\n");
}

static void
test_refused (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) bad = connect_unix (fixture);
  g_autoptr (GSocket) large = connect_unix (fixture);

  assert_answer (bad, "GET / HTTP/3.0\r\n\r\n", NULL, "HTTP/1.1 505 ");
  assert_answer (large, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\nhi", NULL,
                 "HTTP/1.1 413 ");
}

/* A peer there is local: it may be slow for as long as one on loopback. */
static void
test_slow (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) socket = connect_unix (fixture);

  raw_send (socket, "POST ", 5);
  wait_for_connections (fixture, 1);
  for (int second = 1; second < 30; second++)
    fake_clock_advance (fixture->clock, AMPS_SECONDS (1));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (amps_http_listener_get_n_connections (fixture->listener), ==, 1);

  fake_clock_advance (fixture->clock, AMPS_SECONDS (2));
  wait_for_connections (fixture, 0);
  g_assert_true (raw_is_closed (socket));
}

/* All places are taken by ones who wait for their first byte: whoever comes by either
 * way stays in the backlog until one of them goes. */
static void
test_places (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  GSocket *holders[MAX_CONNECTIONS];
  g_autoptr (GSocket) by_path = NULL;
  g_autoptr (GSocket) by_port = NULL;

  for (unsigned int i = 0; i < MAX_CONNECTIONS; i++)
    {
      holders[i] = i % 2 == 0 ? connect_unix (fixture) : connect_port (fixture);
      wait_for_connections (fixture, i + 1);
    }
  by_path = connect_unix (fixture);
  by_port = connect_port (fixture);
  raw_send (by_path, REQUEST, strlen (REQUEST));
  raw_send (by_port, REQUEST, strlen (REQUEST));
  for (int i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
  for (unsigned int i = 0; i < MAX_CONNECTIONS; i++)
    g_assert_false (raw_is_closed (holders[i]));

  g_socket_close (holders[0], NULL);
  g_socket_close (holders[1], NULL);
  assert_answer (by_path, "", "\r\n\r\nhi", "HTTP/1.1 200 OK\r\n");
  assert_answer (by_port, "", "\r\n\r\nhi", "HTTP/1.1 200 OK\r\n");
  for (unsigned int i = 0; i < MAX_CONNECTIONS; i++)
    g_object_unref (holders[i]);
}

static void
test_fault (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (amps_http_listener_listen_at (fixture->listener, "/nowhere/a", 0600, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_true (g_str_has_prefix (error->message, "cannot listen at /nowhere/a: "));
}

#define ADD(name, function)                                                                        \
  g_test_add ("/http-listener-unix/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("served", test_served);
  ADD ("no-host", test_no_host);
  ADD ("refused", test_refused);
  ADD ("slow", test_slow);
  ADD ("places", test_places);
  ADD ("fault", test_fault);
  return g_test_run ();
}
