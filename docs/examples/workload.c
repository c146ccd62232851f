/* SPDX-License-Identifier: MIT
 *
 * A workload for AMPS in sync mode, with libsoup: the answer is the outcome of
 * the job, so it comes after the work, within JOB_TIMEOUT. 200 is done, 422
 * rejects it with the text as the reason. Work that takes long belongs in a
 * thread: pause the message, and unpause it with the answer.
 *
 * cc workload.c -o workload $(pkg-config --cflags --libs libsoup-3.0 json-glib-1.0)
 * WORKLOAD_MODE=sync amps
 */
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <stdlib.h>
#include <string.h>

/* What a real workload has instead of this: the work. */
static gboolean
book (JsonObject *payment, GError **error)
{
  double amount = json_object_get_double_member_with_default (payment, "amount", -1);

  if (amount >= 0)
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "amount %g is negative", amount);
  return FALSE;
}

static gboolean
run (SoupMessageBody *body, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *event, *data;

  if (!json_parser_load_from_data (parser, body->data, (gssize) body->length, error))
    return FALSE;

  /* AMPS sends valid CloudEvents only; their data may be anything. */
  event = json_node_get_object (json_parser_get_root (parser));
  data = json_object_has_member (event, "data") &&
                 JSON_NODE_HOLDS_OBJECT (json_object_get_member (event, "data"))
             ? json_object_get_object_member (event, "data")
             : NULL;
  if (data != NULL)
    return book (data, error);

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "“data” is not an object");
  return FALSE;
}

static void
on_post (SoupServer *server G_GNUC_UNUSED, SoupServerMessage *message,
         const char *path G_GNUC_UNUSED, GHashTable *query G_GNUC_UNUSED,
         gpointer user_data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  if (run (soup_server_message_get_request_body (message), &error))
    {
      soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
      return;
    }

  soup_server_message_set_status (message, SOUP_STATUS_UNPROCESSABLE_ENTITY, NULL);
  soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_COPY, error->message,
                                    strlen (error->message));
}

int
main (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (SoupServer) server = soup_server_new (NULL, NULL);
  g_autoptr (GError) error = NULL;
  const char *port = g_getenv ("PORT");

  soup_server_add_handler (server, NULL, on_post, NULL, NULL);
  if (!soup_server_listen_local (server, port != NULL ? (unsigned int) atoi (port) : 5050,
                                 SOUP_SERVER_LISTEN_IPV4_ONLY, &error))
    g_error ("%s", error->message);

  g_main_loop_run (loop);
  return 0;
}
