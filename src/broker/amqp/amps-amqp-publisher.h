/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-io-thread.h"
#include "amps-amqp-properties.h"
#include "amps-amqp-settings.h"
#include "base/amps-clock.h"
#include "event/amps-trace-headers.h"
#include "jobs/amps-settlement.h"

G_BEGIN_DECLS

/**
 * amps_amqp_publisher_role:
 *
 * Publishes with confirms, and makes copies.
 */
extern const AmpsAmqpRole amps_amqp_publisher_role;

AmpsAmqpCommand *amps_amqp_publisher_new_publish (guint64 id, const char *queue,
                                                  const char *message_id, AmpsTraceHeaders *trace,
                                                  GBytes *body);
AmpsAmqpCommand *amps_amqp_publisher_new_copy (guint64 id, const AmpsAmqpSettings *settings,
                                               AmpsDelivery *delivery,
                                               const AmpsSettlement *settlement, const char *name,
                                               AmpsClock *clock);
AmpsAmqpCommand *amps_amqp_publisher_new_redrive (guint64 id, const char *queue,
                                                  AmpsDelivery *letter, gboolean new_life);
AmpsAmqpCommand *amps_amqp_publisher_new_count (const char *queue);

G_END_DECLS
