/* SPDX-License-Identifier: MIT */
#include "http-client.h"

#include <string.h>

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HttpAnswer *answer = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body =
      soup_session_send_and_read_finish (SOUP_SESSION (source), result, &error);

  g_assert_no_error (error);
  const char *text = g_bytes_get_data (body, NULL);

  answer->body = g_strndup (text != NULL ? text : "", g_bytes_get_size (body));
}

/* Sends @message and lets the main loop run until its answer has come. */
HttpAnswer *
http_send (SoupSession *session, SoupMessage *message, const char *body)
{
  HttpAnswer *answer = g_new0 (HttpAnswer, 1);

  if (body != NULL)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));

      soup_message_set_request_body_from_bytes (message, NULL, bytes);
    }
  answer->message = g_object_ref (message);
  soup_message_add_flags (message, SOUP_MESSAGE_IDEMPOTENT);
  soup_session_send_and_read_async (session, message, G_PRIORITY_DEFAULT, NULL, on_answered,
                                    answer);
  while (answer->body == NULL)
    g_main_context_iteration (NULL, TRUE);

  answer->status = soup_message_get_status (message);
  return answer;
}

HttpAnswer *
http_call (SoupSession *session, const char *method, guint16 port, const char *path,
           const char *body)
{
  g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u%s", port, path);
  g_autoptr (SoupMessage) message = soup_message_new (method, uri);

  return http_send (session, message, body);
}

void
http_answer_free (HttpAnswer *answer)
{
  g_object_unref (answer->message);
  g_free (answer->body);
  g_free (answer);
}

/* A connection to 127.0.0.1 to say anything on. */
GSocket *
raw_connect (guint16 port)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", port);
  g_autoptr (GError) error = NULL;
  GSocket *socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);

  g_assert_no_error (error);
  g_socket_connect (socket, address, NULL, &error);
  g_assert_no_error (error);
  g_socket_set_blocking (socket, FALSE);
  return socket;
}

/* Sends all, and stops early only if the peer has closed. */
void
raw_send (GSocket *socket, const char *data, gsize length)
{
  gsize sent = 0;

  while (sent < length)
    {
      g_autoptr (GError) error = NULL;
      gssize n = g_socket_send (socket, data + sent, length - sent, NULL, &error);

      if (n > 0)
        sent += (gsize) n;
      else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return;
      while (g_main_context_iteration (NULL, FALSE))
        ;
    }
}

/* Runs the main loop until what has come contains @until, or the end if it is NULL. */
char *
raw_receive (GSocket *socket, const char *until)
{
  g_autoptr (GString) received = g_string_new (NULL);

  while (until == NULL || strstr (received->str, until) == NULL)
    {
      char buffer[4096];
      g_autoptr (GError) error = NULL;
      gssize n = g_socket_receive (socket, buffer, sizeof buffer, NULL, &error);

      if (n > 0)
        g_string_append_len (received, buffer, n);
      else if (n == 0 || !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        break;
      else
        g_main_context_iteration (NULL, FALSE);
    }

  return g_string_free (g_steal_pointer (&received), FALSE);
}

/* Tells whether the peer has closed. What has come before that is lost. */
gboolean
raw_is_closed (GSocket *socket)
{
  char buffer[4096];
  g_autoptr (GError) error = NULL;
  gssize n;

  do
    n = g_socket_receive (socket, buffer, sizeof buffer, NULL, &error);
  while (n > 0);
  return n == 0 || !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

guint16
find_free_port (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GError) error = NULL;
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, &error);

  g_assert_no_error (error);
  return port;
}
