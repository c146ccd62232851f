/* SPDX-License-Identifier: MIT */
#include "fake-clock.h"
#include "http-client.h"
#include "main-loop.h"
#include "server/amps-reply.h"
#include "server/amps-status-stream.h"

#include <string.h>

#define MAX_CONNECTIONS 1024
#define REQUEST "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

typedef struct {
  AmpsClock *clock;
  AmpsHttpListener *listener;
  AmpsStatusStream *stream;
  guint16 port;
  gsize padding; /* bytes that each look has beside its number */
  unsigned int n_looks;
} Fixture;

static GBytes *
greet (gpointer user_data G_GNUC_UNUSED)
{
  return g_bytes_new_static ("hello\n\n", 7);
}

static GBytes *
look (gpointer user_data)
{
  Fixture *f = user_data;
  g_autofree char *padding = g_strnfill (f->padding, 'x');
  char *text = g_strdup_printf ("look %u%s\n\n", ++f->n_looks, padding);

  return g_bytes_new_take (text, strlen (text));
}

static void
check (SoupServerMessage *message G_GNUC_UNUSED, const char *path G_GNUC_UNUSED,
       gpointer user_data G_GNUC_UNUSED)
{
}

static void
handle (SoupServerMessage *message, const char *path G_GNUC_UNUSED, gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (GError) error = NULL;

  if (!amps_status_stream_add (f->stream, message, &error))
    amps_reply_error (message, error);
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const AmpsHttpListenerFuncs listener_funcs = { check, handle, NULL };
  static const AmpsStatusStreamFuncs stream_funcs = { greet, look };
  g_autoptr (GError) error = NULL;

  f->clock = fake_clock_new ();
  f->listener = amps_http_listener_new (f->clock, MAX_CONNECTIONS, 0, &listener_funcs, f);
  f->stream = amps_status_stream_new (f->clock, f->listener, &stream_funcs, f);
  amps_http_listener_listen (f->listener, 0, &error);
  g_assert_no_error (error);
  f->port = amps_http_listener_get_port (f->listener);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_clear_pointer (&f->stream, amps_status_stream_free);
  g_assert_finalize_object (f->listener);
  while (G_OBJECT (f->clock)->ref_count > 1)
    g_main_context_iteration (NULL, TRUE);
  g_assert_finalize_object (f->clock);
}

static GSocket *
watch (Fixture *f)
{
  GSocket *socket = raw_connect (f->port);

  raw_send (socket, REQUEST, strlen (REQUEST));
  return socket;
}

static void
assert_next (GSocket *socket, const char *expected)
{
  g_autofree char *text = raw_receive (socket, "\n\n");

  g_assert_cmpstr (text, ==, expected);
}

/* Begins to watch, and sees the greeting with the latest look. */
static GSocket *
begin (Fixture *f, const char *first)
{
  GSocket *socket = watch (f);
  g_autofree char *answer = raw_receive (socket, first);

  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 200 OK\r\n"));
  g_assert_nonnull (strstr (answer, "Content-Type: text/event-stream\r\n"));
  g_assert_nonnull (strstr (answer, "Connection: close\r\n"));
  g_assert_null (strstr (answer, "chunked"));
  g_assert_nonnull (strstr (answer, "\r\n\r\nhello\n\n"));
  g_assert_true (g_str_has_suffix (answer, first));
  return socket;
}

/* Each look is made once for all, once a second, and none for nobody. */
static void
test_looks (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) first = NULL;
  g_autoptr (GSocket) second = NULL;

  fake_clock_advance (f->clock, AMPS_SECONDS (10));
  g_assert_cmpuint (f->n_looks, ==, 0);

  first = begin (f, "look 1\n\n");
  second = begin (f, "look 1\n\n");
  g_assert_cmpuint (amps_status_stream_get_n_viewers (f->stream), ==, 2);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (999));
  iterate_until_idle ();
  g_assert_cmpuint (f->n_looks, ==, 1);

  for (unsigned int i = 2; i < 5; i++)
    {
      g_autofree char *expected = g_strdup_printf ("look %u\n\n", i);

      fake_clock_advance (f->clock, AMPS_SECONDS (1));
      assert_next (first, expected);
      assert_next (second, expected);
      g_assert_cmpuint (f->n_looks, ==, i);
    }
}

static void
test_viewers_that_go (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) stays = begin (f, "look 1\n\n");
  unsigned int n_looks;

  for (unsigned int turns = 0; turns < 20; turns++)
    {
      g_autoptr (GSocket) goes = watch (f);

      for (unsigned int i = 0; i < turns; i++)
        g_main_context_iteration (NULL, FALSE);
      g_socket_close (goes, NULL);
    }

  /* What is sent to them first tells that they have gone. */
  for (unsigned int i = 0; i < 4; i++)
    {
      fake_clock_advance (f->clock, AMPS_SECONDS (1));
      iterate_until_idle ();
    }
  g_assert_cmpuint (amps_status_stream_get_n_viewers (f->stream), ==, 1);

  g_socket_close (stays, NULL);
  for (unsigned int i = 0; i < 4; i++)
    {
      fake_clock_advance (f->clock, AMPS_SECONDS (1));
      iterate_until_idle ();
    }
  g_assert_cmpuint (amps_status_stream_get_n_viewers (f->stream), ==, 0);
  n_looks = f->n_looks;
  fake_clock_advance (f->clock, AMPS_SECONDS (10));
  g_assert_cmpuint (f->n_looks, ==, n_looks);
}

/* Reads so many bytes. */
static void
skip (GSocket *socket, gsize length)
{
  char buffer[65536];

  while (length > 0)
    {
      g_autoptr (GError) error = NULL;
      gssize n = g_socket_receive (socket, buffer, MIN (sizeof buffer, length), NULL, &error);

      if (n > 0)
        length -= (gsize) n;
      else
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      g_main_context_iteration (NULL, FALSE);
    }
}

/* Who does not read misses looks, and is ended after a while; the others see all. */
static void
test_viewer_that_does_not_read (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GSocket) reads = NULL;
  g_autoptr (GSocket) sleeps = NULL;
  unsigned int seconds = 0;

  reads = begin (f, "look 1\n\n");
  sleeps = watch (f);
  iterate_until_idle ();
  f->padding = 16 * 1024 * 1024; /* over what the system keeps for a connection */
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  skip (reads, strlen ("look 2") + f->padding + strlen ("\n\n"));
  f->padding = 0;
  for (; amps_status_stream_get_n_viewers (f->stream) == 2 && seconds < 60; seconds++)
    {
      g_autofree char *expected = g_strdup_printf ("look %u\n\n", seconds + 3);

      fake_clock_advance (f->clock, AMPS_SECONDS (1));
      assert_next (reads, expected);
    }
  g_assert_cmpuint (seconds, >=, 29);
  g_assert_cmpuint (seconds, <=, 32);
}

static void
test_too_many (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) sockets = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GSocket) refused = NULL;
  g_autofree char *answer = NULL;

  for (unsigned int i = 0; i < AMPS_STATUS_STREAM_MAX_VIEWERS; i++)
    g_ptr_array_add (sockets, begin (f, "look 1\n\n"));

  refused = watch (f);
  answer = raw_receive (refused, "}");
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 503 "));
  g_assert_nonnull (strstr (answer, "there are already 128 viewers"));

  g_socket_close (sockets->pdata[0], NULL);
  for (unsigned int i = 0; i < 4; i++)
    {
      fake_clock_advance (f->clock, AMPS_SECONDS (1));
      iterate_until_idle ();
    }
  g_assert_cmpuint (amps_status_stream_get_n_viewers (f->stream), ==,
                    AMPS_STATUS_STREAM_MAX_VIEWERS - 1);
}

static void
test_head (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char request[] = "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  g_autoptr (GSocket) socket = raw_connect (f->port);
  g_autofree char *answer = NULL;

  raw_send (socket, request, strlen (request));
  answer = raw_receive (socket, NULL);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 200 OK\r\n"));
  g_assert_true (g_str_has_suffix (answer, "\r\n\r\n"));
  g_assert_cmpuint (amps_status_stream_get_n_viewers (f->stream), ==, 0);
}

/* The tear-down finds out whether those who watch were let go of. */
static void
test_stream_that_ends (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) sockets = g_ptr_array_new_with_free_func (g_object_unref);

  for (unsigned int turns = 0; turns < 20; turns++)
    {
      g_ptr_array_add (sockets, watch (f));
      for (unsigned int i = 0; i < turns; i++)
        g_main_context_iteration (NULL, FALSE);
    }
  g_clear_pointer (&f->stream, amps_status_stream_free);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/status-stream/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("looks", test_looks);
  ADD ("viewers-that-go", test_viewers_that_go);
  ADD ("viewer-that-does-not-read", test_viewer_that_does_not_read);
  ADD ("too-many", test_too_many);
  ADD ("head", test_head);
  ADD ("stream-that-ends", test_stream_that_ends);
  return g_test_run ();
}
