/* SPDX-License-Identifier: MIT */
#include "amqp-message.h"
#include "broker/amqp/amps-amqp-dead-letter.h"

#include <string.h>

#define EVENT "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}"

static AmpsDeadLetter *
read_letter (AmqpMessage *message, const char *body)
{
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (GError) problem = NULL;
  g_autoptr (AmpsDelivery) delivery = read_message (message, body, &event, &problem);

  return amps_amqp_dead_letter_read (delivery, event);
}

static void
test_of_amps (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsDeadLetter) letter = NULL;

  add_text (&message, "x-amps-reason", "rejected");
  add_text (&message, "x-amps-detail", "no \033[31m such mailbox");
  add_text (&message, "x-amps-queue", "mail");
  add_text (&message, "x-amps-worker", "mail-1");
  add_number (&message, "x-amps-attempt", 3);
  add_number (&message, "x-amps-first-received", 1600000000456);
  add_number (&message, "x-amps-time", 1600000001000);
  letter = read_letter (&message, EVENT);

  g_assert_cmpstr (letter->id, ==, "1");
  g_assert_cmpstr (letter->source, ==, "/s");
  g_assert_cmpstr (letter->type, ==, "t");
  g_assert_cmpstr (letter->reason, ==, "rejected");
  g_assert_cmpstr (letter->detail, ==, "no \\u001b[31m such mailbox");
  g_assert_cmpstr (letter->queue, ==, "mail");
  g_assert_cmpstr (letter->worker, ==, "mail-1");
  g_assert_cmpuint (letter->attempt, ==, 3);
  g_assert_cmpint (letter->first_received, ==, 1600000000456000);
  g_assert_cmpint (letter->time, ==, 1600000001000000);
  g_assert_cmpuint (letter->size, ==, strlen (EVENT));
  g_assert_null (letter->body);
}

static void
test_malformed (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsDeadLetter) letter = NULL;

  message.properties._flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
  message.properties.message_id = amqp_cstring_bytes ("from-the-producer");
  letter = read_letter (&message, "hello");

  g_assert_cmpstr (letter->id, ==, "from-the-producer");
  g_assert_null (letter->type);
  g_assert_null (letter->reason);
  g_assert_cmpuint (letter->attempt, ==, 0);
  g_assert_cmpint (letter->time, ==, 0);
}

/* One that the queue's dead-letter policy has moved. */
static void
test_of_the_broker (void)
{
  AmqpMessage message = { 0 };
  amqp_field_value_t *deaths = add_header (&message, "x-death", AMQP_FIELD_KIND_ARRAY);
  amqp_table_entry_t entries[] = {
    { .key = amqp_cstring_bytes ("reason") },
    { .key = amqp_cstring_bytes ("queue") },
    { .key = amqp_cstring_bytes ("time") },
  };
  amqp_field_value_t death = { .kind = AMQP_FIELD_KIND_TABLE };
  g_autoptr (AmpsDeadLetter) letter = NULL;

  entries[0].value.kind = entries[1].value.kind = AMQP_FIELD_KIND_UTF8;
  entries[0].value.value.bytes = amqp_cstring_bytes ("delivery_limit");
  entries[1].value.value.bytes = amqp_cstring_bytes ("mail");
  entries[2].value.kind = AMQP_FIELD_KIND_TIMESTAMP;
  entries[2].value.value.u64 = 1600000001;
  death.value.table = (amqp_table_t){ G_N_ELEMENTS (entries), entries };
  deaths->value.array = (amqp_array_t){ 1, &death };
  letter = read_letter (&message, EVENT);

  g_assert_cmpstr (letter->reason, ==, "delivery_limit");
  g_assert_cmpstr (letter->queue, ==, "mail");
  g_assert_cmpint (letter->time, ==, 1600000001000000);
}

/* Anybody can publish such headers. */
static void
test_nonsense (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsDeadLetter) letter = NULL;

  add_number (&message, "x-amps-reason", 1);
  add_number (&message, "x-amps-attempt", -5);
  add_number (&message, "x-amps-time", G_MAXINT64);
  add_text (&message, "x-amps-queue", "\xff");
  add_text (&message, "x-death", "often");
  letter = read_letter (&message, EVENT);

  g_assert_null (letter->reason);
  g_assert_null (letter->queue);
  g_assert_cmpuint (letter->attempt, ==, 0);
  g_assert_cmpint (letter->time, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-dead-letter/of-amps", test_of_amps);
  g_test_add_func ("/amqp-dead-letter/malformed", test_malformed);
  g_test_add_func ("/amqp-dead-letter/of-the-broker", test_of_the_broker);
  g_test_add_func ("/amqp-dead-letter/nonsense", test_nonsense);
  return g_test_run ();
}
