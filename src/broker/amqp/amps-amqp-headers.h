/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-library.h"

#include <glib.h>

G_BEGIN_DECLS

/**
 * AMPS_AMQP_USER_ID_HEADER:
 *
 * The message's `user-id`, which a copy can't keep: one that is not the connection's closes
 * the channel.
 */
#define AMPS_AMQP_USER_ID_HEADER "x-amps-user-id"

gboolean amps_amqp_headers_are_misread (const amqp_table_entry_t *entry);
gboolean amps_amqp_headers_are_of_earlier_life (const amqp_table_entry_t *entry);

G_END_DECLS
