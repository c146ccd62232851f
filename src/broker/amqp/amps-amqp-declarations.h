/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-connection.h"

G_BEGIN_DECLS

/**
 * AmpsAmqpDeclarations:
 *
 * The queues that copies go to, as far as one connection knows them. They are looked
 * for, or declared, when they are first needed.
 */
typedef struct _AmpsAmqpDeclarations AmpsAmqpDeclarations;

AmpsAmqpDeclarations *amps_amqp_declarations_new (AmpsAmqpConnection *connection);
void amps_amqp_declarations_free (AmpsAmqpDeclarations *self);
gboolean amps_amqp_declarations_ensure_retry_queue (AmpsAmqpDeclarations *self, const char *queue,
                                                    gint64 delay, GError **error);
gboolean amps_amqp_declarations_ensure_dead_letter_queue (AmpsAmqpDeclarations *self,
                                                          const char *queue, GError **error);
void amps_amqp_declarations_forget (AmpsAmqpDeclarations *self, const char *queue);

G_END_DECLS
