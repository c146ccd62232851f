/* SPDX-License-Identifier: MIT */
#include "amps-amqp-redrive.h"

#include "amps-amqp-headers.h"
#include "amps-amqp-table.h"

#define PERSISTENT 2

static gboolean
is_kept (const amqp_table_entry_t *entry, gboolean new_life, gboolean has_user)
{
  /* The broker knows better. */
  if (amps_amqp_table_is_named (entry, AMPS_AMQP_USER_ID_HEADER))
    return !has_user;
  if (amps_amqp_headers_are_misread (entry))
    return FALSE;

  return !new_life || !amps_amqp_headers_are_of_earlier_life (entry);
}

/**
 * amps_amqp_redrive_build:
 * @raw: the properties of a dead letter as they came over the wire
 * @new_life: whether it becomes what it was before it was given up; else it stays a dead
 *   letter
 * @pool: where to put it
 * @properties: (out caller-allocates): the copy's, valid as long as @pool and @raw
 *
 * The copy takes up no more than its original, which fitted into a frame: what may be added
 * was a property before.
 *
 * Returns: whether @raw could be read
 */
gboolean
amps_amqp_redrive_build (GBytes *raw, gboolean new_life, amqp_pool_t *pool,
                         amqp_basic_properties_t *properties)
{
  gsize length;
  gconstpointer data = g_bytes_get_data (raw, &length);
  amqp_basic_properties_t *original;
  amqp_table_t headers = { 0, NULL };
  const amqp_table_t *old;
  gboolean has_user;

  if (amqp_decode_properties (AMQP_BASIC_CLASS, pool, (amqp_bytes_t){ length, (void *) data },
                              (void **) &original) != AMQP_STATUS_OK)
    return FALSE;

  old = amps_amqp_table_get_headers (original);
  has_user = (original->_flags & AMQP_BASIC_USER_ID_FLAG) != 0;
  headers.entries =
      amqp_pool_alloc (pool, ((gsize) old->num_entries + 1) * sizeof *headers.entries);
  for (int i = 0; i < old->num_entries; i++)
    {
      if (is_kept (&old->entries[i], new_life, has_user))
        headers.entries[headers.num_entries++] = old->entries[i];
    }

  *properties = *original;
  if (has_user)
    {
      amqp_table_entry_t *entry = &headers.entries[headers.num_entries++];

      entry->key = amqp_cstring_bytes (AMPS_AMQP_USER_ID_HEADER);
      entry->value.kind = AMQP_FIELD_KIND_UTF8;
      entry->value.value.bytes = original->user_id;
    }

  properties->headers = headers;
  properties->delivery_mode = PERSISTENT;
  properties->_flags |= AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties->_flags &= ~(amqp_flags_t) AMQP_BASIC_USER_ID_FLAG;
  if (new_life)
    properties->_flags &= ~(amqp_flags_t) AMQP_BASIC_EXPIRATION_FLAG;
  return TRUE;
}
