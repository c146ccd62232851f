/* SPDX-License-Identifier: MIT */
#pragma once

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

void amps_reply_add_string (JsonBuilder *builder, const char *name, const char *value);
void amps_reply_add_boolean (JsonBuilder *builder, const char *name, gboolean value);
void amps_reply_add_int (JsonBuilder *builder, const char *name, gint64 value);

void amps_reply_status (SoupServerMessage *message, unsigned int status);
void amps_reply_json (SoupServerMessage *message, unsigned int status, JsonBuilder *builder);
char *amps_reply_format_json (JsonBuilder *builder, gsize *length);
void amps_reply_error (SoupServerMessage *message, const GError *error);
char *amps_reply_format_refusal (unsigned int status, const char *title, const char *detail);
const char *amps_reply_get_title (const GError *error, unsigned int *status);

G_END_DECLS
