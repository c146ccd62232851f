/* SPDX-License-Identifier: MIT */
#include "workload/amps-body-stream.h"

#include <libsoup/soup.h>
#include <string.h>
#include <sys/socket.h>

/* More than any socket holds. */
#define HUGE (16 * 1024 * 1024)

typedef struct {
  GSocket *ours;
  GSocket *theirs;
  GBytes *body;
  AmpsBodyStream *stream;
  GCancellable *cancellable;
  char piece[8192];
  gboolean ended;
  gssize read;
  GError *error;
} Fixture;

static GBytes *
make_body (gsize size)
{
  guint8 *bytes = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8) (i * 7 + i / 251);
  return g_bytes_new_take (bytes, size);
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
  f->ours = g_socket_new_from_fd (fds[0], NULL);
  f->theirs = g_socket_new_from_fd (fds[1], NULL);
  f->body = make_body (HUGE);
  f->stream = amps_body_stream_new (f->body);
  f->cancellable = g_cancellable_new ();
  g_assert_cmpuint (amps_body_stream_get_size (f->stream), ==, HUGE);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_finalize_object (f->stream);
  g_clear_error (&f->error);
  g_object_unref (f->cancellable);
  g_bytes_unref (f->body);
  g_assert_finalize_object (f->ours);
  g_assert_finalize_object (f->theirs);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;

  f->read = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &f->error);
  f->ended = TRUE;
}

static void
begin_reading (Fixture *f)
{
  g_input_stream_read_async (G_INPUT_STREAM (f->stream), f->piece, sizeof f->piece,
                             G_PRIORITY_DEFAULT, f->cancellable, on_read, f);
}

static void
run_until_ended (Fixture *f)
{
  while (!f->ended)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static void
test_without_socket (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  begin_reading (f);
  run_until_ended (f);
  g_assert_no_error (f->error);
  g_assert_cmpmem (f->piece, (gsize) f->read, g_bytes_get_data (f->body, NULL), sizeof f->piece);
}

static gpointer
receive_all (gpointer user_data)
{
  Fixture *f = user_data;
  char *bytes = g_malloc (HUGE);
  gsize length = 0;
  gssize got;

  /* The socket is full before. */
  g_usleep (50000);
  while (length < HUGE &&
         (got = g_socket_receive (f->theirs, bytes + length, HUGE - length, NULL, NULL)) > 0)
    length += (gsize) got;
  return g_bytes_new_take (bytes, length);
}

static void
test_slow_reader (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  GThread *reader = g_thread_new ("reader", receive_all, f);
  g_autoptr (GBytes) received = NULL;

  amps_body_stream_set_socket (f->stream, f->ours);
  begin_reading (f);
  run_until_ended (f);
  received = g_thread_join (reader);

  g_assert_no_error (f->error);
  g_assert_cmpint (f->read, ==, 0);
  g_assert_true (g_bytes_equal (received, f->body));
}

static void
test_cancelled (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_body_stream_set_socket (f->stream, f->ours);
  begin_reading (f);
  for (int i = 0; i < 100; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_false (f->ended);

  g_cancellable_cancel (f->cancellable);
  run_until_ended (f);
  g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_closed (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_socket_close (f->theirs, NULL);
  amps_body_stream_set_socket (f->stream, f->ours);
  begin_reading (f);
  run_until_ended (f);
  g_assert_error (f->error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
}

/* Through libsoup, which announces the body and then finds none to send */

static void
on_network_event (SoupMessage *message G_GNUC_UNUSED, GSocketClientEvent event, GIOStream *stream,
                  gpointer user_data)
{
  GSocket **socket = user_data;

  if (event == G_SOCKET_CLIENT_CONNECTED)
    g_set_object (socket, g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)));
}

typedef struct {
  AmpsBodyStream *stream;
  GSocket *socket; /* (owned) (nullable) */
  unsigned int n_answers;
} Post;

static void
on_wrote_headers (SoupMessage *message G_GNUC_UNUSED, Post *post)
{
  g_assert_nonnull (post->socket);
  amps_body_stream_set_socket (post->stream, post->socket);
}

typedef struct {
  GSocketListener *listener;
  GBytes *body;
} Server;

/* Takes two POSTs of the body on one connection. */
static gpointer
serve (gpointer user_data)
{
  Server *self = user_data;
  gsize size = g_bytes_get_size (self->body);
  g_autofree char *bytes = g_malloc (size);
  g_autoptr (GSocketConnection) connection =
      g_socket_listener_accept (self->listener, NULL, NULL, NULL);
  g_autoptr (GDataInputStream) input =
      g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  const char *answer = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";

  g_data_input_stream_set_newline_type (input, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  for (int i = 0; i < 2; i++)
    {
      char *line;

      for (gsize length = 1; length > 0; g_free (line))
        line = g_data_input_stream_read_line (input, &length, NULL, NULL);
      g_assert_true (
          g_input_stream_read_all (G_INPUT_STREAM (input), bytes, size, NULL, NULL, NULL));
      g_assert_cmpmem (bytes, size, g_bytes_get_data (self->body, NULL), size);
      g_assert_true (g_output_stream_write_all (output, answer, strlen (answer), NULL, NULL, NULL));
    }
  return NULL;
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Post *post = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body =
      soup_session_send_and_read_finish (SOUP_SESSION (source), result, &error);

  g_assert_no_error (error);
  g_assert_nonnull (body);
  post->n_answers++;
}

static void
post_body (SoupSession *session, GUri *uri, GBytes *body, Post *post)
{
  g_autoptr (SoupMessage) message = soup_message_new_from_uri ("POST", uri);
  unsigned int before = post->n_answers;

  post->stream = amps_body_stream_new (body);
  soup_message_add_flags (message, SOUP_MESSAGE_IDEMPOTENT);
  soup_message_set_request_body (message, "text/plain", G_INPUT_STREAM (post->stream),
                                 (gssize) g_bytes_get_size (body));
  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event), &post->socket);
  g_signal_connect (message, "wrote-headers", G_CALLBACK (on_wrote_headers), post);
  soup_session_send_and_read_async (session, message, G_PRIORITY_DEFAULT, NULL, on_answer, post);
  while (post->n_answers == before)
    g_main_context_iteration (NULL, TRUE);

  g_assert_cmpuint (soup_message_get_status (message), ==, SOUP_STATUS_ACCEPTED);
  g_clear_object (&post->stream);
}

/* The second one is sent on the same connection, so the first one was whole and no more. */
static void
test_post (void)
{
  g_autoptr (GBytes) body = make_body (1024 * 1024 + 17);
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (SoupSession) session = g_object_new (SOUP_TYPE_SESSION, "proxy-resolver", NULL, NULL);
  g_autoptr (GUri) uri = NULL;
  g_autofree char *address = NULL;
  Server server = { listener, body };
  Post post = { NULL };
  GThread *thread;
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  g_assert_cmpuint (port, !=, 0);
  address = g_strdup_printf ("http://127.0.0.1:%u/", port);
  uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  thread = g_thread_new ("server", serve, &server);

  post_body (session, uri, body, &post);
  post_body (session, uri, body, &post);
  g_thread_join (thread);
  g_clear_object (&post.socket);
}

#define ADD(name, func) g_test_add ("/body-stream/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("without-socket", test_without_socket);
  ADD ("slow-reader", test_slow_reader);
  ADD ("cancelled", test_cancelled);
  ADD ("closed", test_closed);
  g_test_add_func ("/body-stream/post", test_post);
  return g_test_run ();
}
