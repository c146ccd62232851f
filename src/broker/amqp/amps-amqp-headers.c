/* SPDX-License-Identifier: MIT */
#include "amps-amqp-headers.h"

#include "amps-amqp-table.h"

#include <string.h>

static gboolean
begins_with (const amqp_table_entry_t *entry, const char *prefix)
{
  gsize length = strlen (prefix);

  return entry->key.len >= length && memcmp (entry->key.bytes, prefix, length) == 0;
}

/**
 * amps_amqp_headers_are_misread:
 * @entry: a header
 *
 * Returns: whether it would be wrong on any copy: the broker would send that elsewhere, too,
 *   or it counts what happened to the original
 */
gboolean
amps_amqp_headers_are_misread (const amqp_table_entry_t *entry)
{
  return amps_amqp_table_is_named (entry, "CC") || amps_amqp_table_is_named (entry, "BCC") ||
         amps_amqp_table_is_named (entry, "x-delivery-count") ||
         amps_amqp_table_is_named (entry, "x-acquired-count");
}

/**
 * amps_amqp_headers_are_of_earlier_life:
 * @entry: a header
 *
 * Returns: whether it says what became of the message before, to AMPS or to the broker
 */
gboolean
amps_amqp_headers_are_of_earlier_life (const amqp_table_entry_t *entry)
{
  return amps_amqp_table_is_named (entry, "x-death") || begins_with (entry, "x-first-death-") ||
         begins_with (entry, "x-last-death-") || begins_with (entry, "x-amps-");
}
