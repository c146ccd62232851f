/* SPDX-License-Identifier: MIT */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

void amps_http_body_collect (SoupServerMessage *message, gsize expected);
gsize amps_http_body_get_length (SoupServerMessage *message);
GBytes *amps_http_body_take (SoupServerMessage *message);

G_END_DECLS
