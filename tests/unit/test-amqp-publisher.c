/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-publisher.h"

#include "amqp-fixture.h"
#include "base/amps-error.h"
#include "broker/amqp/amps-amqp-confirms.h"
#include "fake-clock.h"

#include <string.h>

static AmpsAmqpSettings settings = { .subject = (char *) "jobs",
                                     .worker_id = (char *) "me",
                                     .dead_letter_queue = (char *) "dead" };

/* A copy of a message that was to wait for 10 s when it came, 4 s ago. */
static AmpsAmqpPublication *
copy (AmpsSettlementKind kind, gint64 delay)
{
  g_autoptr (AmpsClock) clock = fake_clock_new ();
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new_static ("{}", 2));
  const AmpsSettlement settlement = { .kind = kind, .delay = delay, .attempt = 2 };

  delivery->properties = g_bytes_new_static ("\0\0", 2);
  delivery->delay = AMPS_SECONDS (10);
  delivery->received = amps_clock_get_monotonic_time (clock);
  fake_clock_advance (clock, AMPS_SECONDS (4));
  return (AmpsAmqpPublication *) amps_amqp_publisher_new_copy (7, &settings, delivery, &settlement,
                                                               NULL, clock);
}

/* What is left when the broker's queue has measured its part. */
static void
test_delays (void)
{
  static const struct {
    AmpsSettlementKind kind;
    gint64 delay; /* ms */
    const char *queue;
    gint64 left; /* ms */
    gboolean redelivered;
  } cases[] = {
    { AMPS_SETTLE_RETRY, 500, "jobs.retry.1s", 0, FALSE },
    { AMPS_SETTLE_RETRY, 1000, "jobs.retry.1s", 0, FALSE },
    { AMPS_SETTLE_RETRY, 12345, "jobs.retry.10s", 2345, FALSE },
    { AMPS_SETTLE_RETRY, 5 * 3600000, "jobs.retry.1h", 4 * 3600000, FALSE },
    { AMPS_SETTLE_REQUEUE, 0, "jobs", 6000, TRUE },
    { AMPS_SETTLE_REQUEUE_FAILED, 0, "jobs", 6000, FALSE },
    { AMPS_SETTLE_DEAD_LETTER, 0, "dead", 0, FALSE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      AmpsAmqpPublication *publication = copy (cases[i].kind, AMPS_MILLISECONDS (cases[i].delay));

      g_assert_cmpuint (publication->id, ==, 7);
      g_assert_cmpstr (publication->queue, ==, cases[i].queue);
      g_assert_cmpint (publication->copy->delay, ==, AMPS_MILLISECONDS (cases[i].left));
      g_assert_cmpint (publication->copy->redelivered, ==, cases[i].redelivered);
      g_assert_cmpint (publication->copy->retry, ==, cases[i].kind != AMPS_SETTLE_DEAD_LETTER);
      publication->command.free (publication);
    }
}

/* A short string of AMQP has 255 bytes. */
static void
test_message_id (void)
{
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);

  for (gsize length = 255; length <= 256; length++)
    {
      g_autofree char *id = g_strnfill (length, 'i');
      AmpsAmqpPublication *publication =
          (AmpsAmqpPublication *) amps_amqp_publisher_new_publish (1, "q", id, NULL, body);

      g_assert_cmpstr (publication->message_id, ==, length == 255 ? id : NULL);
      g_assert_true (publication->body == body);
      publication->command.free (publication);
    }
}

/* It is another one's memory, which the I/O thread shares. */
static void
test_trace (void)
{
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
  AmpsTraceHeaders *trace =
      amps_trace_headers_read ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=1");
  AmpsAmqpPublication *publication =
      (AmpsAmqpPublication *) amps_amqp_publisher_new_publish (1, "q", "id", trace, body);

  amps_trace_headers_unref (trace);
  g_assert_true (g_str_has_suffix (publication->trace->traceparent, "-b7ad6b7169203331-01"));
  g_assert_cmpstr (publication->trace->tracestate, ==, "a=1");
  publication->command.free (publication);
}

/* The role, and a peer that takes what it publishes */

static void
set_up (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_fixture_init (f, &amps_amqp_publisher_role);
  amqp_fixture_open (f);
}

static void
tear_down (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_fixture_clear (f);
}

static void
publish (AmqpFixture *f, guint64 id, const char *queue)
{
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);

  amps_amqp_connection_do (f->connection,
                           amps_amqp_publisher_new_publish (id, queue, NULL, NULL, body));
}

static void
confirm (AmqpFixture *f, amqp_channel_t channel, guint64 tag, gboolean multiple)
{
  amqp_basic_ack_t ack = { .delivery_tag = tag, .multiple = (amqp_boolean_t) multiple };

  amqp_peer_send (f->peer, channel, AMQP_BASIC_ACK_METHOD, &ack);
}

/* The next publication of which something is told. */
static void
assert_confirmed (AmqpFixture *f, guint64 id)
{
  const AmpsAmqpEvent *event = amqp_fixture_read_event (f, AMPS_AMQP_EVENT_CONFIRMED);

  g_assert_cmpuint (event->id, ==, id);
  g_assert_no_error (event->error);
}

static void
assert_failed (AmqpFixture *f, guint64 id, AmpsError code)
{
  const AmpsAmqpEvent *event = amqp_fixture_read_event (f, AMPS_AMQP_EVENT_CONFIRMED);

  g_assert_cmpuint (event->id, ==, id);
  g_assert_error (event->error, AMPS_ERROR, (int) code);
}

static void
test_confirms (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_basic_nack_t nack = { .delivery_tag = 2 };

  publish (f, 71, "a");
  publish (f, 72, "b");
  amqp_peer_wait_for (f->peer, "1 publish a");
  amqp_peer_wait_for (f->peer, "1 publish b");
  confirm (f, 1, 1, FALSE);
  assert_confirmed (f, 71);
  amqp_peer_send (f->peer, 1, AMQP_BASIC_NACK_METHOD, &nack);
  assert_failed (f, 72, AMPS_ERROR_UNAVAILABLE);
}

static void
test_returned (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  publish (f, 7, "nowhere");
  amqp_peer_wait_for (f->peer, "1 publish nowhere");
  amqp_peer_return (f->peer, 1, "nowhere", "{}");
  confirm (f, 1, 1, FALSE);
  assert_failed (f, 7, AMPS_ERROR_UNROUTABLE);
}

/* On another channel than the rest, which it may hold up, and to a queue that is made for it. */
static void
test_copies (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amps_amqp_connection_do (f->connection, &copy (AMPS_SETTLE_RETRY, AMPS_SECONDS (1))->command);
  amqp_peer_wait_for (f->peer, "2 declare jobs.retry.1s");
  amqp_peer_wait_for (f->peer, "3 publish jobs.retry.1s");
  confirm (f, 3, 1, FALSE);
  assert_confirmed (f, 7);
  amps_amqp_connection_do (f->connection, &copy (AMPS_SETTLE_DEAD_LETTER, 0)->command);
  amqp_peer_wait_for (f->peer, "2 look-at dead");
  amqp_peer_wait_for (f->peer, "4 publish dead");
  amps_amqp_connection_do (f->connection, &copy (AMPS_SETTLE_REQUEUE, 0)->command);
  amqp_peer_wait_for (f->peer, "1 publish jobs");
}

static void
test_no_retry_queue (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_peer_refuse (f->peer, AMQP_QUEUE_DECLARE_METHOD, AMQP_ACCESS_REFUSED, "ACCESS_REFUSED - no");
  amps_amqp_connection_do (f->connection, &copy (AMPS_SETTLE_RETRY, AMPS_SECONDS (1))->command);
  assert_failed (f, 7, AMPS_ERROR_NOT_PERMITTED);
  /* All else goes on. */
  publish (f, 8, "a");
  amqp_peer_wait_for (f->peer, "1 publish a");
  confirm (f, 1, 1, FALSE);
  assert_confirmed (f, 8);
}

/* The others are published once more. */
static void
test_too_large (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_channel_close_t closed = {
    .reply_code = AMQP_PRECONDITION_FAILED,
    .reply_text = amqp_cstring_bytes ("PRECONDITION_FAILED - message size 5 is larger than 4"),
  };
  g_autoptr (GBytes) large = g_bytes_new_static ("large", 5);

  publish (f, 1, "a");
  amps_amqp_connection_do (f->connection,
                           amps_amqp_publisher_new_publish (2, "b", NULL, NULL, large));
  amqp_peer_wait_for (f->peer, "1 publish b");
  amqp_peer_send (f->peer, 1, AMQP_CHANNEL_CLOSE_METHOD, &closed);
  assert_failed (f, 2, AMPS_ERROR_TOO_LARGE);
  amqp_peer_wait_for (f->peer, "1 AMQP_CHANNEL_CLOSE_OK_METHOD");
  confirm (f, 1, 1, FALSE);
  assert_confirmed (f, 1);
}

static void
test_counting (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_peer_set_n_messages (f->peer, 12);
  amps_amqp_connection_do (f->connection, amps_amqp_publisher_new_count ("a"));
  g_assert_cmpint (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_COUNTED)->n_messages, ==, 12);
  amqp_peer_set_lacks_queues (f->peer, TRUE);
  amps_amqp_connection_do (f->connection, amps_amqp_publisher_new_count ("a"));
  g_assert_cmpint (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_COUNTED)->n_messages, ==, -1);
}

static void
test_unknown_confirm (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  confirm (f, 1, 9, FALSE);
  amqp_fixture_assert_fails (f, "publication 9 was confirmed, which was not waiting for it");
}

static void
test_foreign_message (AmqpFixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_peer_deliver (f->peer, 1, "{}");
  amqp_fixture_assert_fails (f, "a message came that was not published here");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-publisher/delays", test_delays);
  g_test_add_func ("/amqp-publisher/message-id", test_message_id);
  g_test_add_func ("/amqp-publisher/trace", test_trace);

#define ADD(name, test)                                                                            \
  g_test_add ("/amqp-publisher/" name, AmqpFixture, NULL, set_up, test, tear_down)
  ADD ("confirms", test_confirms);
  ADD ("returned", test_returned);
  ADD ("copies", test_copies);
  ADD ("no-retry-queue", test_no_retry_queue);
  ADD ("too-large", test_too_large);
  ADD ("counting", test_counting);
  ADD ("unknown-confirm", test_unknown_confirm);
  ADD ("foreign-message", test_foreign_message);
  return g_test_run ();
}
