/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-connection.h"

G_BEGIN_DECLS

GSource *amps_amqp_frame_source_new (AmpsAmqpConnection *connection);

G_END_DECLS
