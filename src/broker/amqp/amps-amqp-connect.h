/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-library.h"
#include "amps-amqp-uri.h"

G_BEGIN_DECLS

char *amps_amqp_describe_reply (amqp_rpc_reply_t reply);
gboolean amps_amqp_connect (amqp_connection_state_t connection, const AmpsAmqpUri *uri,
                            GError **error);
gboolean amps_amqp_log_in (amqp_connection_state_t connection, const AmpsAmqpUri *uri,
                           const char *name, GError **error);
void amps_amqp_log_out (amqp_connection_state_t connection);
void amps_amqp_get_server_version (amqp_connection_state_t connection, unsigned int *major,
                                   unsigned int *minor);

G_END_DECLS
