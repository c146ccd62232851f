/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-depths.h"
#include "amps-amqp-publications.h"
#include "amps-amqp-reconnector.h"
#include "amps-amqp-settings.h"
#include "amps-amqp-window.h"
#include "amps-broker-amqp.h"

G_BEGIN_DECLS

/* What the files of this broker share. */
struct _AmpsBrokerAmqp {
  AmpsBroker parent_instance;

  AmpsConfig *config;         /* (owned) */
  AmpsClock *clock;           /* (owned) */
  AmpsAmqpSettings *settings; /* (owned) */
  AmpsMailbox *events;        /* (owned) */
  AmpsAmqpReconnector consumer;
  AmpsAmqpReconnector publisher;
  AmpsAmqpWindow *window; /* (owned) */
  unsigned int queue_polls;
  gboolean has_epoch; /* the consuming connection has begun one */

  AmpsAmqpPublications *publications; /* (owned) */
  AmpsAmqpDeduplicator *deduplicator; /* (owned) */
  AmpsAmqpDepths *depths;             /* (owned) */
  GQueue worn_out;                    /* (owned) of AmpsJob, to be replaced by a copy */

  GSource *watchdog; /* (owned) */
  GTask *stop_task;  /* (owned) (nullable) */
  gboolean stopping; /* for good */
  gboolean broken_on_stop;
  gboolean abandoned; /* an I/O thread hangs, and may still tell something */
};

void amps_broker_amqp_settle_delivery (AmpsBrokerAmqp *self, AmpsDelivery *delivery,
                                       AmpsSettlementKind kind);
const char *amps_broker_amqp_get_publishing_problem (AmpsBrokerAmqp *self);
void amps_broker_amqp_replace_worn_out (AmpsBrokerAmqp *self);
void amps_broker_amqp_on_copied (AmpsDelivery *original, AmpsSettlementKind kind,
                                 gpointer user_data);
void amps_broker_amqp_on_send (AmpsAmqpCommand *command, gpointer user_data);

void amps_broker_amqp_settle_async (AmpsBroker *broker, AmpsDelivery *delivery,
                                    const AmpsSettlement *settlement, GTask *task);
void amps_broker_amqp_publish_async (AmpsBroker *broker, const char *queue, const char *message_id,
                                     AmpsTraceHeaders *trace, GBytes *body, GTask *task);
void amps_broker_amqp_count_messages_async (AmpsBroker *broker, GTask *task);

G_END_DECLS
