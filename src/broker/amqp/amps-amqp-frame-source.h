/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-library.h"
#include <glib.h>

G_BEGIN_DECLS

GSource *amps_amqp_frame_source_new (amqp_connection_state_t connection);

G_END_DECLS
