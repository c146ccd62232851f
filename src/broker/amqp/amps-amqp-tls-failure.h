/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-uri.h"

G_BEGIN_DECLS

char *amps_amqp_tls_failure_explain (const AmpsAmqpUri *uri, const char *ca_file);

G_END_DECLS
