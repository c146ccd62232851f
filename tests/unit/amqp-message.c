/* SPDX-License-Identifier: MIT */
#include "amqp-message.h"

#include <string.h>

amqp_field_value_t *
add_header (AmqpMessage *self, const char *name, amqp_field_value_kind_t kind)
{
  amqp_table_t *table = &self->properties.headers;
  amqp_table_entry_t *entry = &self->headers[table->num_entries++];

  g_assert_cmpint (table->num_entries, <=, MAX_HEADERS);
  table->entries = self->headers;
  self->properties._flags |= AMQP_BASIC_HEADERS_FLAG;
  entry->key = amqp_cstring_bytes (name);
  entry->value.kind = (guint8) kind;
  return &entry->value;
}

void
add_text (AmqpMessage *self, const char *name, const char *text)
{
  add_header (self, name, AMQP_FIELD_KIND_UTF8)->value.bytes = amqp_cstring_bytes (text);
}

void
add_number (AmqpMessage *self, const char *name, gint64 number)
{
  add_header (self, name, AMQP_FIELD_KIND_I64)->value.i64 = number;
}

GBytes *
encode (AmqpMessage *self)
{
  guint8 buffer[8192];
  amqp_bytes_t encoded = { sizeof buffer, buffer };
  int length = amqp_encode_properties (AMQP_BASIC_CLASS, &self->properties, encoded);

  g_assert_cmpint (length, >, 0);
  return g_bytes_new (buffer, (gsize) length);
}

AmpsAmqpMessage *
wrap (GBytes *properties, const char *body)
{
  AmpsAmqpMessage *message = g_new0 (AmpsAmqpMessage, 1);

  message->tag = 7;
  message->properties = g_bytes_ref (properties);
  message->body_size = strlen (body);
  message->body = g_bytes_new (body, strlen (body));
  return message;
}

AmpsDelivery *
read_message (AmqpMessage *self, const char *body, AmpsCloudEvent **event, GError **problem)
{
  g_autoptr (GBytes) properties = encode (self);
  g_autoptr (AmpsAmqpMessage) message = wrap (properties, body);

  return amps_amqp_properties_read (message, 1000, AMPS_EVENT_VALIDATION_STRICT, event, problem);
}
