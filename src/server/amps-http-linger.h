/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-http-connection.h"

G_BEGIN_DECLS

void amps_http_linger (AmpsHttpConnection *connection, const char *answer);

G_END_DECLS
