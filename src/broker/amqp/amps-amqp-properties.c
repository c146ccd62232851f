/* SPDX-License-Identifier: MIT */
#include "amps-amqp-properties.h"

#include "amps-amqp-binary.h"
#include "amps-amqp-headers.h"
#include "amps-amqp-table.h"
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "base/amps-log.h"
#include "event/amps-event-attribute.h"
#include "event/amps-gzip.h"
#include "event/amps-trace-context.h"

#include <string.h>

#define PERSISTENT 2

/* Of the 14 properties that there are (AMQP 0-9-1, 1.8; 4.2.6.1 allows for more). */
#define COPIED_FLAGS                                                                               \
  (0xfffc & ~(amqp_flags_t) (AMQP_BASIC_USER_ID_FLAG | AMQP_BASIC_EXPIRATION_FLAG))
#define POOL_SIZE 4096

/* Bytes of a body that are too few to matter. */
#define MAX_SMALL_SIZE (256 * 1024)

/* A control character in a JSON string has this many (RFC 8259, section 7). */
#define MAX_ESCAPED 6

/* What tells a retry from a dead letter. Both may say why. */
#define COPY_HEADER "x-amps-copy"
#define RETRY_HEADER "x-amps-retry"

/* No point in time, since the clocks of replicas differ. */
#define DELAY_HEADER "x-amps-remaining-delay"

/* Anybody can publish such a header. */
#define MAX_DELAY (G_MAXINT64 / 4)

/* Headers that a copy may add: the own ones, and the user's id. Each takes up no
 * more than this beside its text. */
#define N_OWN 12
#define MAX_NUMBER_SIZE 64

/**
 * amps_amqp_copy_free:
 * @self: (transfer full): a copy's headers
 */
void
amps_amqp_copy_free (AmpsAmqpCopy *self)
{
  g_free (self->reason);
  g_free (self->detail);
  g_free (self->queue);
  g_free (self->worker);
  g_free (self->name);
  g_free (self);
}

static gboolean
amqp_properties_decode (GBytes *raw, amqp_pool_t *pool, amqp_basic_properties_t **properties)
{
  gsize length;
  gconstpointer data = g_bytes_get_data (raw, &length);
  amqp_bytes_t encoded = { length, (void *) data };

  return amqp_decode_properties (AMQP_BASIC_CLASS, pool, encoded, (void **) properties) ==
         AMQP_STATUS_OK;
}

/* Reading */

static gboolean
is_true (const amqp_table_t *headers, const char *name)
{
  const amqp_field_value_t *field = amps_amqp_table_find (headers, name);

  return field != NULL && field->kind == AMQP_FIELD_KIND_BOOLEAN && field->value.boolean;
}

/* Returns: µs; 0 when there is none */
static gint64
amqp_properties_get_time (const amqp_table_t *headers, const char *name)
{
  return CLAMP (amps_amqp_table_get_number (headers, name, 0), 0, G_MAXINT64 / 1000) * 1000;
}

/* It goes into headers of HTTP; a state means nothing without its parent. */
static void
read_trace_context (AmpsDelivery *delivery, const amqp_table_t *headers)
{
  g_autofree char *parent = amps_amqp_table_dup_text (headers, "traceparent");
  g_autofree char *state = amps_amqp_table_dup_text (headers, "tracestate");

  if (parent == NULL || !amps_trace_context_is_traceparent (parent))
    return;

  delivery->traceparent = g_steal_pointer (&parent);
  if (state != NULL && amps_event_attribute_is_tracestate (state))
    delivery->tracestate = g_steal_pointer (&state);
}

/* Returns: which copy it is, by its name; 0 for none */
static unsigned int
read_copy (const amqp_table_t *headers)
{
  g_autofree char *name = amps_amqp_table_dup_text (headers, COPY_HEADER);

  if (name != NULL)
    return MAX (g_str_hash (name), 1);
  return amps_amqp_table_find (headers, COPY_HEADER) != NULL ? 1 : 0;
}

static void
amqp_properties_read_headers (AmpsDelivery *delivery, const amqp_table_t *headers)
{
  gint64 attempt = amps_amqp_table_get_number (headers, "x-amps-attempt", 1);
  gint64 first_received = amqp_properties_get_time (headers, "x-amps-first-received");

  delivery->attempt = (unsigned int) CLAMP (attempt, 1, G_MAXINT32);
  delivery->returns = (unsigned int) CLAMP (
      amps_amqp_table_get_number (headers, "x-delivery-count", 0), 0, G_MAXINT32);
  delivery->delay = MIN (amqp_properties_get_time (headers, DELAY_HEADER), MAX_DELAY);
  delivery->redelivered = delivery->redelivered || is_true (headers, "x-amps-redelivered");
  delivery->copy = read_copy (headers);
  if (first_received > 0)
    delivery->first_received = first_received;
  read_trace_context (delivery, headers);
}

/* Returns: whether the message was dead-lettered by the broker for anything but having
 * waited long enough, as in a retry queue */
static gboolean
was_dead_lettered (const amqp_table_t *headers)
{
  const amqp_field_value_t *deaths = amps_amqp_table_find (headers, "x-death");

  if (deaths == NULL || deaths->kind != AMQP_FIELD_KIND_ARRAY)
    return FALSE;

  for (int i = 0; i < deaths->value.array.num_entries; i++)
    {
      const amqp_field_value_t *death = &deaths->value.array.entries[i];
      g_autofree char *reason = death->kind == AMQP_FIELD_KIND_TABLE
                                    ? amps_amqp_table_dup_text (&death->value.table, "reason")
                                    : NULL;

      if (reason != NULL && !g_str_equal (reason, "expired"))
        return TRUE;
    }

  return FALSE;
}

/* A dead letter that somebody has put back starts a new life. It says why it was given
 * up, but not that it is a retry. */
static void
forget_earlier_life (AmpsDelivery *delivery, const amqp_table_t *headers,
                     const AmpsAmqpMessage *message)
{
  gboolean given_up =
      amps_amqp_table_find (headers, "x-amps-reason") != NULL && !is_true (headers, RETRY_HEADER);

  if (!given_up && !was_dead_lettered (headers))
    return;

  delivery->attempt = 1;
  delivery->delay = 0;
  delivery->redelivered = message->redelivered;
  delivery->copy = 0;
  delivery->first_received = g_get_real_time ();
}

/* Returns: (transfer full): @bytes: (transfer full), counted */
static GBytes *
amqp_properties_hold (AmpsByteBudget *budget, GBytes *bytes)
{
  gsize size = g_bytes_get_size (bytes);

  amps_byte_budget_add (budget, size);
  return amps_byte_budget_wrap (budget, bytes, size);
}

static AmpsDelivery *
make_delivery (AmpsAmqpMessage *message, const amqp_basic_properties_t *properties,
               guint64 max_body_size, AmpsEventValidation validation, GError **problem)
{
  g_autoptr (GBytes) body =
      message->body != NULL ? g_bytes_ref (message->body) : g_bytes_new_static ("", 0);
  g_autoptr (GBytes) structured = NULL;
  AmpsDelivery *delivery;

  if (message->body_size > max_body_size)
    g_set_error (problem, AMPS_ERROR, AMPS_ERROR_TOO_LARGE,
                 "it has %" G_GUINT64_FORMAT " bytes, and MAX_BODY_SIZE is %" G_GUINT64_FORMAT,
                 message->body_size, max_body_size);
  else if (properties == NULL)
    g_set_error_literal (problem, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
                         "its properties can't be read");
  else
    structured =
        amps_amqp_binary_to_structured (properties, body, max_body_size, validation, problem);

  if (structured != NULL && structured != body && message->budget != NULL)
    structured = amqp_properties_hold (message->budget, g_steal_pointer (&structured));
  delivery = amps_delivery_new (g_bytes_ref (structured != NULL ? structured : body));
  if (delivery->body != body)
    delivery->original_body = g_steal_pointer (&body);
  return delivery;
}

/* Only what is malformed pays for it. Returns: (transfer full): @problem, or one that
 * says more */
static GError *
add_hint (GError *problem, GBytes *raw)
{
  amqp_basic_properties_t *properties;
  const char *hint = NULL;
  amqp_pool_t pool;

  init_amqp_pool (&pool, POOL_SIZE);
  if (amqp_properties_decode (raw, &pool, &properties))
    hint = amps_amqp_binary_find_hint (properties);
  empty_amqp_pool (&pool);

  if (hint == NULL)
    return problem;

  g_autoptr (GError) found = problem;

  return g_error_new (found->domain, found->code, "%s; %s", found->message, hint);
}

/**
 * amps_amqp_properties_read:
 * @message: a delivered message
 * @max_body_size: larger ones are a problem
 * @validation: what an event must be
 * @event: (out) (transfer full) (nullable): the event in it
 * @problem: return location: why there is none
 *
 * Callable from any thread.
 *
 * Returns: (transfer full): the delivery, without its epoch
 */
AmpsDelivery *
amps_amqp_properties_read (AmpsAmqpMessage *message, guint64 max_body_size,
                           AmpsEventValidation validation, AmpsCloudEvent **event, GError **problem)
{
  amqp_basic_properties_t *properties = NULL;
  g_autoptr (GError) found = NULL;
  amqp_pool_t pool;
  AmpsDelivery *delivery;

  init_amqp_pool (&pool, POOL_SIZE);
  if (!amqp_properties_decode (message->properties, &pool, &properties))
    properties = NULL;

  delivery = make_delivery (message, properties, max_body_size, validation, &found);
  delivery->tag = message->tag;
  delivery->incomplete = message->body == NULL;
  delivery->redelivered = message->redelivered;
  delivery->received = g_get_monotonic_time ();
  delivery->first_received = g_get_real_time ();
  delivery->properties = g_bytes_ref (message->properties);
  if (properties != NULL)
    {
      amqp_properties_read_headers (delivery, amps_amqp_table_get_headers (properties));
      forget_earlier_life (delivery, amps_amqp_table_get_headers (properties), message);
    }
  empty_amqp_pool (&pool);

  *event = NULL;
  if (found == NULL)
    {
      gsize length;
      const char *json = g_bytes_get_data (delivery->body, &length);

      *event = amps_cloud_event_scan (json, length, validation, &found);
    }
  if (found != NULL)
    {
      delivery->message_id = amps_amqp_properties_dup_message_id (message->properties);
      g_propagate_error (problem, add_hint (g_steal_pointer (&found), message->properties));
    }

  return delivery;
}

/**
 * amps_amqp_properties_is_encoded:
 * @raw: properties as they came over the wire
 *
 * Looks at the flags alone: this is asked of each message, before it is known who
 * reads the rest.
 *
 * Returns: whether there is a `content-encoding`
 */
gboolean
amps_amqp_properties_is_encoded (GBytes *raw)
{
  gsize length;
  const guint8 *flags = g_bytes_get_data (raw, &length);

  return length >= 2 && ((flags[0] << 8 | flags[1]) & AMQP_BASIC_CONTENT_ENCODING_FLAG) != 0;
}

static gboolean
may_be_binary (GBytes *raw)
{
  amqp_basic_properties_t *properties;
  amqp_pool_t pool;
  gboolean binary;

  init_amqp_pool (&pool, POOL_SIZE);
  binary =
      amqp_properties_decode (raw, &pool, &properties) && amps_amqp_binary_is_binary (properties);
  empty_amqp_pool (&pool);

  return binary;
}

/**
 * amps_amqp_properties_get_growth:
 * @raw: properties as they came over the wire
 * @body_size: bytes of the body
 * @max_body_size: larger ones are not read, nor unpacked
 *
 * Small bodies that are not packed are not looked at: what becomes of them is counted
 * when it is there.
 *
 * Returns: an upper bound of the bytes that reading the message makes of it, beside the
 *   body: the body unpacked, and the structured event
 */
gsize
amps_amqp_properties_get_growth (GBytes *raw, guint64 body_size, guint64 max_body_size)
{
  gboolean encoded = amps_amqp_properties_is_encoded (raw);
  gsize unpacked = 0;

  if (body_size > max_body_size || (!encoded && body_size <= MAX_SMALL_SIZE))
    return 0;

  if (encoded)
    unpacked = amps_gzip_get_bound (body_size, max_body_size);
  return unpacked + (may_be_binary (raw) ? MAX (unpacked, body_size) * MAX_ESCAPED : 0);
}

/**
 * amps_amqp_properties_dup_message_id:
 * @raw: properties as they came over the wire
 *
 * Returns: (transfer full) (nullable): the `message-id`
 */
char *
amps_amqp_properties_dup_message_id (GBytes *raw)
{
  amqp_basic_properties_t *properties;
  amqp_pool_t pool;
  char *message_id = NULL;

  init_amqp_pool (&pool, POOL_SIZE);
  if (amqp_properties_decode (raw, &pool, &properties) &&
      properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG)
    message_id = g_strndup (properties->message_id.bytes, properties->message_id.len);
  empty_amqp_pool (&pool);

  return message_id;
}

/**
 * amps_amqp_properties_dup_copy_name:
 * @raw: properties as they came over the wire
 *
 * Returns: (transfer full) (nullable): the name that AMPS gave the message as a
 *   copy
 */
char *
amps_amqp_properties_dup_copy_name (GBytes *raw)
{
  amqp_basic_properties_t *properties;
  amqp_pool_t pool;
  char *name = NULL;

  init_amqp_pool (&pool, POOL_SIZE);
  if (amqp_properties_decode (raw, &pool, &properties))
    name = amps_amqp_table_dup_text (amps_amqp_table_get_headers (properties), COPY_HEADER);
  empty_amqp_pool (&pool);

  return name;
}

/* Copying */

/* Whose the message was stays, unless the broker knows better. */
static gboolean
amqp_properties_is_dropped (const amqp_table_entry_t *entry, gboolean has_user)
{
  if (amps_amqp_table_is_named (entry, AMPS_AMQP_USER_ID_HEADER))
    return has_user;

  return amps_amqp_headers_are_misread (entry) || amps_amqp_headers_are_of_earlier_life (entry);
}

static amqp_bytes_t
copy_to_pool (amqp_pool_t *pool, const char *text, gsize length)
{
  amqp_bytes_t bytes;

  amqp_pool_alloc_bytes (pool, length, &bytes);
  memcpy (bytes.bytes, text, length);
  return bytes;
}

static amqp_table_entry_t *
amqp_properties_append (amqp_table_t *headers, const char *name)
{
  amqp_table_entry_t *entry = &headers->entries[headers->num_entries++];

  entry->key = amqp_cstring_bytes (name);
  return entry;
}

static void
amqp_properties_append_text (amqp_table_t *headers, amqp_pool_t *pool, const char *name,
                             const char *text)
{
  amqp_table_entry_t *entry;

  if (text == NULL)
    return;

  entry = amqp_properties_append (headers, name);
  entry->value.kind = AMQP_FIELD_KIND_UTF8;
  entry->value.value.bytes = copy_to_pool (pool, text, strlen (text));
}

static void
append_number (amqp_table_t *headers, const char *name, gint64 number)
{
  amqp_table_entry_t *entry = amqp_properties_append (headers, name);

  entry->value.kind = AMQP_FIELD_KIND_I64;
  entry->value.value.i64 = number;
}

static void
append_true (amqp_table_t *headers, const char *name)
{
  amqp_table_entry_t *entry = amqp_properties_append (headers, name);

  entry->value.kind = AMQP_FIELD_KIND_BOOLEAN;
  entry->value.value.boolean = TRUE;
}

static gsize
amqp_properties_get_length (const char *text)
{
  return text != NULL ? strlen (text) : 0;
}

/* An upper bound of what the copy's own headers take up, but for the detail. */
static gsize
get_own_size (const AmpsAmqpCopy *copy)
{
  return N_OWN * MAX_NUMBER_SIZE + amqp_properties_get_length (copy->reason) +
         amqp_properties_get_length (copy->queue) + amqp_properties_get_length (copy->worker) +
         amqp_properties_get_length (copy->name);
}

static void
amqp_properties_append_own (amqp_table_t *headers, amqp_pool_t *pool, const AmpsAmqpCopy *copy,
                            gboolean with_detail)
{
  g_autofree char *detail =
      with_detail && copy->detail != NULL ? amps_foreign_text_dup (copy->detail, -1) : NULL;

  amqp_properties_append_text (headers, pool, "x-amps-reason", copy->reason);
  amqp_properties_append_text (headers, pool, "x-amps-detail", detail);
  amqp_properties_append_text (headers, pool, "x-amps-queue", copy->queue);
  amqp_properties_append_text (headers, pool, "x-amps-worker", copy->worker);
  amqp_properties_append_text (headers, pool, COPY_HEADER, copy->name);
  append_number (headers, "x-amps-attempt", copy->attempt);
  append_number (headers, "x-amps-first-received", copy->first_received / 1000);
  append_number (headers, "x-amps-time", copy->time / 1000);
  if (copy->delay > 0)
    append_number (headers, DELAY_HEADER, (copy->delay + 999) / 1000);
  if (copy->redelivered)
    append_true (headers, "x-amps-redelivered");
  if (copy->retry)
    append_true (headers, RETRY_HEADER);
}

/**
 * amps_amqp_properties_build_copy:
 * @raw: (nullable): properties as they came over the wire
 * @copy: what the copy says of itself
 * @max_size: bytes that there is room for: all must fit into one frame
 * @pool: where to put it
 * @properties: (out caller-allocates): the copy's, valid as long as @pool and @raw
 *
 * Returns: whether @raw could be read
 */
gboolean
amps_amqp_properties_build_copy (GBytes *raw, const AmpsAmqpCopy *copy, gsize max_size,
                                 amqp_pool_t *pool, amqp_basic_properties_t *properties)
{
  gsize size = g_bytes_get_size (raw) + get_own_size (copy);
  gboolean has_room = size <= max_size;
  amqp_basic_properties_t *original;
  amqp_table_t headers = { 0, NULL };
  const amqp_table_t *old;
  gboolean has_user;

  if (!amqp_properties_decode (raw, pool, &original))
    return FALSE;

  old = amps_amqp_table_get_headers (original);
  has_user = (original->_flags & AMQP_BASIC_USER_ID_FLAG) != 0;
  headers.entries =
      amqp_pool_alloc (pool, (gsize) (old->num_entries + N_OWN) * sizeof *headers.entries);
  if (!has_room)
    amps_log (WARNING, COPY_WITHOUT_HEADERS,
              "A copy has no room for the headers of its original, which fill a frame");
  for (int i = 0; has_room && i < old->num_entries; i++)
    {
      if (!amqp_properties_is_dropped (&old->entries[i], has_user))
        headers.entries[headers.num_entries++] = old->entries[i];
    }

  *properties = *original;
  /* One that is not the connection's closes the channel. */
  if (has_user)
    {
      amqp_table_entry_t *entry = amqp_properties_append (&headers, AMPS_AMQP_USER_ID_HEADER);

      entry->value.kind = AMQP_FIELD_KIND_UTF8;
      entry->value.value.bytes = properties->user_id;
    }
  amqp_properties_append_own (&headers, pool, copy,
                              !has_room || size + AMPS_FOREIGN_TEXT_MAX <= max_size);

  properties->headers = headers;
  properties->delivery_mode = PERSISTENT;
  properties->_flags |= AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties->_flags &= COPIED_FLAGS;
  return TRUE;
}
