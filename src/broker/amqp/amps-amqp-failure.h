/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-library.h"
#include <glib.h>

G_BEGIN_DECLS

const char *amps_amqp_failure_describe (int status);
char *amps_amqp_failure_dup_text (amqp_bytes_t text);
char *amps_amqp_failure_explain (const char *host, int port, gint64 timeout);

G_END_DECLS
