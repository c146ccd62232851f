/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-byte-budget.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpMessage:
 * @returned: whether it is one of ours that no queue took
 * @tag: the delivery's tag
 * @redelivered: whether it was handed out before
 * @routing_key: where a returned one was meant to go
 * @properties: as they came over the wire
 * @body: (nullable): %NULL when it was too large to keep
 * @body_size: as announced
 * @budget: (nullable): what @body was taken from
 * @surplus: there was no room for it, and it could not wait
 * @reserved: bytes of @budget for what reading the message may make of it
 *
 * A message put together from its frames.
 */
typedef struct {
  gboolean returned;
  guint64 tag;
  gboolean redelivered;
  char *routing_key;
  GBytes *properties;
  GBytes *body;
  guint64 body_size;
  AmpsByteBudget *budget;
  gsize reserved;
  gboolean surplus;
} AmpsAmqpMessage;

void amps_amqp_message_free (AmpsAmqpMessage *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsAmqpMessage, amps_amqp_message_free)

G_END_DECLS
