/* SPDX-License-Identifier: MIT */
#include "amqp-fixture.h"
#include "fixture-tests.h"

#include <string.h>

typedef AmqpFixture Fixture;

/* A role that notes what it gets. */
static GString *noted;
static gboolean expects_methods;

static gpointer
start (AmpsAmqpConnection *connection)
{
  return connection;
}

static void
take_message (gpointer role G_GNUC_UNUSED, amqp_channel_t channel, AmpsAmqpMessage *message)
{
  gsize size;
  const char *body = g_bytes_get_data (message->body, &size);

  g_string_append_printf (noted, "%u: %" G_GUINT64_FORMAT " %.*s\n", channel, message->tag,
                          (int) size, body);
  amps_amqp_message_free (message);
}

static gboolean
take_method (gpointer role G_GNUC_UNUSED, amqp_channel_t channel, const amqp_method_t *method)
{
  g_string_append_printf (noted, "%u: %s\n", channel, amqp_method_name (method->id));
  return expects_methods;
}

static gboolean
take_close (gpointer role, amqp_channel_t channel, int code, const char *text)
{
  g_string_append_printf (noted, "%u: %d %s\n", channel, code, text);
  return amps_amqp_connection_reopen_channel (role, channel);
}

static void
end (gpointer role G_GNUC_UNUSED)
{
  g_string_append (noted, "end\n");
}

static const AmpsAmqpRole plain_role = { .name = "test",
                                         .takes_jobs = TRUE,
                                         .start = start,
                                         .message = take_message,
                                         .method = take_method,
                                         .free = end };

static const AmpsAmqpRole reopening_role = { .name = "test",
                                             .start = start,
                                             .message = take_message,
                                             .method = take_method,
                                             .closed = take_close,
                                             .free = end };

static void
set_up (Fixture *f, gconstpointer role)
{
  noted = g_string_new (NULL);
  expects_methods = TRUE;
  amqp_fixture_init (f, role);
}

static void
tear_down (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_fixture_clear (f);
  g_string_free (noted, TRUE);
}

static void
test_life (Fixture *f, gconstpointer role)
{
  const AmpsAmqpEvent *opened;
  g_autofree char *log = NULL;

  amqp_fixture_open (f);
  opened = g_ptr_array_index (f->events, 0);
  g_assert_true (opened->role == role);
  g_assert_true (amps_amqp_connection_is_version (f->connection, 4, 3));
  g_assert_false (amps_amqp_connection_is_version (f->connection, 4, 4));
  g_assert_true (amps_amqp_connection_is_version (f->connection, 3, 12));
  g_assert_null (amqp_fixture_end (f));
  g_assert_cmpstr (noted->str, ==, "end\n");

  amqp_peer_wait_for (f->peer, "0 gone");
  log = amqp_peer_dup_log (f->peer);
  g_assert_cmpstr (log, ==,
                   "0 AMQP_CONNECTION_START_OK_METHOD\n"
                   "0 AMQP_CONNECTION_TUNE_OK_METHOD\n"
                   "0 AMQP_CONNECTION_OPEN_METHOD\n"
                   "1 AMQP_CHANNEL_OPEN_METHOD\n"
                   "0 AMQP_CONNECTION_CLOSE_METHOD\n"
                   "0 gone\n");
}

static void
test_refused (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  g_autofree char *uri = amqp_peer_dup_uri (f->peer);
  g_autofree char *failure = NULL;

  amqp_peer_refuse (f->peer, AMQP_CHANNEL_OPEN_METHOD, AMQP_NOT_ALLOWED, "no channels today");
  g_assert_false (amps_amqp_connection_open (f->connection, uri, &f->guard));
  failure = amqp_fixture_end (f);
  g_assert_cmpstr (failure, ==, "could not open a channel: no channels today");
  /* It never began. */
  g_assert_cmpstr (noted->str, ==, "");
}

static void
test_bad_address (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  g_assert_false (amps_amqp_connection_open (f->connection, "http://a:secret@b", &f->guard));
  amqp_fixture_assert_fails (f, "amqp");
}

static void
test_first_reason (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_fixture_open (f);
  g_assert_true (amps_amqp_connection_check (f->connection, AMQP_STATUS_OK, "be"));
  g_assert_true (amps_amqp_connection_is_running (f->connection));
  g_assert_false (amps_amqp_connection_check (f->connection, AMQP_STATUS_TIMEOUT, "be first"));
  amps_amqp_connection_fail (f->connection, "second");
  g_assert_false (amps_amqp_connection_is_running (f->connection));
  amqp_fixture_assert_fails (f, "could not be first: ");
}

static void
test_blocked (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_connection_blocked_t blocked = { .reason = amqp_cstring_bytes ("memory") };
  amqp_connection_unblocked_t unblocked = { 0 };

  amqp_fixture_open (f);
  amqp_peer_send (f->peer, 0, AMQP_CONNECTION_BLOCKED_METHOD, &blocked);
  g_assert_true (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_BLOCKED)->blocked);
  amqp_peer_send (f->peer, 0, AMQP_CONNECTION_UNBLOCKED_METHOD, &unblocked);
  g_assert_false (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_BLOCKED)->blocked);
}

static void
test_closed_connection (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_connection_close_t closed = { .reply_code = AMQP_CONNECTION_FORCED,
                                     .reply_text = amqp_cstring_bytes ("CONNECTION_FORCED - bye") };

  amqp_fixture_open (f);
  amqp_peer_send (f->peer, 0, AMQP_CONNECTION_CLOSE_METHOD, &closed);
  amqp_fixture_assert_fails (f, "the broker closed the connection: CONNECTION_FORCED - bye");
}

static void
test_lost (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_fixture_open (f);
  amqp_peer_hang_up (f->peer);
  amqp_fixture_assert_fails (f, "the connection broke: ");
}

static void
close_channel (Fixture *f)
{
  amqp_channel_close_t closed = { .reply_code = AMQP_PRECONDITION_FAILED,
                                  .reply_text = amqp_cstring_bytes ("too late") };

  amqp_peer_send (f->peer, 1, AMQP_CHANNEL_CLOSE_METHOD, &closed);
}

static void
test_closed_channel (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_fixture_open (f);
  close_channel (f);
  amqp_fixture_assert_fails (f, "the broker closed the channel: too late");
}

/* The role may go on with a new one. */
static void
test_reopened_channel (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_fixture_open (f);
  close_channel (f);
  while (noted->len == 0)
    amps_amqp_connection_read (f->connection);
  g_assert_cmpstr (noted->str, ==, "1: 406 too late\n");
  g_assert_true (amps_amqp_connection_is_running (f->connection));
  amqp_peer_wait_for (f->peer, "1 AMQP_CHANNEL_CLOSE_OK_METHOD");
}

/* Whoever asks may go on with another channel, or end with this one. */
static void
test_refused_request (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_connection_state_t state;
  g_autofree char *why = NULL;
  int code = 0;

  amqp_fixture_open (f);
  state = amps_amqp_connection_get_state (f->connection);
  amqp_peer_refuse (f->peer, AMQP_BASIC_QOS_METHOD, AMQP_ACCESS_REFUSED, "ACCESS_REFUSED - no");
  amqp_basic_qos (state, 1, 0, 1, 0);
  g_assert_false (amps_amqp_connection_check_reply (f->connection, "be modest", &code, &why));
  g_assert_cmpint (code, ==, AMQP_ACCESS_REFUSED);
  g_assert_cmpstr (why, ==, "ACCESS_REFUSED - no");
  g_assert_true (amps_amqp_connection_reopen_channel (f->connection, 1));

  amqp_basic_qos (state, 1, 0, 1, 0);
  g_assert_false (amps_amqp_connection_check_reply (f->connection, "be modest", NULL, NULL));
  amqp_fixture_assert_fails (f, "could not be modest: ACCESS_REFUSED - no");
}

static void
test_messages (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_fixture_open (f);
  amqp_peer_deliver (f->peer, 1, "one");
  amqp_peer_deliver (f->peer, 2, "two");
  while (strstr (noted->str, "two") == NULL)
    amps_amqp_connection_read (f->connection);
  g_assert_cmpstr (noted->str, ==, "1: 1 one\n1: 2 two\n");
}

/* What there is no room for is not read, and the broker hears that AMPS lives. */
static void
test_full (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  AmpsByteBudget *budget = f->settings.budget;

  amqp_fixture_open (f);
  g_assert_true (amps_byte_budget_take (budget, AMQP_FIXTURE_BUDGET));
  amqp_peer_deliver (f->peer, 1, "large");
  g_assert_true (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_FULL)->blocked);
  g_assert_true (amps_amqp_connection_is_full (f->connection));
  amps_amqp_connection_read (f->connection);
  amqp_peer_wait_for (f->peer, "0 heartbeat");
  g_assert_cmpstr (noted->str, ==, "");

  amps_byte_budget_give_back (budget, AMQP_FIXTURE_BUDGET);
  g_assert_false (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_FULL)->blocked);
  g_assert_cmpstr (noted->str, ==, "1: 1 large\n");
}

/* In the main thread whoever is told may come back at once. */
static void
test_telling (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_fixture_open (f);
  amps_amqp_connection_tell (f->connection, amps_amqp_event_new (AMPS_AMQP_EVENT_QUEUE));
  g_assert_cmpuint (f->events->len, ==, 1);
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_QUEUE);

  amps_amqp_connection_set_on_main_loop (f->connection, TRUE);
  amps_amqp_connection_tell (f->connection, amps_amqp_event_new (AMPS_AMQP_EVENT_LENT));
  g_assert_cmpuint (f->events->len, ==, 3);
  amps_amqp_connection_post (f->connection, amps_amqp_event_new (AMPS_AMQP_EVENT_DELIVERY));
  g_assert_cmpuint (f->events->len, ==, 3);
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_DELIVERY);
}

/* What breaks the protocol; on a channel where that may not come, or to a role that does
 * not expect it. */
static void
test_broken_protocol (Fixture *f, gconstpointer role)
{
  static const struct {
    amqp_channel_t channel;
    amqp_method_number_t id;
    const char *text;
  } cases[] = {
    { 1, AMQP_BASIC_ACK_METHOD, "AMQP_BASIC_ACK_METHOD was not expected" },
    { 3, AMQP_BASIC_ACK_METHOD, "a frame came on channel 3, which is not one for it" },
    { 9, AMQP_BASIC_DELIVER_METHOD, "a frame came on channel 9, which" },
    { 0, AMQP_BASIC_ACK_METHOD, "a frame came on channel 0, which" },
    { 1, AMQP_CONNECTION_UNBLOCKED_METHOD, "a frame came on channel 1, which" },
  };
  static guint8 empty[256];

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strconcat ("the broker broke the protocol: ", cases[i].text, NULL);

      if (i > 0)
        {
          tear_down (f, role);
          set_up (f, role);
        }
      expects_methods = FALSE;
      amqp_fixture_open (f);
      amqp_peer_send (f->peer, cases[i].channel, cases[i].id, empty);
      amqp_fixture_assert_fails (f, text);
    }
}

FIXTURE_TESTS = {
  { "/amqp-connection/life", test_life, &plain_role },
  { "/amqp-connection/refused", test_refused, &plain_role },
  { "/amqp-connection/bad-address", test_bad_address, &plain_role },
  { "/amqp-connection/first-reason", test_first_reason, &plain_role },
  { "/amqp-connection/blocked", test_blocked, &plain_role },
  { "/amqp-connection/closed-connection", test_closed_connection, &plain_role },
  { "/amqp-connection/lost", test_lost, &plain_role },
  { "/amqp-connection/closed-channel", test_closed_channel, &plain_role },
  { "/amqp-connection/reopened-channel", test_reopened_channel, &reopening_role },
  { "/amqp-connection/refused-request", test_refused_request, &plain_role },
  { "/amqp-connection/messages", test_messages, &plain_role },
  { "/amqp-connection/full", test_full, &plain_role },
  { "/amqp-connection/telling", test_telling, &plain_role },
  { "/amqp-connection/broken-protocol", test_broken_protocol, &plain_role },
};
FIXTURE_TESTS_MAIN
