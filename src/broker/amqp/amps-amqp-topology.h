/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-connection.h"

G_BEGIN_DECLS

/**
 * AMPS_AMQP_MAX_QUEUE_NAME:
 *
 * Bytes. AMQP 0-9-1, section 4.2.5.3: the name of a queue is a short string.
 */
#define AMPS_AMQP_MAX_QUEUE_NAME 255

gboolean amps_amqp_topology_ensure_subject (AmpsAmqpConnection *connection, char **problem);
gboolean amps_amqp_topology_ensure_retry_queue (AmpsAmqpConnection *connection, const char *queue,
                                                gint64 delay, char **problem);
gboolean amps_amqp_topology_ensure_dead_letter_queue (AmpsAmqpConnection *connection,
                                                      const char *queue, char **problem);
char *amps_amqp_topology_describe_refusal (const char *subject, const char *why);

gint64 amps_amqp_topology_get_retry_step (gint64 delay);
char *amps_amqp_topology_get_retry_queue (const char *subject, gint64 delay, gint64 *step);
char **amps_amqp_topology_list_retry_queues (const char *subject);

gboolean amps_amqp_topology_count_messages (AmpsAmqpConnection *connection, const char *queue,
                                            gint64 *n_messages);

G_END_DECLS
