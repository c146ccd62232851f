/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-deduplicator.h"
#include "amps-amqp-role.h"
#include "base/amps-clock.h"
#include "jobs/amps-delivery.h"
#include "jobs/amps-settlement.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsAmqpPublications:
 *
 * What was handed to the publisher and is not confirmed yet.
 */
typedef struct _AmpsAmqpPublications AmpsAmqpPublications;

/**
 * AmpsAmqpSettleOriginalFunc:
 * @original: what a copy was made of
 * @kind: how to settle it now
 * @user_data: as given
 */
typedef void (*AmpsAmqpSettleOriginalFunc) (AmpsDelivery *original, AmpsSettlementKind kind,
                                            gpointer user_data);

/**
 * AmpsAmqpSendFunc:
 * @command: (transfer full): what the publisher is to do now
 * @user_data: as given
 */
typedef void (*AmpsAmqpSendFunc) (AmpsAmqpCommand *command, gpointer user_data);

AmpsAmqpPublications *amps_amqp_publications_new (AmpsClock *clock,
                                                  AmpsAmqpDeduplicator *deduplicator,
                                                  AmpsAmqpSettleOriginalFunc settle,
                                                  AmpsAmqpSendFunc send, gpointer user_data);
void amps_amqp_publications_free (AmpsAmqpPublications *self);
guint64 amps_amqp_publications_add (AmpsAmqpPublications *self, GTask *task);
guint64 amps_amqp_publications_add_copy (AmpsAmqpPublications *self, GTask *task,
                                         AmpsDelivery *original, const AmpsSettlement *settlement,
                                         AmpsSettlementKind otherwise);
void amps_amqp_publications_send_copy (AmpsAmqpPublications *self, guint64 id,
                                       AmpsAmqpCommand *command);
gboolean amps_amqp_publications_is_ignored (AmpsAmqpPublications *self);
void amps_amqp_publications_end (AmpsAmqpPublications *self, guint64 id, const GError *problem);
void amps_amqp_publications_fail_all (AmpsAmqpPublications *self);

G_END_DECLS
