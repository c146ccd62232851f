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
 *   b            a part of a body: a length, and as many bytes */

#define LIMIT 300

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
assert_message (const AmpsAmqpMessage *message, Expected *expected)
{
  g_assert_nonnull (message);
  g_assert_cmpint (message->returned, ==, expected->returned);
  g_assert_cmpuint (message->tag, ==, expected->returned ? 0 : expected->tag);
  g_assert_cmpstr (message->routing_key, ==, "q");
  g_assert_cmpuint (g_bytes_get_size (message->properties), ==, 2);
  g_assert_cmpuint (message->body_size, ==, expected->size);
  if (expected->size <= LIMIT)
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

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (AmpsAmqpAssembler) assembler = amps_amqp_assembler_new (LIMIT, LIMIT, NULL);
  g_autoptr (GByteArray) body = g_byte_array_new ();
  Expected expected = { .body = body };
  Input input = { data, size };
  gboolean fits = TRUE;

  while (fits && input.left > 0)
    {
      amqp_frame_t frame = { 0 };
      g_autoptr (AmpsAmqpMessage) message = NULL;
      g_autoptr (GError) error = NULL;

      fits = read_frame (&input, &frame, &expected);
      g_assert_cmpint (amps_amqp_assembler_add_frame (assembler, &frame, &message, &error), ==,
                       fits);
      g_assert_cmpint (error == NULL, ==, fits);
      if (fits && is_whole (&expected))
        assert_message (message, &expected);
      else
        g_assert_null (message);
    }

  return 0;
}
