/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-connect.h"

#include "amqp-peer.h"
#include "base/amps-error.h"

#include <string.h>

typedef struct {
  AmqpPeer *peer;
  amqp_connection_state_t state;
} Fixture;

static void
set_up (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  f->peer = amqp_peer_new ();
  f->state = amqp_new_connection ();
}

static void
tear_down (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_destroy_connection (f->state);
  amqp_peer_free (f->peer);
}

/* @tail: of the URI */
static gboolean
log_in (Fixture *f, const char *tail, GError **error)
{
  g_autofree char *base = amqp_peer_dup_uri (f->peer);
  g_autofree char *text = g_strconcat (base, tail, NULL);
  g_autoptr (AmpsAmqpUri) uri = amps_amqp_uri_parse (text, NULL);

  g_assert_nonnull (uri);
  return amps_amqp_connect (f->state, uri, error) &&
         amps_amqp_log_in (f->state, uri, "a name", error);
}

static void
test_versions (void)
{
  static const struct {
    const char *text;
    unsigned int major;
    unsigned int minor;
  } cases[] = {
    { "3.10.8", 3, 10 }, { "4.3.0-beta.1", 4, 3 }, { "5", 5, 0 }, { "unknown", 0, 0 },
    { "", 0, 0 },        { NULL, 0, 0 },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      unsigned int major = 77;
      unsigned int minor = 77;
      Fixture f;

      set_up (&f, NULL);
      amqp_peer_set_version (f.peer, cases[i].text);
      g_assert_true (log_in (&f, "", NULL));
      amps_amqp_get_server_version (f.state, &major, &minor);
      g_assert_cmpuint (major, ==, cases[i].major);
      g_assert_cmpuint (minor, ==, cases[i].minor);
      tear_down (&f, NULL);
    }
}

/* Whatever is still on its way when it says goodbye. */
static void
test_log_out (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  g_assert_true (log_in (f, "", NULL));
  for (guint64 tag = 1; tag <= 100; tag++)
    amqp_peer_deliver (f->peer, tag, "late");
  amps_amqp_log_out (f->state);
  amqp_peer_wait_for (f->peer, "0 AMQP_CONNECTION_CLOSE_METHOD");
  g_assert_false (amqp_frames_enqueued (f->state));
}

/* It does not wait for an answer that can't come. */
static void
test_log_out_lost (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  g_assert_true (log_in (f, "", NULL));
  amqp_peer_refuse (f->peer, AMQP_CONNECTION_CLOSE_METHOD, 0, NULL);
  amqp_peer_hang_up (f->peer);
  amps_amqp_log_out (f->state);
}

static void
assert_refused (Fixture *f, const char *tail, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (log_in (f, tail, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);
  if (strstr (error->message, text) == NULL)
    g_error ("“%s” does not say “%s”", error->message, text);
  g_assert_null (strstr (error->message, "secret"));
}

static void
test_wrong_password (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_peer_refuse (f->peer, AMQP_CONNECTION_START_OK_METHOD, AMQP_ACCESS_REFUSED,
                    "ACCESS_REFUSED - Login was refused");
  assert_refused (f, "",
                  " did not let the user “guest” into the virtual host “/”: "
                  "ACCESS_REFUSED - Login was refused");
}

static void
test_wrong_vhost (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_peer_refuse (f->peer, AMQP_CONNECTION_OPEN_METHOD, AMQP_NOT_ALLOWED,
                    "NOT_ALLOWED - vhost other not found");
  assert_refused (f, "/other",
                  "into the virtual host “other”: NOT_ALLOWED - vhost other not found");
}

/* No longer than the URI says. */
static void
test_silence (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  gint64 begun = g_get_monotonic_time ();

  amqp_peer_refuse (f->peer, AMQP_CONNECTION_START_OK_METHOD, 0, NULL);
  assert_refused (f, "?connection_timeout=300", "can't log in to 127.0.0.1:");
  g_assert_cmpint (g_get_monotonic_time () - begun, >, 200 * 1000);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 10 * G_USEC_PER_SEC);
}

static void
test_nobody (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  g_autofree char *address = amqp_peer_dup_uri (f->peer);
  g_autoptr (AmpsAmqpUri) uri = amps_amqp_uri_parse (address, NULL);
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&f->peer, amqp_peer_free);
  g_assert_false (amps_amqp_connect (f->state, uri, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);
  g_assert_true (g_str_has_prefix (error->message, "can't connect to 127.0.0.1:"));
  g_assert_nonnull (strstr (error->message, "refused"));
  f->peer = amqp_peer_new ();
}

static void
test_replies (void)
{
  static amqp_channel_close_t channel = { .reply_text = { 4, (void *) "gone" } };
  static amqp_connection_close_t connection = { .reply_text = { 3, (void *) "bye" } };
  const struct {
    amqp_rpc_reply_t reply;
    const char *text;
  } cases[] = {
    { { AMQP_RESPONSE_SERVER_EXCEPTION, { AMQP_CHANNEL_CLOSE_METHOD, &channel }, 0 }, "gone" },
    { { AMQP_RESPONSE_SERVER_EXCEPTION, { AMQP_CONNECTION_CLOSE_METHOD, &connection }, 0 }, "bye" },
    { { AMQP_RESPONSE_SERVER_EXCEPTION, { AMQP_BASIC_ACK_METHOD, &channel }, 0 },
      "an unexpected answer" },
    { { AMQP_RESPONSE_NONE, { 0, NULL }, 0 }, "the connection ended" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = amps_amqp_describe_reply (cases[i].reply);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-connect/versions", test_versions);
  g_test_add_func ("/amqp-connect/replies", test_replies);

#define ADD(name, test) g_test_add ("/amqp-connect/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("log-out", test_log_out);
  ADD ("log-out-lost", test_log_out_lost);
  ADD ("wrong-password", test_wrong_password);
  ADD ("wrong-vhost", test_wrong_vhost);
  ADD ("silence", test_silence);
  ADD ("nobody", test_nobody);
  return g_test_run ();
}
