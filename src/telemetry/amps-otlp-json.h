/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-span.h"

G_BEGIN_DECLS

/**
 * AMPS_OTLP_MAX_TEXT:
 *
 * How many bytes of a text are sent, so that an event can't make a span of any size.
 */
#define AMPS_OTLP_MAX_TEXT 1024

void amps_otlp_json_begin (GString *json, const char *const *resource);
void amps_otlp_json_add_span (GString *json, const AmpsSpan *span);
void amps_otlp_json_end (GString *json);
guint64 amps_otlp_json_read_rejected (const char *json, gsize length);

G_END_DECLS
