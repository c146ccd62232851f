/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/amqp/amps-amqp-properties.h"
#include "broker/amqp/amps-amqp-table.h"
#include "event/amps-trace-context.h"

#include <string.h>

/* Whatever the properties and the body of a message are, AMPS makes a delivery of it whose
 * parts make sense, and a copy of it that the broker takes and that is the same job.
 *
 * An input is the properties' length in two bytes, the properties as on the wire, and the
 * body. */

/* What is left of a frame of RabbitMQ's size for properties. */
#define MAX_SIZE (131072 - 8 - 12)
#define MAX_BODY 4096
#define POOL_SIZE 4096

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static const AmpsAmqpCopy copy = {
  .reason = (char *) "rejected",
  .detail = (char *) "no time for “it”",
  .attempt = 7,
  .queue = (char *) "jobs",
  .worker = (char *) "me",
  .first_received = G_GINT64_CONSTANT (1600000000456000),
  .time = G_GINT64_CONSTANT (1700000000123000),
  .delay = 1500,
  .name = (char *) "00c0ffee-9",
  .redelivered = TRUE,
  .retry = TRUE,
};

static AmpsDelivery *
read_message (GBytes *properties, GBytes *body, AmpsCloudEvent **event, GError **problem)
{
  AmpsAmqpMessage message = {
    .tag = 3, .properties = properties, .body = body, .body_size = g_bytes_get_size (body)
  };

  return amps_amqp_properties_read (&message, MAX_BODY, AMPS_EVENT_VALIDATION_LENIENT, event,
                                    problem);
}

static void
assert_readable (const GError *problem)
{
  g_assert_true (problem->domain == AMPS_ERROR);
  g_assert_true (g_utf8_validate (problem->message, -1, NULL));
  for (const char *at = problem->message; *at != '\0'; at = g_utf8_next_char (at))
    g_assert_true (g_unichar_isprint (g_utf8_get_char (at)));
}

static void
assert_delivery (const AmpsDelivery *delivery, GBytes *body, const AmpsCloudEvent *event,
                 const GError *problem)
{
  g_assert_cmpuint (delivery->tag, ==, 3);
  g_assert_cmpuint (delivery->attempt, >=, 1);
  g_assert_cmpuint (delivery->attempt, <=, G_MAXINT32);
  g_assert_cmpuint (delivery->returns, <=, G_MAXINT32);
  g_assert_cmpint (delivery->delay, >=, 0);
  g_assert_cmpint (delivery->first_received, >, 0);
  g_assert_true (delivery->traceparent != NULL || delivery->tracestate == NULL);
  g_assert_true (delivery->traceparent == NULL ||
                 amps_trace_context_is_traceparent (delivery->traceparent));
  g_assert_true (g_bytes_equal (
      delivery->original_body != NULL ? delivery->original_body : delivery->body, body));

  g_assert_cmpint (event != NULL, ==, problem == NULL);
  if (problem != NULL)
    assert_readable (problem);
}

/* However it came, what the workload gets is an event in structured mode, the same one. */
static void
assert_structured (const AmpsDelivery *delivery, const AmpsCloudEvent *event)
{
  gsize length;
  const char *json = g_bytes_get_data (delivery->body, &length);
  g_autoptr (AmpsCloudEvent) again =
      amps_cloud_event_scan (json, length, AMPS_EVENT_VALIDATION_LENIENT, NULL);

  g_assert_nonnull (again);
  g_assert_cmpstr (again->id, ==, event->id);
}

static GBytes *
encode (amqp_basic_properties_t *properties)
{
  static guint8 buffer[MAX_SIZE];
  amqp_bytes_t encoded = { MAX_SIZE, buffer };
  int length = amqp_encode_properties (AMQP_BASIC_CLASS, properties, encoded);

  /* Else no connection would live on beyond the attempt to publish it. */
  g_assert_cmpint (length, >, 0);
  return g_bytes_new (buffer, (gsize) length);
}

/* Returns: (nullable): the properties of a copy; %NULL if @raw can't be read */
static GBytes *
make_copy (GBytes *raw)
{
  amqp_basic_properties_t properties;
  amqp_pool_t pool;
  GBytes *made = NULL;

  init_amqp_pool (&pool, POOL_SIZE);
  if (amps_amqp_properties_build_copy (raw, &copy, MAX_SIZE, &pool, &properties))
    made = encode (&properties);
  empty_amqp_pool (&pool);
  return made;
}

static amqp_basic_properties_t *
decode (GBytes *raw, amqp_pool_t *pool)
{
  amqp_bytes_t encoded = { 0, NULL };
  amqp_basic_properties_t *properties = NULL;

  encoded.bytes = (void *) g_bytes_get_data (raw, &encoded.len);
  return amqp_decode_properties (AMQP_BASIC_CLASS, pool, encoded, (void **) &properties) ==
                 AMQP_STATUS_OK
             ? properties
             : NULL;
}

static gboolean
is_own (const amqp_table_entry_t *entry)
{
  return entry->key.len >= strlen ("x-amps-") && memcmp (entry->key.bytes, "x-amps-", 7) == 0;
}

static GBytes *
encode_entry (amqp_table_entry_t *entry)
{
  amqp_table_t table = { 1, entry };
  amqp_basic_properties_t properties = { ._flags = AMQP_BASIC_HEADERS_FLAG, .headers = table };

  return encode (&properties);
}

/* What the copy has beside what it says of itself is the original's, in the same order. */
static void
assert_headers (const amqp_table_t *copied, const amqp_table_t *original)
{
  int next = 0;

  for (int i = 0; i < copied->num_entries; i++)
    {
      g_autoptr (GBytes) entry = NULL;
      gboolean found = FALSE;

      if (is_own (&copied->entries[i]))
        continue;

      entry = encode_entry (&copied->entries[i]);
      for (; !found && next < original->num_entries; next++)
        {
          g_autoptr (GBytes) other = encode_entry (&original->entries[next]);

          found = g_bytes_equal (entry, other);
        }
      g_assert_true (found);
    }
}

static void
assert_copied (GBytes *copied_raw, GBytes *original_raw)
{
  const amqp_flags_t lost = AMQP_BASIC_USER_ID_FLAG | AMQP_BASIC_EXPIRATION_FLAG;
  const amqp_flags_t added = AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
  const amqp_basic_properties_t *original, *copied;
  g_autofree char *name = amps_amqp_properties_dup_copy_name (copied_raw);
  g_autofree char *id = amps_amqp_properties_dup_message_id (original_raw);
  g_autofree char *copied_id = amps_amqp_properties_dup_message_id (copied_raw);
  amqp_pool_t pool;

  init_amqp_pool (&pool, POOL_SIZE);
  original = decode (original_raw, &pool);
  copied = decode (copied_raw, &pool);
  g_assert_true (original != NULL && copied != NULL);
  g_assert_cmpuint (copied->_flags, ==, (original->_flags & 0xfffc & ~lost) | added);
  g_assert_cmpuint (copied->delivery_mode, ==, 2);
  g_assert_cmpstr (name, ==, copy.name);
  /* By this a copy that comes back is recognised. */
  g_assert_cmpstr (copied_id, ==, id);
  assert_headers (amps_amqp_table_get_headers (copied), amps_amqp_table_get_headers (original));
  empty_amqp_pool (&pool);
}

static void
assert_same_job (GBytes *copied, GBytes *body, const AmpsCloudEvent *event, const GError *problem)
{
  g_autoptr (AmpsCloudEvent) event_again = NULL;
  g_autoptr (GError) problem_again = NULL;
  g_autoptr (AmpsDelivery) again = read_message (copied, body, &event_again, &problem_again);

  assert_delivery (again, body, event_again, problem_again);
  g_assert_cmpuint (again->attempt, ==, copy.attempt);
  g_assert_cmpuint (again->returns, ==, 0);
  g_assert_cmpint (again->delay, ==, 2000);
  g_assert_cmpint (again->first_received, ==, copy.first_received);
  g_assert_true (again->redelivered);
  g_assert_cmpuint (again->copy, !=, 0);

  g_assert_cmpint (event == NULL, ==, event_again == NULL);
  if (event != NULL)
    g_assert_cmpstr (event->id, ==, event_again->id);
  else
    g_assert_cmpint (problem->code, ==, problem_again->code);
}

static void
check_copy (GBytes *raw, GBytes *body, const AmpsCloudEvent *event, const GError *problem)
{
  g_autoptr (GBytes) first = make_copy (raw);
  g_autoptr (GBytes) second = NULL;
  amqp_pool_t pool;

  init_amqp_pool (&pool, POOL_SIZE);
  g_assert_cmpint (decode (raw, &pool) != NULL, ==, first != NULL);
  empty_amqp_pool (&pool);
  if (first == NULL)
    return;

  assert_copied (first, raw);
  assert_same_job (first, body, event, problem);
  second = make_copy (first);
  assert_same_job (second, body, event, problem);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gsize length = size >= 2 ? MIN ((gsize) (data[0] << 8 | data[1]), size - 2) : 0;
  g_autoptr (GBytes) raw = NULL;
  g_autoptr (GBytes) body = NULL;
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (GError) problem = NULL;
  g_autoptr (AmpsDelivery) delivery = NULL;

  if (size < 2)
    return 0;

  raw = g_bytes_new (data + 2, length);
  body = g_bytes_new (data + 2 + length, size - 2 - length);
  delivery = read_message (raw, body, &event, &problem);
  assert_delivery (delivery, body, event, problem);
  if (event != NULL)
    assert_structured (delivery, event);
  check_copy (raw, body, event, problem);
  return 0;
}
