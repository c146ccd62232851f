/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-consumer.h"

#include "amqp-fixture.h"
#include "base/amps-clock.h"
#include "log-recorder.h"

#include <string.h>

#define EVENT(id) "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"s\",\"type\":\"t\"}"

/* Bodies of more than this many bytes are read in another thread. */
#define MAX_SIZE_AT_ONCE (256 * 1024)

static void
set_up (AmqpFixture *f, gconstpointer version)
{
  amqp_fixture_init (f, &amps_amqp_consumer_role);
  amqp_peer_set_version (f->peer, version);
  f->settings.job_timeout = AMPS_SECONDS (60);
}

static void
tear_down (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  amqp_fixture_clear (f);
}

static void
consume (AmqpFixture *f, gboolean consuming, unsigned int prefetch)
{
  amps_amqp_connection_do (f->connection, amps_amqp_consumer_new_consume (consuming, prefetch));
}

static void
begin (AmqpFixture *f)
{
  amqp_fixture_open (f);
  consume (f, TRUE, 10);
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_CONSUMING);
}

static void
deliver (AmqpFixture *f, guint64 tag)
{
  amqp_peer_deliver (f->peer, tag, EVENT ("1"));
  g_assert_cmpuint (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_DELIVERY)->delivery->tag, ==, tag);
}

static void
settle (AmqpFixture *f, guint64 tag, AmpsSettlementKind kind)
{
  amps_amqp_connection_do (f->connection, amps_amqp_consumer_new_settle (tag, kind));
}

/* What came after the connection was open. */
static void
assert_log (AmqpFixture *f, const char *expected)
{
  g_autofree char *log = amqp_peer_dup_log (f->peer);
  const char *opened = strstr (log, "1 AMQP_CHANNEL_OPEN_METHOD\n");

  g_assert_nonnull (opened);
  g_assert_cmpstr (strchr (opened, '\n') + 1, ==, expected);
}

static void
test_consuming (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  const AmpsAmqpEvent *event;

  begin (f);
  amqp_peer_deliver (f->peer, 1, EVENT ("first"));
  event = amqp_fixture_read_event (f, AMPS_AMQP_EVENT_DELIVERY);
  g_assert_cmpuint (event->delivery->tag, ==, 1);
  g_assert_no_error (event->error);
  g_assert_cmpstr (event->event->id, ==, "first");

  amqp_peer_deliver (f->peer, 2, "no event");
  event = amqp_fixture_read_event (f, AMPS_AMQP_EVENT_DELIVERY);
  g_assert_cmpuint (event->delivery->tag, ==, 2);
  g_assert_null (event->event);
  g_assert_nonnull (event->error);
  assert_log (f, "1 qos 10\n1 consume with 1 argument(s)\n");
}

/* Another prefetch is one for another consumer, so the one there is ends first. */
static void
test_another_prefetch (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  begin (f);
  consume (f, TRUE, 20);
  consume (f, TRUE, 30);
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_CANCELLED);
  consume (f, TRUE, 30);
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_CONSUMING);
  assert_log (f, "1 qos 10\n1 consume with 1 argument(s)\n"
                 "1 AMQP_BASIC_CANCEL_METHOD\n1 qos 30\n1 consume with 1 argument(s)\n");
}

/* The queue is there for others even if nothing is wanted of it. */
static void
test_only_looking (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  amqp_fixture_open (f);
  consume (f, FALSE, 10);
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_QUEUE);
  consume (f, FALSE, 10);
  assert_log (f, "1 look-at jobs\n");
}

static void
test_no_queue (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  amqp_peer_set_lacks_queues (f->peer, TRUE);
  amqp_fixture_open (f);
  consume (f, TRUE, 10);
  g_assert_nonnull (strstr (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_NO_QUEUE)->detail,
                            "“jobs” does not exist; declare it"));
  amqp_peer_set_lacks_queues (f->peer, FALSE);
  consume (f, TRUE, 10);
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_CONSUMING);
}

/* It was there when it was looked for. */
static void
test_queue_that_goes (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  amqp_fixture_open (f);
  consume (f, FALSE, 10);
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_QUEUE);
  amqp_peer_set_lacks_queues (f->peer, TRUE);
  consume (f, TRUE, 10);
  g_assert_nonnull (strstr (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_NO_QUEUE)->detail,
                            "“jobs” does not exist; declare it"));
}

/* There, but not for consumers: it is tried once more, and then said. */
static void
test_queue_without_consumers (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  amqp_peer_refuse (f->peer, AMQP_BASIC_CONSUME_METHOD, AMQP_NOT_FOUND, "NOT_FOUND - its node");
  amqp_fixture_open (f);
  consume (f, TRUE, 10);
  g_assert_nonnull (strstr (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_NO_QUEUE)->detail,
                            "“jobs” can't be consumed: NOT_FOUND - its node"));
  assert_log (f, "1 qos 10\n1 consume with 1 argument(s)\n"
                 "1 AMQP_CHANNEL_CLOSE_OK_METHOD\n1 AMQP_CHANNEL_OPEN_METHOD\n1 look-at jobs\n"
                 "1 qos 10\n1 consume with 1 argument(s)\n"
                 "1 AMQP_CHANNEL_CLOSE_OK_METHOD\n1 AMQP_CHANNEL_OPEN_METHOD\n1 look-at jobs\n");
}

/* With the queue for its dead letters, which it names. */
static void
test_declaring (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  f->settings.declares = TRUE;
  amqp_peer_set_lacks_queues (f->peer, TRUE);
  begin (f);
  assert_log (f, "1 qos 10\n1 consume with 1 argument(s)\n"
                 "1 AMQP_CHANNEL_CLOSE_OK_METHOD\n1 AMQP_CHANNEL_OPEN_METHOD\n"
                 "1 look-at jobs\n1 AMQP_CHANNEL_CLOSE_OK_METHOD\n1 AMQP_CHANNEL_OPEN_METHOD\n"
                 "1 look-at jobs.dead\n1 AMQP_CHANNEL_CLOSE_OK_METHOD\n"
                 "1 AMQP_CHANNEL_OPEN_METHOD\n1 declare jobs.dead\n1 declare jobs\n"
                 "1 qos 10\n1 consume with 1 argument(s)\n");
}

/* A queue that does not know how long a job may take is consumed without that. */
static void
test_no_timeout (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  f->settings.job_timeout = AMPS_SECONDS (3600);
  amqp_peer_refuse (f->peer, AMQP_BASIC_CONSUME_METHOD, AMQP_PRECONDITION_FAILED,
                    "PRECONDITION_FAILED - invalid arg 'x-consumer-timeout' for queue 'jobs'");
  amqp_fixture_open (f);
  consume (f, TRUE, 10);
  /* As this one refuses that, too. */
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_NO_QUEUE);
  amqp_peer_wait_for (f->peer, "1 consume with 2 argument(s)");
  amqp_peer_wait_for (f->peer, "1 consume with 1 argument(s)");
}

static void
test_old_broker (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  g_autofree char *said = NULL;

  f->settings.job_timeout = AMPS_SECONDS (3600);
  log_recorder_start ();
  begin (f);
  said = log_recorder_take ();
  g_assert_nonnull (strstr (said, "raise its consumer_timeout"));
  assert_log (f, "1 qos 10\n1 consume with 1 argument(s)\n");
}

static void
test_settling (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  begin (f);
  for (guint64 tag = 1; tag <= 6; tag++)
    deliver (f, tag);
  settle (f, 2, AMPS_SETTLE_ACKNOWLEDGE);
  settle (f, 1, AMPS_SETTLE_ACKNOWLEDGE);
  settle (f, 6, AMPS_SETTLE_ACKNOWLEDGE);
  settle (f, 3, AMPS_SETTLE_REQUEUE);
  settle (f, 4, AMPS_SETTLE_REQUEUE_FAILED);
  settle (f, 5, AMPS_SETTLE_DEAD_LETTER);
  g_assert_true (amps_amqp_connection_flush (f->connection));
  amqp_peer_wait_for (f->peer, "1 ack 6 multiple");
  assert_log (f, "1 qos 10\n1 consume with 1 argument(s)\n"
                 "1 nack 3 requeue\n1 reject 4 requeue\n1 reject 5\n1 ack 6 multiple\n");
}

static void
test_returning_all (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  begin (f);
  for (guint64 tag = 1; tag <= 3; tag++)
    deliver (f, tag);
  settle (f, 1, AMPS_SETTLE_ACKNOWLEDGE);
  amps_amqp_connection_do (f->connection, amps_amqp_consumer_new_return_all ());
  amqp_peer_wait_for (f->peer, "1 nack 0 multiple requeue");
  assert_log (f, "1 qos 10\n1 consume with 1 argument(s)\n"
                 "1 ack 1\n1 nack 0 multiple requeue\n");
}

/* Told of by a thread, so at any time, but before the connection has ended. */
static void
test_large (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  g_autofree char *large = g_strnfill (MAX_SIZE_AT_ONCE + 1, ' ');

  memcpy (large, EVENT ("large"), strlen (EVENT ("large")));
  begin (f);
  amqp_peer_deliver (f->peer, 1, large);
  g_assert_cmpstr (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_DELIVERY)->event->id, ==, "large");
}

/* What is on its way is given back if there is no room for it, until consuming has stopped. */
static void
test_surplus (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  begin (f);
  g_assert_true (amps_byte_budget_take (f->settings.budget, AMQP_FIXTURE_BUDGET));
  amps_amqp_connection_do (f->connection, amps_amqp_consumer_new_give_back ());
  amqp_peer_deliver (f->peer, 1, EVENT ("1"));
  g_assert_cmpuint (amqp_fixture_read_event (f, AMPS_AMQP_EVENT_SURPLUS)->id, ==, 1);

  consume (f, FALSE, 10);
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_CANCELLED);
  consume (f, TRUE, 1);
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_CONSUMING);
  amqp_peer_deliver (f->peer, 2, EVENT ("2"));
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_FULL);
  amps_byte_budget_give_back (f->settings.budget, AMQP_FIXTURE_BUDGET);
  amqp_fixture_read_event (f, AMPS_AMQP_EVENT_DELIVERY);
}

static void
test_out_of_turn (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  begin (f);
  amqp_peer_deliver (f->peer, 2, EVENT ("2"));
  amqp_fixture_assert_fails (f, "the broker broke the protocol: delivery 2 came out of turn");
}

static void
test_unasked (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  amqp_fixture_open (f);
  amqp_peer_deliver (f->peer, 1, EVENT ("1"));
  amqp_fixture_assert_fails (f, "a message came that nobody consumes");
}

static void
test_unasked_answer (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  amqp_basic_qos_ok_t qos_ok = { 0 };

  begin (f);
  amqp_peer_send (f->peer, 1, AMQP_BASIC_QOS_OK_METHOD, &qos_ok);
  amqp_fixture_assert_fails (f, "AMQP_BASIC_QOS_OK_METHOD was not expected");
}

/* What was delivered is no longer ours. */
static void
test_deleted_queue (AmqpFixture *f, gconstpointer version G_GNUC_UNUSED)
{
  amqp_basic_cancel_t cancel = { .consumer_tag = amqp_cstring_bytes ("any") };

  begin (f);
  amqp_peer_send (f->peer, 1, AMQP_BASIC_CANCEL_METHOD, &cancel);
  amqp_fixture_assert_fails (f, "the queue was deleted or moved");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, version, test)                                                                   \
  g_test_add ("/amqp-consumer/" name, AmqpFixture, version, set_up, test, tear_down)
  ADD ("consuming", "4.3.0", test_consuming);
  ADD ("another-prefetch", "4.3.0", test_another_prefetch);
  ADD ("only-looking", "4.3.0", test_only_looking);
  ADD ("no-queue", "4.3.0", test_no_queue);
  ADD ("queue-that-goes", "4.3.0", test_queue_that_goes);
  ADD ("queue-without-consumers", "4.3.0", test_queue_without_consumers);
  ADD ("declaring", "4.3.0", test_declaring);
  ADD ("no-timeout", "4.3.0", test_no_timeout);
  ADD ("old-broker", "4.2.9", test_old_broker);
  ADD ("settling", "4.3.0", test_settling);
  ADD ("returning-all", "4.3.0", test_returning_all);
  ADD ("large", "4.3.0", test_large);
  ADD ("surplus", "4.3.0", test_surplus);
  ADD ("out-of-turn", "4.3.0", test_out_of_turn);
  ADD ("unasked", "4.3.0", test_unasked);
  ADD ("unasked-answer", "4.3.0", test_unasked_answer);
  ADD ("deleted-queue", "4.3.0", test_deleted_queue);
  return g_test_run ();
}
