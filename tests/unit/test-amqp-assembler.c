/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/amqp/amps-amqp-assembler.h"
#include "broker/amqp/amps-amqp-library.h"

#include <string.h>

#define LIMIT 100

static amqp_basic_deliver_t deliver = { .delivery_tag = 7, .redelivered = 1 };

static amqp_frame_t
make_method (void)
{
  amqp_frame_t frame = { .frame_type = AMQP_FRAME_METHOD };

  deliver.routing_key = amqp_cstring_bytes ("q");
  frame.payload.method.id = AMQP_BASIC_DELIVER_METHOD;
  frame.payload.method.decoded = &deliver;
  return frame;
}

static amqp_frame_t
make_header (guint64 body_size)
{
  amqp_frame_t frame = { .frame_type = AMQP_FRAME_HEADER };

  frame.payload.properties.class_id = AMQP_BASIC_CLASS;
  frame.payload.properties.body_size = body_size;
  frame.payload.properties.raw = amqp_cstring_bytes ("\1");
  return frame;
}

static amqp_frame_t
make_body (const char *text)
{
  amqp_frame_t frame = { .frame_type = AMQP_FRAME_BODY };

  frame.payload.body_fragment = amqp_cstring_bytes (text);
  return frame;
}

static AmpsAmqpMessage *
add (AmpsAmqpAssembler *assembler, amqp_frame_t frame)
{
  g_autoptr (GError) error = NULL;
  AmpsAmqpMessage *message;

  g_assert_true (amps_amqp_assembler_add_frame (assembler, &frame, &message, &error));
  g_assert_no_error (error);
  return message;
}

static void
refuse (AmpsAmqpAssembler *assembler, amqp_frame_t frame)
{
  g_autoptr (GError) error = NULL;
  AmpsAmqpMessage *message;

  g_assert_false (amps_amqp_assembler_add_frame (assembler, &frame, &message, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_FAILED);
  g_assert_null (message);
}

static void
test_whole (void)
{
  g_autoptr (AmpsAmqpAssembler) assembler = amps_amqp_assembler_new (LIMIT, LIMIT, NULL);

  for (int i = 0; i < 2; i++)
    {
      g_autoptr (AmpsAmqpMessage) message = NULL;

      g_assert_null (add (assembler, make_method ()));
      g_assert_null (add (assembler, make_header (6)));
      g_assert_null (add (assembler, make_body ("abc")));
      g_assert_null (add (assembler, make_body ("")));
      message = add (assembler, make_body ("def"));
      g_assert_cmpmem (g_bytes_get_data (message->body, NULL), g_bytes_get_size (message->body),
                       "abcdef", 6);
      g_assert_cmpuint (message->tag, ==, 7);
      g_assert_true (message->redelivered);
      g_assert_false (message->returned);
      g_assert_cmpstr (message->routing_key, ==, "q");
    }
}

static void
test_empty (void)
{
  g_autoptr (AmpsAmqpAssembler) assembler = amps_amqp_assembler_new (LIMIT, LIMIT, NULL);
  g_autoptr (AmpsAmqpMessage) message = NULL;

  g_assert_null (add (assembler, make_method ()));
  message = add (assembler, make_header (0));
  g_assert_nonnull (message->body);
  g_assert_cmpuint (g_bytes_get_size (message->body), ==, 0);
}

static void
test_too_large (void)
{
  g_autoptr (AmpsAmqpAssembler) assembler = amps_amqp_assembler_new (5, 5, NULL);
  g_autoptr (AmpsAmqpMessage) message = NULL;

  g_assert_null (add (assembler, make_method ()));
  g_assert_null (add (assembler, make_header (6)));
  g_assert_null (add (assembler, make_body ("abc")));
  message = add (assembler, make_body ("def"));
  g_assert_null (message->body);
  g_assert_cmpuint (message->body_size, ==, 6);
}

/* An absurd announcement costs nothing. */
static void
test_announcement (void)
{
  g_autoptr (AmpsAmqpAssembler) assembler = amps_amqp_assembler_new (LIMIT, LIMIT, NULL);

  g_assert_null (add (assembler, make_method ()));
  g_assert_null (add (assembler, make_header (G_MAXUINT64)));
  g_assert_null (add (assembler, make_body ("abc")));
}

static void
test_wrong_order (void)
{
  g_autoptr (AmpsAmqpAssembler) fresh = amps_amqp_assembler_new (LIMIT, LIMIT, NULL);
  g_autoptr (AmpsAmqpAssembler) begun = amps_amqp_assembler_new (LIMIT, LIMIT, NULL);
  g_autoptr (AmpsAmqpAssembler) half = amps_amqp_assembler_new (LIMIT, LIMIT, NULL);
  amqp_frame_t other = make_header (1);

  refuse (fresh, make_header (1));
  refuse (fresh, make_body ("a"));

  g_assert_null (add (begun, make_method ()));
  refuse (begun, make_method ());
  refuse (begun, make_body ("a"));
  other.payload.properties.class_id = AMQP_CHANNEL_CLASS;
  refuse (begun, other);

  g_assert_null (add (half, make_method ()));
  g_assert_null (add (half, make_header (2)));
  refuse (half, make_header (2));
  refuse (half, make_method ());
  refuse (half, make_body ("abc"));
}

static void
test_waits_for_room (void)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (10);
  g_autoptr (AmpsAmqpAssembler) assembler = amps_amqp_assembler_new (LIMIT, LIMIT, budget);
  g_autoptr (AmpsAmqpMessage) message = NULL;

  amps_byte_budget_add (budget, 7);
  g_assert_false (amps_amqp_assembler_is_waiting (assembler));
  g_assert_null (add (assembler, make_method ()));
  g_assert_null (add (assembler, make_header (3)));
  g_assert_true (amps_amqp_assembler_is_waiting (assembler));
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 7);

  /* One byte is of its properties. */
  amps_byte_budget_give_back (budget, 1);
  g_assert_false (amps_amqp_assembler_is_waiting (assembler));
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 10);
  message = add (assembler, make_body ("abc"));
  g_assert_cmpuint (g_bytes_get_size (message->body), ==, 3);
  g_clear_pointer (&message, amps_amqp_message_free);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 6);
}

/* The largest there may be, when nothing else is held. */
static void
test_larger_than_budget (void)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (10);
  g_autoptr (AmpsAmqpAssembler) assembler = amps_amqp_assembler_new (LIMIT, LIMIT, budget);
  g_autoptr (AmpsAmqpMessage) message = NULL;

  g_assert_null (add (assembler, make_method ()));
  g_assert_null (add (assembler, make_header (12)));
  g_assert_null (add (assembler, make_body ("abcdef")));
  g_assert_false (amps_amqp_assembler_is_waiting (assembler));
  message = add (assembler, make_body ("abcdef"));
  g_assert_true (amps_amqp_assembler_is_waiting (assembler));
  g_clear_pointer (&message, amps_amqp_message_free);
  g_assert_false (amps_amqp_assembler_is_waiting (assembler));
}

static void
test_surplus (void)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (10);
  g_autoptr (AmpsAmqpAssembler) assembler = amps_amqp_assembler_new (LIMIT, LIMIT, budget);
  g_autoptr (AmpsAmqpMessage) message = NULL, fitting = NULL;

  amps_byte_budget_add (budget, 7);
  g_assert_null (add (assembler, make_method ()));
  g_assert_null (add (assembler, make_header (3)));
  g_assert_true (amps_amqp_assembler_is_waiting (assembler));
  amps_amqp_assembler_set_patient (assembler, FALSE);
  g_assert_false (amps_amqp_assembler_is_waiting (assembler));
  message = add (assembler, make_body ("abc"));
  g_assert_true (message->surplus);
  g_assert_null (message->body);
  g_assert_cmpuint (message->tag, ==, 7);

  g_assert_null (add (assembler, make_method ()));
  g_assert_null (add (assembler, make_header (2)));
  fitting = add (assembler, make_body ("ab"));
  g_assert_false (fitting->surplus);
  g_assert_nonnull (fitting->body);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 10);
}

/* As when the connection is lost. */
static void
test_half_gives_back (void)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (10);
  AmpsAmqpAssembler *assembler = amps_amqp_assembler_new (LIMIT, LIMIT, budget);

  g_assert_null (add (assembler, make_method ()));
  g_assert_null (add (assembler, make_header (6)));
  g_assert_null (add (assembler, make_body ("abc")));
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 7);
  amps_amqp_assembler_free (assembler);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 0);
}

/* What is not kept takes no room but for its properties. */
static void
test_too_large_for_room (void)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (10);
  g_autoptr (AmpsAmqpAssembler) assembler = amps_amqp_assembler_new (5, 5, budget);
  g_autoptr (AmpsAmqpMessage) message = NULL;

  g_assert_null (add (assembler, make_method ()));
  g_assert_null (add (assembler, make_header (6)));
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 1);
  message = add (assembler, make_body ("abcdef"));
  g_assert_null (message->body);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-assembler/whole", test_whole);
  g_test_add_func ("/amqp-assembler/empty", test_empty);
  g_test_add_func ("/amqp-assembler/too-large", test_too_large);
  g_test_add_func ("/amqp-assembler/announcement", test_announcement);
  g_test_add_func ("/amqp-assembler/wrong-order", test_wrong_order);
  g_test_add_func ("/amqp-assembler/waits-for-room", test_waits_for_room);
  g_test_add_func ("/amqp-assembler/larger-than-budget", test_larger_than_budget);
  g_test_add_func ("/amqp-assembler/surplus", test_surplus);
  g_test_add_func ("/amqp-assembler/half-gives-back", test_half_gives_back);
  g_test_add_func ("/amqp-assembler/too-large-for-room", test_too_large_for_room);
  return g_test_run ();
}
