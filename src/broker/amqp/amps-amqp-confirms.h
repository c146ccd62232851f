/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-properties.h"
#include "amps-amqp-role.h"
#include "event/amps-trace-headers.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpPublication:
 * @command: how it came to the I/O thread; its free function frees the publication
 * @id: names it in the event that answers it
 * @queue: where to
 * @message_id: (nullable): the event's id
 * @trace: (nullable): the trace context that goes with it, if it is no copy
 * @body: what is published
 * @original: (nullable): of a copy, or a dead letter
 * @copy: (nullable): of a copy
 * @new_life: of a dead letter: it becomes what it was before, rather than stays one
 * @retry_step: µs: @queue is a retry queue with this delay; else 0
 * @dead_letter: @queue is that of dead letters
 * @tag: its number on the channel, once it is sent
 * @returned: no queue takes it
 *
 * A message on its way to the broker. Owns all that it points to.
 */
typedef struct {
  AmpsAmqpCommand command;
  guint64 id;
  char *queue;
  char *message_id;
  AmpsTraceHeaders *trace;
  GBytes *body;
  AmpsDelivery *original;
  AmpsAmqpCopy *copy;
  gboolean new_life;
  gint64 retry_step;
  gboolean dead_letter;
  guint64 tag;
  gboolean returned;
} AmpsAmqpPublication;

/**
 * AmpsAmqpAnswerFunc:
 * @id: of a publication
 * @problem: (transfer full) (nullable): why it is not with the broker
 * @user_data: as given
 */
typedef void (*AmpsAmqpAnswerFunc) (guint64 id, GError *problem, gpointer user_data);

/**
 * AmpsAmqpConfirms:
 *
 * What is to be published on one channel, or is and has not been confirmed.
 */
typedef struct _AmpsAmqpConfirms AmpsAmqpConfirms;

AmpsAmqpConfirms *amps_amqp_confirms_new (AmpsAmqpAnswerFunc answer, gpointer user_data);
void amps_amqp_confirms_free (AmpsAmqpConfirms *self);
void amps_amqp_confirms_add (AmpsAmqpConfirms *self, AmpsAmqpPublication *publication);
AmpsAmqpPublication *amps_amqp_confirms_send_next (AmpsAmqpConfirms *self);
gboolean amps_amqp_confirms_return (AmpsAmqpConfirms *self, const char *queue,
                                    const char *message_id);
gboolean amps_amqp_confirms_confirm (AmpsAmqpConfirms *self, guint64 tag, gboolean multiple,
                                     gboolean confirmed);
void amps_amqp_confirms_close (AmpsAmqpConfirms *self, int code, const char *text);

G_END_DECLS
