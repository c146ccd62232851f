/* SPDX-License-Identifier: MIT */
#pragma once

#include "event/amps-cloudevent.h"
#include <gio/gio.h>

#include <libsoup/soup.h>

G_BEGIN_DECLS

gboolean amps_http_event_is_event (SoupMessageHeaders *headers);
GPtrArray *amps_http_event_parse (SoupMessageHeaders *headers, GBytes *body,
                                  AmpsEventValidation validation, GError **error);

G_END_DECLS
