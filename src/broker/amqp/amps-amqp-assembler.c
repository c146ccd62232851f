/* SPDX-License-Identifier: MIT */
#include "amps-amqp-assembler.h"

#include "amps-amqp-library.h"
#include "amps-amqp-properties.h"

#include "base/amps-error.h"
#include "base/amps-spare-blocks.h"

#include <string.h>

typedef enum {
  EXPECT_METHOD,
  EXPECT_HEADER,
  EXPECT_BODY,
} Expectation;

struct _AmpsAmqpAssembler {
  guint64 max_kept_size;
  guint64 max_body_size;
  AmpsByteBudget *budget; /* (owned) (nullable) */
  AmpsSpareBlocks *spare; /* (owned) for bodies */
  Expectation expected;
  AmpsAmqpMessage *message; /* (owned) (nullable) under way */
  guint8 *body;             /* (owned) (nullable) with room for all of it */
  guint64 received;         /* bytes of the body */
  gsize size;               /* what is held of the message under way */
  gboolean waiting;         /* until there is room for that */
  gboolean hasty;           /* or not, if it does not come at once */
};

/**
 * amps_amqp_assembler_new:
 * @max_kept_size: larger bodies are read, but not kept
 * @max_body_size: larger bodies are no events, packed or not
 * @budget: (nullable): what messages are taken from; %NULL if they are not counted
 *
 * Returns: (transfer full): an assembler for a new channel
 */
AmpsAmqpAssembler *
amps_amqp_assembler_new (guint64 max_kept_size, guint64 max_body_size, AmpsByteBudget *budget)
{
  AmpsAmqpAssembler *self = g_new0 (AmpsAmqpAssembler, 1);

  self->max_kept_size = max_kept_size;
  self->max_body_size = max_body_size;
  self->spare = amps_spare_blocks_new ();
  if (budget != NULL)
    self->budget = amps_byte_budget_ref (budget);
  return self;
}

/**
 * amps_amqp_assembler_free:
 * @self: (transfer full): an assembler
 */
void
amps_amqp_assembler_free (AmpsAmqpAssembler *self)
{
  if (self->message != NULL && self->message->budget != NULL)
    amps_byte_budget_give_back (self->budget, self->size);
  g_clear_pointer (&self->message, amps_amqp_message_free);
  g_clear_pointer (&self->budget, amps_byte_budget_unref);
  g_clear_pointer (&self->body, amps_spare_blocks_give_back);
  amps_spare_blocks_unref (self->spare);
  g_free (self);
}

static gboolean
amqp_assembler_fail (GError **error, const char *what)
{
  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_FAILED, what);
  return FALSE;
}

static char *
copy_text (amqp_bytes_t bytes)
{
  return g_strndup (bytes.bytes, bytes.len);
}

static gboolean
add_method (AmpsAmqpAssembler *self, const amqp_method_t *method)
{
  AmpsAmqpMessage *message = g_new0 (AmpsAmqpMessage, 1);

  if (method->id == AMQP_BASIC_DELIVER_METHOD)
    {
      const amqp_basic_deliver_t *deliver = method->decoded;

      message->tag = deliver->delivery_tag;
      message->redelivered = deliver->redelivered != 0;
      message->routing_key = copy_text (deliver->routing_key);
    }
  else
    {
      const amqp_basic_return_t *returned = method->decoded;

      message->returned = TRUE;
      message->routing_key = copy_text (returned->routing_key);
    }

  self->message = message;
  self->expected = EXPECT_HEADER;
  return TRUE;
}

static void
amqp_assembler_finish (AmpsAmqpAssembler *self, AmpsAmqpMessage **message)
{
  GBytes *body = NULL;

  if (self->body != NULL)
    body = amps_spare_blocks_wrap (g_steal_pointer (&self->body), self->received);
  if (body != NULL && self->budget != NULL)
    body = amps_byte_budget_wrap (self->budget, body, self->size);
  else if (self->budget != NULL)
    amps_byte_budget_give_back (self->budget, self->size);

  self->message->body = body;
  self->expected = EXPECT_METHOD;
  *message = g_steal_pointer (&self->message);
}

/* Memory is reserved when there is room for it, and not before. */
static void
begin_body (AmpsAmqpAssembler *self)
{
  AmpsAmqpMessage *message = self->message;

  self->waiting = FALSE;
  if (self->budget != NULL)
    message->budget = amps_byte_budget_ref (self->budget);
  if (message->body_size <= self->max_kept_size)
    self->body = amps_spare_blocks_take (self->spare, message->body_size);
}

static void
skip_body (AmpsAmqpAssembler *self)
{
  self->waiting = FALSE;
  self->size = 0;
  self->message->reserved = 0;
  self->message->surplus = TRUE;
}

/**
 * amps_amqp_assembler_is_waiting:
 * @self: an assembler
 *
 * To be asked before each frame. What was announced is taken from the budget once there
 * is room for it. Nothing is begun while more is held than the budget allows.
 *
 * Returns: whether no frame may be added yet
 */
gboolean
amps_amqp_assembler_is_waiting (AmpsAmqpAssembler *self)
{
  if (self->waiting && amps_byte_budget_take (self->budget, self->size + self->message->reserved))
    begin_body (self);
  if (self->waiting && self->hasty)
    skip_body (self);

  if (self->waiting || self->hasty || self->budget == NULL || self->expected != EXPECT_METHOD)
    return self->waiting;
  return !amps_byte_budget_fits (self->budget, 0);
}

/**
 * amps_amqp_assembler_set_patient:
 * @self: an assembler
 * @patient: whether a message waits for room, as it does at first; else it is read and
 *   not kept when there is none
 */
void
amps_amqp_assembler_set_patient (AmpsAmqpAssembler *self, gboolean patient)
{
  self->hasty = !patient;
}

static void
amqp_assembler_wait_for_room (AmpsAmqpAssembler *self)
{
  AmpsAmqpMessage *message = self->message;
  gboolean kept = message->body_size <= self->max_kept_size;

  self->size = g_bytes_get_size (message->properties) + (kept ? message->body_size : 0);
  message->reserved = amps_amqp_properties_get_growth (message->properties, message->body_size,
                                                       self->max_body_size);
  self->waiting = TRUE;
  amps_amqp_assembler_is_waiting (self);
}

static void
add_header (AmpsAmqpAssembler *self, const amqp_frame_t *frame, AmpsAmqpMessage **message)
{
  amqp_bytes_t raw = frame->payload.properties.raw;

  self->message->body_size = frame->payload.properties.body_size;
  self->message->properties = g_bytes_new (raw.bytes, raw.len);
  self->received = 0;
  self->size = 0;
  self->expected = EXPECT_BODY;
  if (self->budget != NULL && self->message->body_size > 0)
    amqp_assembler_wait_for_room (self);
  else
    begin_body (self);

  if (self->message->body_size == 0)
    amqp_assembler_finish (self, message);
}

static gboolean
amqp_assembler_add_body (AmpsAmqpAssembler *self, amqp_bytes_t part, AmpsAmqpMessage **message,
                         GError **error)
{
  if (part.len > self->message->body_size - self->received)
    return amqp_assembler_fail (error, "a body is longer than announced");

  if (self->body != NULL)
    memcpy (self->body + self->received, part.bytes, part.len);
  self->received += part.len;

  if (self->received == self->message->body_size)
    amqp_assembler_finish (self, message);
  return TRUE;
}

/**
 * amps_amqp_assembler_add_frame:
 * @self: an assembler
 * @frame: a method frame of `basic.deliver` or `basic.return`, a header or a body
 * @message: (out) (transfer full) (nullable): the message, when it is whole
 * @error: return location
 *
 * Returns: whether @frame fits those before it
 */
gboolean
amps_amqp_assembler_add_frame (AmpsAmqpAssembler *self, const amqp_frame_t *frame,
                               AmpsAmqpMessage **message, GError **error)
{
  *message = NULL;

  if (frame->frame_type == AMQP_FRAME_METHOD && self->expected == EXPECT_METHOD)
    return add_method (self, &frame->payload.method);

  if (frame->frame_type == AMQP_FRAME_HEADER && self->expected == EXPECT_HEADER)
    {
      if (frame->payload.properties.class_id != AMQP_BASIC_CLASS)
        return amqp_assembler_fail (error, "a message has a header of another class");
      add_header (self, frame, message);
      return TRUE;
    }

  if (frame->frame_type == AMQP_FRAME_BODY && self->expected == EXPECT_BODY)
    return amqp_assembler_add_body (self, frame->payload.body_fragment, message, error);

  return amqp_assembler_fail (error, "frames came in the wrong order");
}
