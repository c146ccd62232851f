/* SPDX-License-Identifier: MIT */
#pragma once

#include "broker/amqp/amps-amqp-library.h"

#include <glib.h>

G_BEGIN_DECLS

/* Speaks AMQP 0-9-1 as a broker does, on loopback and in a thread of its own: it lets in
 * whoever comes, one after the other, and answers each request as if all were well, unless
 * it was told something else. It keeps no messages: those are sent by the test. */
typedef struct _AmqpPeer AmqpPeer;

AmqpPeer *amqp_peer_new (void);
void amqp_peer_free (AmqpPeer *self);
char *amqp_peer_dup_uri (AmqpPeer *self);

/* @version: (nullable): what it says to be, for connections to come */
void amqp_peer_set_version (AmqpPeer *self, const char *version);
/* What it says of each queue that is asked for. */
void amqp_peer_set_n_messages (AmqpPeer *self, guint32 n_messages);
/* Whether none is there to be looked at, be it declared or not, or to be consumed until
 * one is declared. */
void amqp_peer_set_lacks_queues (AmqpPeer *self, gboolean lacks_queues);
/* It closes the channel, or the connection if the request is of that, instead of an answer.
 * @text: (nullable): nothing is answered at all */
void amqp_peer_refuse (AmqpPeer *self, amqp_method_number_t request, int code, const char *text);
void amqp_peer_accept (AmqpPeer *self, amqp_method_number_t request);

/* To the client that is connected. */
void amqp_peer_send (AmqpPeer *self, amqp_channel_t channel, amqp_method_number_t id,
                     void *decoded);
void amqp_peer_deliver (AmqpPeer *self, guint64 tag, const char *body);
/* What was published for @queue, and no queue has taken. */
void amqp_peer_return (AmqpPeer *self, amqp_channel_t channel, const char *queue, const char *body);
void amqp_peer_hang_up (AmqpPeer *self);

/* What has come, one line each, as "1 ack 7"; the default context runs meanwhile. */
void amqp_peer_wait_for (AmqpPeer *self, const char *line);
char *amqp_peer_dup_log (AmqpPeer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmqpPeer, amqp_peer_free)

G_END_DECLS
