/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-role.h"
#include "base/amps-mailbox.h"
#include "event/amps-cloudevent.h"
#include "jobs/amps-delivery.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpEventKind:
 * @AMPS_AMQP_EVENT_OPENED: connected and logged in
 * @AMPS_AMQP_EVENT_CONSUMING: messages will come
 * @AMPS_AMQP_EVENT_NO_QUEUE: there is no subject to consume; see the detail
 * @AMPS_AMQP_EVENT_QUEUE: there is one, though it is not to be consumed yet
 * @AMPS_AMQP_EVENT_DELIVERY: a message
 * @AMPS_AMQP_EVENT_CONFIRMED: the publication @id is safe, or has an error
 * @AMPS_AMQP_EVENT_COUNTED: the queue that was asked about has so many messages
 * @AMPS_AMQP_EVENT_CANCELLED: messages come no more, since that was asked for
 * @AMPS_AMQP_EVENT_SURPLUS: a message, whose tag @id is, that there was no room for
 * @AMPS_AMQP_EVENT_FULL: no messages are read since there is no room for them, or again are
 * @AMPS_AMQP_EVENT_BLOCKED: the broker takes no publications, or again does
 * @AMPS_AMQP_EVENT_LENT: the connection is for the main loop now
 * @AMPS_AMQP_EVENT_CLOSED: the connection has ended; always the last event
 */
typedef enum {
  AMPS_AMQP_EVENT_OPENED,
  AMPS_AMQP_EVENT_CONSUMING,
  AMPS_AMQP_EVENT_NO_QUEUE,
  AMPS_AMQP_EVENT_QUEUE,
  AMPS_AMQP_EVENT_DELIVERY,
  AMPS_AMQP_EVENT_CONFIRMED,
  AMPS_AMQP_EVENT_COUNTED,
  AMPS_AMQP_EVENT_CANCELLED,
  AMPS_AMQP_EVENT_SURPLUS,
  AMPS_AMQP_EVENT_FULL,
  AMPS_AMQP_EVENT_BLOCKED,
  AMPS_AMQP_EVENT_LENT,
  AMPS_AMQP_EVENT_CLOSED,
} AmpsAmqpEventKind;

/**
 * AmpsAmqpEvent:
 *
 * What a connection has to tell.
 */
typedef struct {
  AmpsMail mail;
  const AmpsAmqpRole *role; /* of the connection that tells it */
  AmpsAmqpEventKind kind;
  char *detail;           /* (owned) (nullable) */
  guint64 id;             /* of a publication, or a tag */
  gint64 n_messages;      /* -1 when there is no such queue */
  gboolean blocked;       /* or full */
  AmpsDelivery *delivery; /* (owned) (nullable) */
  AmpsCloudEvent *event;  /* (owned) (nullable) */
  GError *error;          /* (owned) (nullable) */
} AmpsAmqpEvent;

void amps_amqp_event_free (gpointer event);
AmpsAmqpEvent *amps_amqp_event_new (AmpsAmqpEventKind kind);

G_END_DECLS
