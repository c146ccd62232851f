/* SPDX-License-Identifier: MIT */
#include "main-loop.h"
#include "open-descriptors.h"
#include "raw-server.h"
#include "workload/amps-context-source.h"
#include "workload/amps-pooled-session.h"

#define SIZE 3

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

typedef struct {
  RawServer *server;
  AmpsConfig *config;
  AmpsEndpoint *endpoint;
  GSource *source; /* (nullable) */
  AmpsPooledSession *session;
  SoupSession *used; /* (nullable) (weak) */
  unsigned int n_answered;
} Fixture;

static void
set_up (Fixture *f, gconstpointer nested)
{
  static const char *const none[] = { NULL };
  g_autofree char *address = NULL;
  g_autoptr (GError) error = NULL;

  f->server = raw_server_new (NULL);
  address =
      g_strdup_printf ("WORKLOAD_ADDRESS=http://127.0.0.1:%u", raw_server_get_port (f->server));
  f->config = amps_config_new ((const char *const[]){ "BROKER_SUBJECT=jobs", address, NULL }, NULL,
                               none, &error);
  g_assert_no_error (error);
  f->endpoint = amps_endpoint_new (f->config);
  f->source = nested != NULL ? amps_context_source_new () : NULL;
  if (f->source != NULL)
    g_source_attach (f->source, NULL);
  f->session = amps_pooled_session_new (f->endpoint, f->source, NULL, SIZE, NULL);
}

static void
tear_down (Fixture *f, gconstpointer nested G_GNUC_UNUSED)
{
  /* libsoup may have something left to do in its context, which does not go on. */
  amps_pooled_session_free (f->session);
  iterate_until_idle ();
  g_assert_null (f->used);
  if (f->source != NULL)
    g_source_destroy (f->source);
  g_clear_pointer (&f->source, g_source_unref);
  g_assert_finalize_object (f->endpoint);
  g_assert_finalize_object (f->config);
  raw_server_free (f->server);
}

static void
test_places (Fixture *f, gconstpointer nested G_GNUC_UNUSED)
{
  g_assert_true (amps_pooled_session_is_shared (f->session));
  for (unsigned int i = 0; i < SIZE; i++)
    {
      g_assert_true (amps_pooled_session_has_room (f->session));
      amps_pooled_session_take_new (f->session);
    }
  g_assert_false (amps_pooled_session_has_room (f->session));
  g_assert_cmpint (amps_pooled_session_get_idle_since (f->session), ==, -1);

  /* libsoup may have used any of them, so what is told is of the one that is idle for longest. */
  amps_pooled_session_give_back (f->session, NULL, 10);
  amps_pooled_session_give_back (f->session, NULL, 20);
  g_assert_false (amps_pooled_session_has_room (f->session));
  g_assert_cmpint (amps_pooled_session_get_idle_since (f->session), ==, 10);
  amps_pooled_session_take_idle (f->session);
  amps_pooled_session_give_back (f->session, NULL, 30);
  g_assert_cmpint (amps_pooled_session_get_idle_since (f->session), ==, 10);
  amps_pooled_session_take_idle (f->session);
  amps_pooled_session_take_idle (f->session);
  amps_pooled_session_give_back (f->session, NULL, 40);
  g_assert_cmpint (amps_pooled_session_get_idle_since (f->session), ==, 40);
}

static void
test_empty (Fixture *f, gconstpointer nested G_GNUC_UNUSED)
{
  g_assert_true (amps_pooled_session_is_empty (f->session));
  amps_pooled_session_take_new (f->session);
  amps_pooled_session_take_new (f->session);
  amps_pooled_session_give_back (f->session, NULL, 10);
  g_assert_cmpuint (amps_pooled_session_close_idle (f->session), ==, 1);
  g_assert_cmpint (amps_pooled_session_get_idle_since (f->session), ==, -1);
  g_assert_false (amps_pooled_session_is_empty (f->session));
  amps_pooled_session_give_back (f->session, NULL, 20);
  g_assert_cmpuint (amps_pooled_session_close_idle (f->session), ==, 1);
  g_assert_true (amps_pooled_session_is_empty (f->session));
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  SoupMessage *message = soup_session_get_async_result_message (SOUP_SESSION (source), result);
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) body = soup_session_send_finish (SOUP_SESSION (source), result, &error);

  g_assert_no_error (error);
  g_set_weak_pointer (&f->used, SOUP_SESSION (source));
  /* Only at its end may another request have the connection. */
  g_assert_cmpint (g_input_stream_skip (body, 1, NULL, &error), ==, 0);
  g_assert_true ((g_main_context_get_thread_default () != NULL) == (f->source != NULL));
  amps_pooled_session_give_back (f->session, message, 0);
  f->n_answered++;
}

static void
send_one (Fixture *f)
{
  g_autoptr (SoupMessage) message =
      amps_endpoint_create_message (f->endpoint, SOUP_METHOD_POST, NULL);

  if (amps_pooled_session_get_idle_since (f->session) >= 0)
    amps_pooled_session_take_idle (f->session);
  else
    amps_pooled_session_take_new (f->session);

  soup_message_add_flags (message, SOUP_MESSAGE_IDEMPOTENT);
  amps_pooled_session_send_async (f->session, message, NULL, on_answer, f);
}

static void
wait_for_answers (Fixture *f, unsigned int count)
{
  raw_server_hold (f->server, FALSE);
  while (f->n_answered < count)
    g_main_context_iteration (NULL, TRUE);
}

/* None waits for another, and there are no more connections than requests at once. */
static void
test_requests (Fixture *f, gconstpointer nested G_GNUC_UNUSED)
{
  raw_server_reply (f->server, OK);
  for (unsigned int round = 1; round <= 3; round++)
    {
      raw_server_hold (f->server, TRUE);
      for (unsigned int i = 0; i < SIZE; i++)
        send_one (f);
      raw_server_wait_for_requests (f->server, round * SIZE);
      wait_for_answers (f, round * SIZE);
      g_assert_cmpuint (raw_server_get_n_connections (f->server), ==, SIZE);
    }
}

/* While a request goes on, for however long. */
static void
test_idle_ones_are_closed (Fixture *f, gconstpointer nested G_GNUC_UNUSED)
{
  unsigned int count;

  raw_server_reply (f->server, OK);
  raw_server_hold (f->server, TRUE);
  for (unsigned int i = 0; i < SIZE; i++)
    send_one (f);
  raw_server_wait_for_requests (f->server, SIZE);
  wait_for_answers (f, SIZE);
  iterate_until_idle ();

  raw_server_hold (f->server, TRUE);
  send_one (f);
  raw_server_wait_for_requests (f->server, SIZE + 1);
  count = count_open_descriptors ();
  g_assert_cmpuint (amps_pooled_session_close_idle (f->session), ==, SIZE - 1);
  g_assert_cmpint (amps_pooled_session_get_idle_since (f->session), ==, -1);
  /* On both sides. */
  while (count_open_descriptors () > count - 2 * (SIZE - 1))
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (count_open_descriptors (), ==, count - 2 * (SIZE - 1));

  /* Others can be made meanwhile. */
  for (unsigned int i = 0; i < SIZE - 1; i++)
    send_one (f);
  raw_server_wait_for_requests (f->server, 2 * SIZE);
  g_assert_cmpuint (raw_server_get_n_connections (f->server), ==, 2 * SIZE - 1);
  wait_for_answers (f, 2 * SIZE);
  g_assert_cmpuint (amps_pooled_session_close_idle (f->session), ==, SIZE);
  g_assert_true (amps_pooled_session_is_empty (f->session));
}

int
main (int argc, char **argv)
{
  g_setenv ("SOUP_FORCE_HTTP1", "1", TRUE);
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test)                                                                            \
  g_test_add ("/pooled-session/" name, Fixture, NULL, set_up, test, tear_down);                    \
  g_test_add ("/pooled-session/nested/" name, Fixture, "", set_up, test, tear_down)
  ADD ("places", test_places);
  ADD ("empty", test_empty);
  ADD ("requests", test_requests);
  ADD ("idle-ones-are-closed", test_idle_ones_are_closed);
  return g_test_run ();
}
