/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-library.h"
#include "event/amps-cloudevent.h"

G_BEGIN_DECLS

GBytes *amps_amqp_binary_to_structured (const amqp_basic_properties_t *properties, GBytes *body,
                                        gsize max_size, AmpsEventValidation validation,
                                        GError **error);
gboolean amps_amqp_binary_is_binary (const amqp_basic_properties_t *properties);
const char *amps_amqp_binary_find_hint (const amqp_basic_properties_t *properties);

G_END_DECLS
