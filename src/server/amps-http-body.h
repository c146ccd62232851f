/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-http-budget.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

void amps_http_body_collect (SoupServerMessage *message, AmpsHttpBudget *budget, gsize expected);
gboolean amps_http_body_append (SoupServerMessage *message, GBytes *chunk);
GBytes *amps_http_body_take (SoupServerMessage *message);
gboolean amps_http_body_charge (SoupServerMessage *message, AmpsHttpBudget *budget, gsize size);

G_END_DECLS
