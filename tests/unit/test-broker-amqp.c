/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-broker-amqp.h"

#include "amqp-peer.h"
#include "base/amps-error.h"
#include "broker/amqp/amps-broker-amqp-private.h"
#include "fake-clock.h"
#include "log-recorder.h"

#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

#define PATIENCE (20 * G_USEC_PER_SEC)
#define EVENT "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}"

/* The broker is one of two nodes to each connection, so that the test can tell them apart.
 * The clock stands still, so what is lost stays so until the test wants otherwise. */
typedef struct {
  AmqpPeer *consumed;  /* where the broker consumes */
  AmqpPeer *published; /* where it publishes */
  AmpsClock *clock;
  AmpsBroker *broker;
  AmpsJob *job; /* (nullable) the last one that was delivered */
  unsigned int n_lost;
  unsigned int n_ended; /* settlements */
  GError *problem;      /* (nullable) of the last one */
  gboolean stopped;
} Fixture;

static gboolean lookups_hang; /* atomic */

/* In front of the C library's, which rabbitmq-c would call. */
int
getaddrinfo (const char *node, const char *service, const struct addrinfo *hints,
             struct addrinfo **result)
{
  int (*lookup) (const char *, const char *, const struct addrinfo *, struct addrinfo **);

  while (g_atomic_int_get (&lookups_hang))
    g_usleep (1000);
  *(void **) &lookup = dlsym (RTLD_NEXT, "getaddrinfo");
  return lookup (node, service, hints, result);
}

static void
on_delivered (AmpsBroker *broker G_GNUC_UNUSED, AmpsJob *job, Fixture *f)
{
  g_set_object (&f->job, job);
}

static void
on_lost (AmpsBroker *broker G_GNUC_UNUSED, unsigned int epoch, Fixture *f)
{
  g_assert_cmpuint (epoch, ==, ++f->n_lost);
}

static void
iterate (gint64 end)
{
  g_assert_cmpint (g_get_monotonic_time (), <, end);
  g_main_context_iteration (NULL, FALSE);
  g_usleep (200);
}

#define WAIT_UNTIL(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 end = g_get_monotonic_time () + PATIENCE;                                               \
                                                                                                   \
    while (!(condition))                                                                           \
      iterate (end);                                                                               \
  }                                                                                                \
  G_STMT_END

static void
set_up (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  static const char *const none[] = { NULL };
  g_autofree char *consumed = NULL;
  g_autofree char *published = NULL;
  g_autofree char *hosts = NULL;
  g_autoptr (AmpsConfig) config = NULL;

  f->consumed = amqp_peer_new ();
  f->published = amqp_peer_new ();
  consumed = amqp_peer_dup_uri (f->consumed);
  published = amqp_peer_dup_uri (f->published);
  hosts = g_strdup_printf ("BROKER_HOST=%s,%s", consumed, published);
  config = amps_config_new ((const char *const[]){ "BROKER_SUBJECT=jobs", hosts, NULL }, NULL, none,
                            NULL);
  g_assert_nonnull (config);

  f->clock = fake_clock_new ();
  f->broker = amps_broker_amqp_new (config, f->clock);
  AMPS_BROKER_AMQP (f->broker)->publisher.uri_index = 1;
  g_signal_connect (f->broker, "delivered", G_CALLBACK (on_delivered), f);
  g_signal_connect (f->broker, "lost", G_CALLBACK (on_lost), f);
  amps_broker_set_consuming (f->broker, TRUE);
  amps_broker_start (f->broker);
  WAIT_UNTIL (amps_broker_get_state (f->broker) == AMPS_BROKER_CONSUMING);
}

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;

  g_clear_error (&f->problem);
  amps_broker_stop_finish (AMPS_BROKER (source), result, &f->problem);
  f->stopped = TRUE;
}

static void
stop (Fixture *f)
{
  amps_broker_stop_async (f->broker, NULL, on_stopped, f);
  WAIT_UNTIL (f->stopped);
  g_assert_no_error (f->problem);
}

static void
tear_down (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  g_autofree char *said = NULL;

  if (!f->stopped)
    stop (f);
  said = log_recorder_take ();
  g_assert_cmpstr (said, ==, "");
  g_clear_object (&f->job);
  g_clear_error (&f->problem);
  g_assert_finalize_object (f->broker);
  g_assert_finalize_object (f->clock);
  amqp_peer_free (f->consumed);
  g_clear_pointer (&f->published, amqp_peer_free);
}

static AmpsDelivery *
deliver (Fixture *f, guint64 tag)
{
  g_clear_object (&f->job);
  amqp_peer_deliver (f->consumed, tag, EVENT);
  WAIT_UNTIL (f->job != NULL);
  g_assert_cmpuint (amps_job_get_delivery (f->job)->tag, ==, tag);
  return amps_job_get_delivery (f->job);
}

static void
on_settled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;

  g_clear_error (&f->problem);
  amps_broker_settle_finish (AMPS_BROKER (source), result, &f->problem);
  f->n_ended++;
}

static void
settle (Fixture *f, AmpsDelivery *delivery, AmpsSettlementKind kind)
{
  const AmpsSettlement settlement = { .kind = kind, .copy = 1, .reason = "rejected" };

  amps_broker_settle_async (f->broker, delivery, &settlement, NULL, on_settled, f);
}

/* On the channel for dead letters, where it is the first publication. */
static void
confirm_dead_letter (Fixture *f)
{
  amqp_basic_ack_t ack = { .delivery_tag = 1 };

  amqp_peer_wait_for (f->published, "4 publish jobs.dead");
  amqp_peer_send (f->published, 4, AMQP_BASIC_ACK_METHOD, &ack);
  WAIT_UNTIL (f->n_ended == 1);
}

static void
assert_said (const char *what)
{
  g_autofree char *said = log_recorder_take ();

  g_assert_true (g_str_has_prefix (said, what));
}

static void
lose_consumer (Fixture *f)
{
  amqp_peer_hang_up (f->consumed);
  WAIT_UNTIL (f->n_lost == 1);
  assert_said ("Broker disconnected: the connection broke");
}

static gboolean
has_settled (AmqpPeer *peer)
{
  g_autofree char *log = amqp_peer_dup_log (peer);

  return strstr (log, " ack ") != NULL || strstr (log, " nack ") != NULL ||
         strstr (log, " reject ") != NULL;
}

static void
test_acknowledging (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  settle (f, deliver (f, 1), AMPS_SETTLE_ACKNOWLEDGE);
  WAIT_UNTIL (f->n_ended == 1);
  g_assert_no_error (f->problem);
  amqp_peer_wait_for (f->consumed, "1 ack 1");
  settle (f, deliver (f, 2), AMPS_SETTLE_REQUEUE);
  amqp_peer_wait_for (f->consumed, "1 nack 2 requeue");
}

/* Not before its copy is safe. */
static void
test_dead_letter (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  settle (f, deliver (f, 1), AMPS_SETTLE_DEAD_LETTER);
  amqp_peer_wait_for (f->published, "4 publish jobs.dead");
  g_assert_false (has_settled (f->consumed));
  g_assert_cmpuint (f->n_ended, ==, 0);
  confirm_dead_letter (f);
  g_assert_no_error (f->problem);
  amqp_peer_wait_for (f->consumed, "1 ack 1");
}

/* The message is back in the queue by then, and settling it would be the end of another. */
static void
test_late_confirm (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  settle (f, deliver (f, 1), AMPS_SETTLE_DEAD_LETTER);
  amqp_peer_wait_for (f->published, "4 publish jobs.dead");
  lose_consumer (f);
  confirm_dead_letter (f);
  g_assert_no_error (f->problem);
  g_assert_false (has_settled (f->consumed));
}

/* The same tag means another message now. */
static void
test_later_epoch (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_basic_ack_t ack = { .delivery_tag = 1 };
  AmpsDelivery *old = amps_delivery_ref (deliver (f, 1));

  settle (f, old, AMPS_SETTLE_DEAD_LETTER);
  amqp_peer_wait_for (f->published, "4 publish jobs.dead");
  lose_consumer (f);
  /* The next one is to consume at the same node. */
  AMPS_BROKER_AMQP (f->broker)->consumer.uri_index = 0;
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  WAIT_UNTIL (amps_broker_get_state (f->broker) == AMPS_BROKER_CONSUMING);
  deliver (f, 1);

  amqp_peer_send (f->published, 4, AMQP_BASIC_ACK_METHOD, &ack);
  WAIT_UNTIL (f->n_ended == 1);
  g_assert_no_error (f->problem);
  settle (f, old, AMPS_SETTLE_ACKNOWLEDGE);
  WAIT_UNTIL (f->n_ended == 2);
  g_assert_error (f->problem, AMPS_ERROR, AMPS_ERROR_DETACHED);
  g_assert_false (has_settled (f->consumed));

  settle (f, amps_job_get_delivery (f->job), AMPS_SETTLE_REQUEUE);
  amqp_peer_wait_for (f->consumed, "1 nack 1 requeue");
  amps_delivery_unref (old);
}

/* What can't be copied stays out, to be settled again. */
static void
test_no_publisher (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  AmpsDelivery *delivery = deliver (f, 1);

  amqp_peer_hang_up (f->published);
  WAIT_UNTIL (amps_broker_get_state (f->broker) == AMPS_BROKER_CONNECTED);
  assert_said ("Broker problem: no connection to publish: the connection broke");
  settle (f, delivery, AMPS_SETTLE_DEAD_LETTER);
  WAIT_UNTIL (f->n_ended == 1);
  g_assert_error (f->problem, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);
  g_assert_true (amps_broker_is_alive (f->broker, delivery));
  settle (f, delivery, AMPS_SETTLE_ACKNOWLEDGE);
  amqp_peer_wait_for (f->consumed, "1 ack 1");
}

static void
test_blocked (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  amqp_connection_blocked_t blocked = { .reason = amqp_cstring_bytes ("memory") };

  /* To the one that only consumes it does not matter. */
  amqp_peer_send (f->consumed, 0, AMQP_CONNECTION_BLOCKED_METHOD, &blocked);
  deliver (f, 1);
  g_assert_false (amps_broker_get_blocked (f->broker));
  amqp_peer_send (f->published, 0, AMQP_CONNECTION_BLOCKED_METHOD, &blocked);
  WAIT_UNTIL (amps_broker_get_blocked (f->broker));
}

/* The next messages come under the new limit; what is out stays so. */
static void
test_prefetch (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  AmpsDelivery *held = amps_delivery_ref (deliver (f, 1));

  amps_broker_set_prefetch (f->broker, 7);
  amqp_peer_wait_for (f->consumed, "1 qos 7");
  settle (f, deliver (f, 2), AMPS_SETTLE_ACKNOWLEDGE);
  amqp_peer_wait_for (f->consumed, "1 ack 2");
  settle (f, held, AMPS_SETTLE_ACKNOWLEDGE);
  amqp_peer_wait_for (f->consumed, "1 ack 1");
  amps_delivery_unref (held);
}

/* Nobody can break it. What its thread tells in the end, nobody hears. */
static void
test_hanging_lookup (Fixture *f, gconstpointer user_data G_GNUC_UNUSED)
{
  AmpsBrokerAmqp *broker = AMPS_BROKER_AMQP (f->broker);
  AmpsAmqpIoThread *io_thread;

  g_atomic_int_set (&lookups_hang, TRUE);
  amqp_peer_hang_up (f->published);
  WAIT_UNTIL (amps_broker_get_state (f->broker) == AMPS_BROKER_CONNECTED);
  assert_said ("Broker problem: no connection to publish: the connection broke");
  broker->publisher.uri_index = 1;
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  io_thread = broker->publisher.io_thread;
  g_assert_nonnull (io_thread);

  amps_broker_stop_async (f->broker, NULL, on_stopped, f);
  WAIT_UNTIL (broker->consumer.io_thread == NULL);
  fake_clock_advance (f->clock, AMPS_SECONDS (3));
  g_assert_false (f->stopped);
  fake_clock_advance (f->clock, AMPS_SECONDS (3));
  g_assert_true (f->stopped);
  g_assert_error (f->problem, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);

  /* What it has looked up is not there any more. */
  amqp_peer_free (f->published);
  f->published = NULL;
  g_atomic_int_set (&lookups_hang, FALSE);
  amps_amqp_io_thread_free (io_thread);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_object_unref (f->broker);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  log_recorder_start ();

#define ADD(name, test) g_test_add ("/broker-amqp/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("acknowledging", test_acknowledging);
  ADD ("dead-letter", test_dead_letter);
  ADD ("late-confirm", test_late_confirm);
  ADD ("later-epoch", test_later_epoch);
  ADD ("no-publisher", test_no_publisher);
  ADD ("blocked", test_blocked);
  ADD ("prefetch", test_prefetch);
  ADD ("hanging-lookup", test_hanging_lookup);
  return g_test_run ();
}
