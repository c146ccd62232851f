/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-publisher.h"

#include "broker/amqp/amps-amqp-confirms.h"
#include "fake-clock.h"

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-publisher/delays", test_delays);
  g_test_add_func ("/amqp-publisher/message-id", test_message_id);
  g_test_add_func ("/amqp-publisher/trace", test_trace);
  return g_test_run ();
}
