/* SPDX-License-Identifier: MIT */
#pragma once

#include "broker/amqp/amps-amqp-properties.h"

G_BEGIN_DECLS

#define MAX_HEADERS 16

/* A message as it comes over the wire. */
typedef struct {
  amqp_table_entry_t headers[MAX_HEADERS];
  amqp_basic_properties_t properties;
} AmqpMessage;

amqp_field_value_t *add_header (AmqpMessage *self, const char *name, amqp_field_value_kind_t kind);
void add_text (AmqpMessage *self, const char *name, const char *text);
void add_number (AmqpMessage *self, const char *name, gint64 number);
GBytes *encode (AmqpMessage *self);
AmpsAmqpMessage *wrap (GBytes *properties, const char *body);
AmpsDelivery *read_message (AmqpMessage *self, const char *body, AmpsCloudEvent **event,
                            GError **problem);

G_END_DECLS
