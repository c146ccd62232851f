/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-amqp-library.h"

#include <glib.h>

G_BEGIN_DECLS

const amqp_table_t *amps_amqp_table_get_headers (const amqp_basic_properties_t *properties);
gboolean amps_amqp_table_is_named (const amqp_table_entry_t *entry, const char *name);
const amqp_field_value_t *amps_amqp_table_find (const amqp_table_t *self, const char *name);
char *amps_amqp_table_dup_text (const amqp_table_t *self, const char *name);
gint64 amps_amqp_table_get_number (const amqp_table_t *self, const char *name, gint64 fallback);
amqp_table_entry_t amps_amqp_table_make_text (const char *name, const char *text);

G_END_DECLS
