/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

GSource *amps_amqp_flush_source_new (int fd);

void amps_amqp_flush_source_request (GSource *source);
void amps_amqp_flush_source_wait (GSource *source);

G_END_DECLS
