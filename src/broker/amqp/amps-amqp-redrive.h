/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-library.h"

#include <glib.h>

G_BEGIN_DECLS

gboolean amps_amqp_redrive_build (GBytes *raw, gboolean new_life, amqp_pool_t *pool,
                                  amqp_basic_properties_t *properties);

G_END_DECLS
