/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-library.h"
#include "amps-amqp-message.h"
#include "event/amps-cloudevent.h"
#include "jobs/amps-delivery.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpCopy:
 * @reason: (nullable): a static word, why it is made
 * @detail: (nullable): the last cause
 * @attempt: the attempt that the next delivery is
 * @queue: where the message came from
 * @worker: who makes the copy
 * @first_received: µs since 1970
 * @time: µs since 1970: now
 * @delay: µs that it still has to wait when it comes back; 0 for none
 * @name: (nullable): says which copies are tries to make the same one
 * @redelivered: it is to be taken for a redelivery of the original
 * @retry: it goes on with the job, rather than being a dead letter
 *
 * What a copy says of itself in its headers.
 */
typedef struct {
  char *reason;
  char *detail;
  unsigned int attempt;
  char *queue;
  char *worker;
  gint64 first_received;
  gint64 time;
  gint64 delay;
  char *name;
  gboolean redelivered;
  gboolean retry;
} AmpsAmqpCopy;

void amps_amqp_copy_free (AmpsAmqpCopy *self);

AmpsDelivery *amps_amqp_properties_read (AmpsAmqpMessage *message, guint64 max_body_size,
                                         AmpsEventValidation validation, AmpsCloudEvent **event,
                                         GError **problem);
gboolean amps_amqp_properties_build_copy (GBytes *raw, const AmpsAmqpCopy *copy, gsize max_size,
                                          amqp_pool_t *pool, amqp_basic_properties_t *properties);
gboolean amps_amqp_properties_is_encoded (GBytes *raw);
gsize amps_amqp_properties_get_growth (GBytes *raw, guint64 body_size, guint64 max_body_size);
char *amps_amqp_properties_dup_message_id (GBytes *raw);
char *amps_amqp_properties_dup_copy_name (GBytes *raw);

G_END_DECLS
