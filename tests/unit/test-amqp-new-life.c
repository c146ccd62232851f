/* SPDX-License-Identifier: MIT */
#include "amqp-message.h"
#include "base/amps-error.h"

#include <string.h>

#define EVENT "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}"
#define TRACEPARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void
assert_new_life (const AmpsDelivery *delivery)
{
  g_assert_cmpuint (delivery->attempt, ==, 1);
  g_assert_cmpint (delivery->delay, ==, 0);
  g_assert_cmpint (delivery->first_received, >, G_GINT64_CONSTANT (1600000000456000));
  g_assert_false (delivery->redelivered);
  g_assert_cmpuint (delivery->copy, ==, 0);
}

static void
add_past (AmqpMessage *self)
{
  add_number (self, "x-amps-attempt", 3);
  add_number (self, "x-amps-remaining-delay", 60000);
  add_number (self, "x-amps-first-received", 1600000000456);
  add_text (self, "x-amps-copy", "0123456789abcdef-1");
  add_header (self, "x-amps-redelivered", AMQP_FIELD_KIND_BOOLEAN)->value.boolean = TRUE;
}

/* A dead letter that was put back, with all its headers. */
static void
test_dead_letter (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (AmpsDelivery) delivery = NULL;

  add_past (&message);
  add_text (&message, "x-amps-reason", "max-attempts");
  delivery = read_message (&message, EVENT, &event, NULL);
  assert_new_life (delivery);
}

/* A retry may say why, too. */
static void
test_retry_with_a_reason (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (AmpsDelivery) delivery = NULL;

  add_past (&message);
  add_text (&message, "x-amps-reason", "status");
  add_header (&message, "x-amps-retry", AMQP_FIELD_KIND_BOOLEAN)->value.boolean = TRUE;
  delivery = read_message (&message, EVENT, &event, NULL);
  g_assert_cmpuint (delivery->attempt, ==, 3);
  g_assert_cmpint (delivery->delay, ==, 60 * G_USEC_PER_SEC);
  g_assert_cmpint (delivery->first_received, ==, 1600000000456000);
  g_assert_true (delivery->redelivered);
  g_assert_cmpuint (delivery->copy, !=, 0);
}

/* The same where the broker's policy made it one; but the broker also brings back
 * what has waited in a retry queue. */
static void
test_death (void)
{
  static const struct {
    const char *reasons[2];
    gboolean new_life;
  } cases[] = {
    { { "rejected", "expired" }, TRUE },
    { { "expired", "rejected" }, TRUE },
    { { "delivery_limit", "expired" }, TRUE },
    { { "expired", "expired" }, FALSE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      AmqpMessage message = { 0 };
      amqp_table_entry_t entries[2];
      amqp_field_value_t deaths[2];
      amqp_field_value_t *death;
      g_autoptr (AmpsCloudEvent) event = NULL;
      g_autoptr (AmpsDelivery) delivery = NULL;

      for (unsigned int j = 0; j < G_N_ELEMENTS (deaths); j++)
        {
          entries[j].key = amqp_cstring_bytes ("reason");
          entries[j].value.kind = AMQP_FIELD_KIND_UTF8;
          entries[j].value.value.bytes = amqp_cstring_bytes (cases[i].reasons[j]);
          deaths[j].kind = AMQP_FIELD_KIND_TABLE;
          deaths[j].value.table = (amqp_table_t){ 1, &entries[j] };
        }
      add_past (&message);
      death = add_header (&message, "x-death", AMQP_FIELD_KIND_ARRAY);
      death->value.array = (amqp_array_t){ G_N_ELEMENTS (deaths), deaths };
      delivery = read_message (&message, EVENT, &event, NULL);
      g_test_message ("%s, %s", cases[i].reasons[0], cases[i].reasons[1]);
      if (cases[i].new_life)
        assert_new_life (delivery);
      else
        g_assert_cmpuint (delivery->attempt, ==, 3);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-new-life/dead-letter", test_dead_letter);
  g_test_add_func ("/amqp-new-life/retry-with-a-reason", test_retry_with_a_reason);
  g_test_add_func ("/amqp-new-life/death", test_death);
  return g_test_run ();
}
