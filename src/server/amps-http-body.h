/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/amps-byte-budget.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

void amps_http_body_collect (SoupServerMessage *message, AmpsByteBudget *budget, gsize expected);
gboolean amps_http_body_append (SoupServerMessage *message, GBytes *chunk);
GBytes *amps_http_body_take (SoupServerMessage *message);
gboolean amps_http_body_charge (SoupServerMessage *message, AmpsByteBudget *budget, gsize size);

G_END_DECLS
