/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-assembler.h"

#include <string.h>

/* Whatever frames a broker sends, in whatever order: what is taken for a message is what
 * AMQP 0-9-1, 4.2.6, says is one, and all else is refused.
 *
 * An input is a sequence of frames: a letter, and what the frame has.
 *   d, r         basic.deliver or basic.return, with the number of a tag
 *   h, H, c      a header, with the size of the body in one byte, or in eight, or of
 *                another class
 *   b            a part of a body: a length, and as many bytes
 * and of what its owner does in between: f lets go of the oldest message, n and p say that
 * there is no time to wait for room, and that there is.
 *
 * Each is read twice: without a budget, and with one that is soon used up. */

#define LIMIT 300
#define BUDGET 400

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct {
  const guint8 *at;
  gsize left;
} Input;

/* What has come of a message, as another reader of the specification sees it. */
typedef struct {
  unsigned int n_frames; /* of its method and its header; 0 between messages */
  gboolean returned;
  guint64 tag;
  guint64 size;
  GByteArray *body; /* (owned) of all parts, however many */
} Expected;

typedef struct {
  AmpsAmqpAssembler *assembler; /* (owned) */
  AmpsByteBudget *budget;       /* (unowned) (nullable) */
  GQueue held;                  /* (owned) of AmpsAmqpMessage */
} Owner;

static guint64
read_number (Input *input, gsize length)
{
  guint64 number = 0;

  for (gsize i = 0; i < length; i++)
    {
      number = number << 8 | (input->left > 0 ? *input->at : 0);
      input->at += input->left > 0 ? 1 : 0;
      input->left -= input->left > 0 ? 1 : 0;
    }

  return number;
}

static gboolean
expect_method (Expected *expected, gboolean returned, guint64 tag)
{
  if (expected->n_frames != 0)
    return FALSE;

  expected->n_frames = 1;
  expected->returned = returned;
  expected->tag = tag;
  return TRUE;
}

static gboolean
expect_header (Expected *expected, guint16 class_id, guint64 size)
{
  if (expected->n_frames != 1 || class_id != AMQP_BASIC_CLASS)
    return FALSE;

  expected->n_frames = 2;
  expected->size = size;
  return TRUE;
}

static gboolean
expect_body (Expected *expected, amqp_bytes_t part)
{
  if (expected->n_frames != 2 || part.len > expected->size - expected->body->len)
    return FALSE;

  g_byte_array_append (expected->body, part.bytes, (unsigned int) part.len);
  return TRUE;
}

static gboolean
is_whole (const Expected *expected)
{
  return expected->n_frames == 2 && expected->body->len == expected->size;
}

static void
let_go (Owner *owner)
{
  AmpsAmqpMessage *oldest = g_queue_pop_head (&owner->held);

  if (oldest != NULL)
    amps_amqp_message_free (oldest);
}

/* Room comes with each message that ends, and when none is left there is room for any. */
static void
wait_for_room (Owner *owner)
{
  while (amps_amqp_assembler_is_waiting (owner->assembler))
    {
      g_assert_nonnull (owner->budget);
      g_assert_false (g_queue_is_empty (&owner->held));
      let_go (owner);
    }
}

/* Returns: whether that is no frame */
static gboolean
handle_owner (Owner *owner, Input *input)
{
  switch (*input->at)
    {
    case 'f':
      let_go (owner);
      break;
    case 'n':
    case 'p':
      amps_amqp_assembler_set_patient (owner->assembler, *input->at == 'p');
      break;
    default:
      return FALSE;
    }

  read_number (input, 1);
  return TRUE;
}

static void
assert_message (const Owner *owner, const AmpsAmqpMessage *message, Expected *expected)
{
  g_assert_nonnull (message);
  g_assert_cmpint (message->returned, ==, expected->returned);
  g_assert_cmpuint (message->tag, ==, expected->returned ? 0 : expected->tag);
  g_assert_cmpstr (message->routing_key, ==, "q");
  g_assert_cmpuint (g_bytes_get_size (message->properties), ==, 2);
  g_assert_cmpuint (message->body_size, ==, expected->size);
  g_assert_true (!message->surplus || owner->budget != NULL);
  if (expected->size <= LIMIT && !message->surplus)
    g_assert_cmpmem (g_bytes_get_data (message->body, NULL), g_bytes_get_size (message->body),
                     expected->body->data, expected->body->len);
  else
    g_assert_null (message->body);

  expected->n_frames = 0;
  g_byte_array_set_size (expected->body, 0);
}

static void
set_method (amqp_frame_t *frame, gboolean returned, guint64 tag)
{
  static amqp_basic_deliver_t deliver;
  static amqp_basic_return_t back;

  deliver.delivery_tag = tag;
  deliver.routing_key = back.routing_key = amqp_cstring_bytes ("q");
  frame->frame_type = AMQP_FRAME_METHOD;
  frame->payload.method.id = returned ? AMQP_BASIC_RETURN_METHOD : AMQP_BASIC_DELIVER_METHOD;
  frame->payload.method.decoded = returned ? (void *) &back : (void *) &deliver;
}

static void
set_header (amqp_frame_t *frame, guint16 class_id, guint64 size)
{
  frame->frame_type = AMQP_FRAME_HEADER;
  frame->payload.properties.class_id = class_id;
  frame->payload.properties.body_size = size;
  frame->payload.properties.raw = (amqp_bytes_t){ 2, (void *) "\0" };
}

/* Returns: whether @frame is one that may come */
static gboolean
read_frame (Input *input, amqp_frame_t *frame, Expected *expected)
{
  guint8 letter = (guint8) read_number (input, 1);
  guint64 number = read_number (input, letter == 'H' ? 8 : 1);

  switch (letter)
    {
    case 'd':
    case 'r':
      set_method (frame, letter == 'r', number);
      return expect_method (expected, letter == 'r', number);
    case 'h':
    case 'H':
    case 'c':
      set_header (frame, letter == 'c' ? AMQP_CHANNEL_CLASS : AMQP_BASIC_CLASS, number);
      return expect_header (expected, frame->payload.properties.class_id, number);
    default:
      frame->frame_type = AMQP_FRAME_BODY;
      frame->payload.body_fragment =
          (amqp_bytes_t){ MIN (number, input->left), (void *) input->at };
      input->at += frame->payload.body_fragment.len;
      input->left -= frame->payload.body_fragment.len;
      return expect_body (expected, frame->payload.body_fragment);
    }
}

static void
assemble (const guint8 *data, gsize size, AmpsByteBudget *budget)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  Owner owner = { amps_amqp_assembler_new (LIMIT, LIMIT, budget), budget, G_QUEUE_INIT };
  Expected expected = { .body = body };
  Input input = { data, size };
  gboolean fits = TRUE;

  while (fits && input.left > 0)
    {
      amqp_frame_t frame = { 0 };
      AmpsAmqpMessage *message;
      g_autoptr (GError) error = NULL;

      if (handle_owner (&owner, &input))
        continue;

      wait_for_room (&owner);
      fits = read_frame (&input, &frame, &expected);
      g_assert_cmpint (amps_amqp_assembler_add_frame (owner.assembler, &frame, &message, &error),
                       ==, fits);
      g_assert_cmpint (error == NULL, ==, fits);
      g_assert_cmpint (message != NULL, ==, fits && is_whole (&expected));
      if (message == NULL)
        continue;

      assert_message (&owner, message, &expected);
      g_queue_push_tail (&owner.held, message);
    }

  amps_amqp_assembler_free (owner.assembler);
  while (!g_queue_is_empty (&owner.held))
    let_go (&owner);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (BUDGET);

  assemble (data, size, NULL);
  assemble (data, size, budget);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 0);
  return 0;
}
