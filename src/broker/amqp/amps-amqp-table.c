/* SPDX-License-Identifier: MIT */
#include "amps-amqp-table.h"

#include <string.h>

/**
 * amps_amqp_table_get_headers:
 * @properties: of a message
 *
 * Returns: (transfer none): its headers, of which there may be none
 */
const amqp_table_t *
amps_amqp_table_get_headers (const amqp_basic_properties_t *properties)
{
  static const amqp_table_t none = { 0, NULL };

  return properties->_flags & AMQP_BASIC_HEADERS_FLAG ? &properties->headers : &none;
}

/**
 * amps_amqp_table_is_named:
 * @entry: of a table
 * @name: a name
 *
 * Returns: whether @entry has that name, to the letter
 */
gboolean
amps_amqp_table_is_named (const amqp_table_entry_t *entry, const char *name)
{
  return entry->key.len == strlen (name) && memcmp (entry->key.bytes, name, entry->key.len) == 0;
}

/**
 * amps_amqp_table_find:
 * @self: a table
 * @name: a name
 *
 * Returns: (transfer none) (nullable): the first value of that name
 */
const amqp_field_value_t *
amps_amqp_table_find (const amqp_table_t *self, const char *name)
{
  for (int i = 0; i < self->num_entries; i++)
    {
      if (amps_amqp_table_is_named (&self->entries[i], name))
        return &self->entries[i].value;
    }

  return NULL;
}

/**
 * amps_amqp_table_dup_text:
 * @self: a table
 * @name: a name
 *
 * Returns: (transfer full) (nullable): the first value of that name, if it is text
 */
char *
amps_amqp_table_dup_text (const amqp_table_t *self, const char *name)
{
  const amqp_field_value_t *field = amps_amqp_table_find (self, name);

  if (field == NULL ||
      (field->kind != AMQP_FIELD_KIND_UTF8 && field->kind != AMQP_FIELD_KIND_BYTES) ||
      !g_utf8_validate_len (field->value.bytes.bytes, field->value.bytes.len, NULL))
    return NULL;

  return g_strndup (field->value.bytes.bytes, field->value.bytes.len);
}

/* Clients write whole numbers in whatever width they like. */
static gint64
to_number (const amqp_field_value_t *field, gint64 fallback)
{
  switch (field->kind)
    {
    case AMQP_FIELD_KIND_I8:
      return field->value.i8;
    case AMQP_FIELD_KIND_U8:
      return field->value.u8;
    case AMQP_FIELD_KIND_I16:
      return field->value.i16;
    case AMQP_FIELD_KIND_U16:
      return field->value.u16;
    case AMQP_FIELD_KIND_I32:
      return field->value.i32;
    case AMQP_FIELD_KIND_U32:
      return field->value.u32;
    case AMQP_FIELD_KIND_I64:
      return field->value.i64;
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_TIMESTAMP:
      return (gint64) MIN (field->value.u64, G_MAXINT64);
    default:
      return fallback;
    }
}

/**
 * amps_amqp_table_get_number:
 * @self: a table
 * @name: a name
 * @fallback: a number
 *
 * Returns: the first value of that name, if it is a whole number or a time; else @fallback
 */
gint64
amps_amqp_table_get_number (const amqp_table_t *self, const char *name, gint64 fallback)
{
  const amqp_field_value_t *field = amps_amqp_table_find (self, name);

  return field != NULL ? to_number (field, fallback) : fallback;
}

/**
 * amps_amqp_table_make_text:
 * @name: a name, which outlives the entry
 * @text: its value, likewise
 *
 * Returns: an entry for a table
 */
amqp_table_entry_t
amps_amqp_table_make_text (const char *name, const char *text)
{
  amqp_table_entry_t entry = { .key = amqp_cstring_bytes (name) };

  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = amqp_cstring_bytes (text);
  return entry;
}
