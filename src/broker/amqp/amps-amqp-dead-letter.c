/* SPDX-License-Identifier: MIT */
#include "amps-amqp-dead-letter.h"

#include "amps-amqp-table.h"
#include "base/amps-foreign-text.h"

#define POOL_SIZE 4096

/* Returns: (nullable): what the broker says of the last time that it moved the message by a
 * dead-letter policy */
static const amqp_table_t *
find_death (const amqp_table_t *headers)
{
  const amqp_field_value_t *deaths = amps_amqp_table_find (headers, "x-death");

  if (deaths == NULL || deaths->kind != AMQP_FIELD_KIND_ARRAY ||
      deaths->value.array.num_entries == 0 ||
      deaths->value.array.entries[0].kind != AMQP_FIELD_KIND_TABLE)
    return NULL;

  return &deaths->value.array.entries[0].value.table;
}

/* Returns: µs since 1970 of a number of @unit µs; 0 when there is none */
static gint64
amqp_dead_letter_get_time (const amqp_table_t *headers, const char *name, gint64 unit)
{
  return CLAMP (amps_amqp_table_get_number (headers, name, 0), 0, G_MAXINT64 / unit) * unit;
}

static void
amqp_dead_letter_read_headers (AmpsDeadLetter *letter, const amqp_table_t *headers)
{
  g_autofree char *detail = amps_amqp_table_dup_text (headers, "x-amps-detail");

  letter->reason = amps_amqp_table_dup_text (headers, "x-amps-reason");
  letter->detail = detail != NULL ? amps_foreign_text_dup (detail, -1) : NULL;
  letter->queue = amps_amqp_table_dup_text (headers, "x-amps-queue");
  letter->worker = amps_amqp_table_dup_text (headers, "x-amps-worker");
  letter->attempt =
      (unsigned int) CLAMP (amps_amqp_table_get_number (headers, "x-amps-attempt", 0), 0, G_MAXINT);
  letter->first_received = amqp_dead_letter_get_time (headers, "x-amps-first-received", 1000);
  letter->time = amqp_dead_letter_get_time (headers, "x-amps-time", 1000);
}

/* AMPS has not copied it: the broker moved it. */
static void
read_death (AmpsDeadLetter *letter, const amqp_table_t *headers)
{
  const amqp_table_t *death = find_death (headers);

  if (letter->reason != NULL || death == NULL)
    return;

  letter->reason = amps_amqp_table_dup_text (death, "reason");
  letter->time = amqp_dead_letter_get_time (death, "time", G_USEC_PER_SEC);
  if (letter->queue == NULL)
    letter->queue = amps_amqp_table_dup_text (death, "queue");
}

static void
read_properties (AmpsDeadLetter *letter, GBytes *raw)
{
  gsize length;
  gconstpointer data = g_bytes_get_data (raw, &length);
  amqp_bytes_t encoded = { length, (void *) data };
  amqp_basic_properties_t *properties;
  amqp_pool_t pool;

  init_amqp_pool (&pool, POOL_SIZE);
  if (amqp_decode_properties (AMQP_BASIC_CLASS, &pool, encoded, (void **) &properties) ==
      AMQP_STATUS_OK)
    {
      const amqp_table_t *headers = amps_amqp_table_get_headers (properties);

      amqp_dead_letter_read_headers (letter, headers);
      read_death (letter, headers);
    }
  empty_amqp_pool (&pool);
}

/**
 * amps_amqp_dead_letter_read:
 * @delivery: a message out of the dead letters
 * @event: (nullable): what is in it
 *
 * Returns: (transfer full): what it says of itself, without its body
 */
AmpsDeadLetter *
amps_amqp_dead_letter_read (const AmpsDelivery *delivery, const AmpsCloudEvent *event)
{
  AmpsDeadLetter *letter = amps_dead_letter_new ();

  read_properties (letter, delivery->properties);
  letter->size = g_bytes_get_size (delivery->body);
  letter->id = g_strdup (event != NULL ? event->id : delivery->message_id);
  if (event != NULL)
    {
      letter->source = g_strdup (event->source);
      letter->type = g_strdup (event->type);
    }

  return letter;
}
