/* SPDX-License-Identifier: MIT */
#include "amqp-message.h"
#include "base/amps-error.h"

#include <string.h>

#define EVENT "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}"
#define TRACEPARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void
test_structured (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (AmpsDelivery) delivery = NULL;
  g_autoptr (GError) problem = NULL;

  delivery = read_message (&message, EVENT, &event, &problem);
  g_assert_no_error (problem);
  g_assert_cmpstr (event->id, ==, "1");
  g_assert_cmpuint (delivery->tag, ==, 7);
  g_assert_cmpuint (delivery->attempt, ==, 1);
  g_assert_cmpuint (delivery->returns, ==, 0);
  g_assert_cmpint (delivery->delay, ==, 0);
  g_assert_cmpint (delivery->first_received, >, 0);
  g_assert_null (delivery->original_body);
  g_assert_null (delivery->message_id);
  g_assert_cmpmem (g_bytes_get_data (delivery->body, NULL), g_bytes_get_size (delivery->body),
                   EVENT, strlen (EVENT));
}

/* What a copy of AMPS said of itself, and what a quorum queue counts. */
static void
test_own_headers (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (AmpsDelivery) delivery = NULL;

  add_number (&message, "x-amps-attempt", 3);
  add_number (&message, "x-amps-remaining-delay", 15123);
  add_number (&message, "x-amps-not-before", 1700000000123);
  add_number (&message, "x-amps-first-received", 1600000000456);
  add_header (&message, "x-delivery-count", AMQP_FIELD_KIND_U8)->value.u8 = 14;
  add_text (&message, "traceparent", TRACEPARENT);
  add_text (&message, "tracestate", "\xff");
  delivery = read_message (&message, EVENT, &event, NULL);
  g_assert_cmpuint (delivery->attempt, ==, 3);
  g_assert_cmpint (delivery->delay, ==, 15123000);
  g_assert_cmpint (delivery->first_received, ==, 1600000000456000);
  g_assert_cmpuint (delivery->returns, ==, 14);
  g_assert_cmpstr (delivery->traceparent, ==, TRACEPARENT);
  g_assert_null (delivery->tracestate);
}

/* Anybody can publish such headers. */
static void
test_own_headers_that_make_no_sense (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (AmpsDelivery) delivery = NULL;

  add_number (&message, "x-amps-attempt", -5);
  add_text (&message, "x-amps-remaining-delay", "soon");
  add_number (&message, "x-delivery-count", G_MAXINT64);
  add_header (&message, "x-amps-first-received", AMQP_FIELD_KIND_U64)->value.u64 = 0;
  delivery = read_message (&message, EVENT, &event, NULL);
  g_assert_cmpuint (delivery->attempt, ==, 1);
  g_assert_cmpint (delivery->delay, ==, 0);
  g_assert_cmpuint (delivery->returns, ==, G_MAXINT32);
  g_assert_cmpint (delivery->first_received, >, 0);
}

/* However long it is, it can be reckoned with. */
static void
test_endless_delay (void)
{
  static const gint64 delays[] = { G_MAXINT64, G_GINT64_CONSTANT (1) << 62, -1, G_MININT64 };

  for (unsigned int i = 0; i < G_N_ELEMENTS (delays); i++)
    {
      AmqpMessage message = { 0 };
      g_autoptr (AmpsCloudEvent) event = NULL;
      g_autoptr (AmpsDelivery) delivery = NULL;

      add_number (&message, "x-amps-remaining-delay", delays[i]);
      delivery = read_message (&message, EVENT, &event, NULL);
      g_assert_cmpint (delivery->delay, ==, delays[i] > 0 ? G_MAXINT64 / 4 : 0);
    }
}

/* For the dead letters it stays as it came. */
static void
test_binary_mode (void)
{
  static const char *const attributes[][2] = {
    { "cloudEvents:specversion", "1.0" },
    { "cloudEvents:id", "b" },
    { "cloudEvents:source", "/s" },
    { "cloudEvents:type", "t" },
  };
  AmqpMessage message = { 0 };
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (AmpsDelivery) delivery = NULL;
  g_autoptr (GError) problem = NULL;

  for (unsigned int i = 0; i < G_N_ELEMENTS (attributes); i++)
    add_text (&message, attributes[i][0], attributes[i][1]);
  delivery = read_message (&message, "{\"n\": 1.0}", &event, &problem);
  g_assert_no_error (problem);
  g_assert_cmpstr (event->id, ==, "b");
  g_assert_nonnull (g_strstr_len (g_bytes_get_data (delivery->body, NULL),
                                  (gssize) g_bytes_get_size (delivery->body),
                                  "\"data\":{\"n\": 1.0}"));
  g_assert_cmpuint (g_bytes_get_size (delivery->original_body), ==, strlen ("{\"n\": 1.0}"));
}

/* What EVENT is when it is packed by gzip. */
static AmpsAmqpMessage *
pack (AmqpMessage *self, const char *encoding, const char *body)
{
  g_autoptr (GConverter) compressor =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9));
  g_autoptr (GBytes) properties = NULL;
  guint8 packed[1000];
  gsize n_read, n_written;
  AmpsAmqpMessage *message;

  self->properties._flags |= AMQP_BASIC_CONTENT_ENCODING_FLAG;
  self->properties.content_encoding = amqp_cstring_bytes (encoding);
  properties = encode (self);
  message = wrap (properties, body);
  g_assert_cmpint (g_converter_convert (compressor, body, strlen (body), packed, sizeof packed,
                                        G_CONVERTER_INPUT_AT_END, &n_read, &n_written, NULL),
                   ==, G_CONVERTER_FINISHED);
  g_bytes_unref (message->body);
  message->body = g_bytes_new (packed, n_written);
  message->body_size = n_written;
  return message;
}

/* The workload gets it unpacked, and a copy is what the message was. */
static void
test_gzip (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsAmqpMessage) packed = pack (&message, "GZIP", EVENT);
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (GError) problem = NULL;
  g_autoptr (AmpsDelivery) delivery =
      amps_amqp_properties_read (packed, 1000, AMPS_EVENT_VALIDATION_STRICT, &event, &problem);

  g_assert_no_error (problem);
  g_assert_cmpstr (event->id, ==, "1");
  g_assert_cmpmem (g_bytes_get_data (delivery->body, NULL), g_bytes_get_size (delivery->body),
                   EVENT, strlen (EVENT));
  g_assert_true (delivery->original_body == packed->body);
  g_assert_true (amps_amqp_properties_is_encoded (delivery->properties));
}

/* What is made of a message is counted until it is gone. */
static void
test_counts_what_is_made (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (1000);
  g_autoptr (AmpsAmqpMessage) packed = pack (&message, "gzip", EVENT);
  g_autoptr (AmpsCloudEvent) event = NULL;
  AmpsDelivery *delivery;

  packed->budget = amps_byte_budget_ref (budget);
  packed->reserved = 500;
  amps_byte_budget_add (budget, packed->reserved);
  delivery = amps_amqp_properties_read (packed, 1000, AMPS_EVENT_VALIDATION_STRICT, &event, NULL);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 500 + strlen (EVENT));
  g_clear_pointer (&packed, amps_amqp_message_free);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, strlen (EVENT));
  amps_delivery_unref (delivery);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 0);
}

static void
test_growth (void)
{
  const guint64 kib = 1024;
  const guint64 max = 16 * 1024 * kib;
  AmqpMessage plain = { 0 }, packed = { 0 }, binary = { 0 };
  g_autoptr (GBytes) plain_properties = encode (&plain);
  g_autoptr (GBytes) packed_properties = NULL, binary_properties = NULL;

  packed.properties._flags |= AMQP_BASIC_CONTENT_ENCODING_FLAG;
  packed.properties.content_encoding = amqp_cstring_bytes ("gzip");
  packed_properties = encode (&packed);
  add_text (&binary, "ce-specversion", "1.0");
  binary_properties = encode (&binary);

  g_assert_cmpuint (amps_amqp_properties_get_growth (plain_properties, kib, max), ==, 0);
  g_assert_cmpuint (amps_amqp_properties_get_growth (plain_properties, 1024 * kib, max), ==, 0);
  g_assert_cmpuint (amps_amqp_properties_get_growth (packed_properties, kib, max), ==, 1032 * kib);
  g_assert_cmpuint (amps_amqp_properties_get_growth (packed_properties, 1024 * kib, max), ==, max);
  g_assert_cmpuint (amps_amqp_properties_get_growth (packed_properties, max + 1, max), ==, 0);
  g_assert_cmpuint (amps_amqp_properties_get_growth (binary_properties, kib, max), ==, 0);
  g_assert_cmpuint (amps_amqp_properties_get_growth (binary_properties, 1024 * kib, max), ==,
                    6 * 1024 * kib);
}

static void
test_gzip_in_binary_mode (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsAmqpMessage) packed = NULL;
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (GError) problem = NULL;
  g_autoptr (AmpsDelivery) delivery = NULL;

  add_text (&message, "ce-specversion", "1.0");
  add_text (&message, "ce-id", "1");
  add_text (&message, "ce-source", "/s");
  add_text (&message, "ce-type", "t");
  packed = pack (&message, "gzip", "[1.50]");
  delivery =
      amps_amqp_properties_read (packed, 1000, AMPS_EVENT_VALIDATION_STRICT, &event, &problem);
  g_assert_no_error (problem);
  g_assert_nonnull (g_strstr_len (g_bytes_get_data (delivery->body, NULL),
                                  (gssize) g_bytes_get_size (delivery->body), "\"data\":[1.50]}"));
}

static void
test_encodings_that_fail (void)
{
  g_autofree char *large = g_strdup_printf ("%1001s", EVENT);
  const struct {
    const char *encoding;
    const char *body;
    AmpsError code;
    const char *detail;
  } cases[] = {
    { "br", EVENT, AMPS_ERROR_UNSUPPORTED_MEDIA_TYPE, "“br”" },
    { "gzip", large, AMPS_ERROR_TOO_LARGE, "MAX_BODY_SIZE is 1000" },
    { "identity", EVENT, AMPS_ERROR_INVALID_EVENT, "not a JSON object" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      AmqpMessage message = { 0 };
      g_autoptr (AmpsAmqpMessage) packed = pack (&message, cases[i].encoding, cases[i].body);
      g_autoptr (GError) problem = NULL;
      AmpsCloudEvent *event;
      g_autoptr (AmpsDelivery) delivery =
          amps_amqp_properties_read (packed, 1000, AMPS_EVENT_VALIDATION_LENIENT, &event, &problem);

      g_assert_null (event);
      g_assert_error (problem, AMPS_ERROR, (int) cases[i].code);
      g_assert_nonnull (strstr (problem->message, cases[i].detail));
      g_assert_true (delivery->body == packed->body);
    }
}

/* What RabbitMQ before 4.0 makes of it. */
static void
test_amqp_1_0 (void)
{
  AmqpMessage binary = { 0 };
  AmqpMessage value = { 0 };
  AmqpMessage good = { 0 };
  g_autoptr (GError) binary_problem = NULL;
  g_autoptr (GError) value_problem = NULL;
  AmpsCloudEvent *event = NULL;
  g_autoptr (AmpsDelivery) first = NULL;
  g_autoptr (AmpsDelivery) second = NULL;
  g_autoptr (AmpsDelivery) third = NULL;

  add_text (&binary, "x-amqp-1.0-app-properties", "");
  first = read_message (&binary, "{}", &event, &binary_problem);
  g_assert_nonnull (strstr (binary_problem->message, "“specversion” is missing; "));
  g_assert_nonnull (strstr (binary_problem->message, "structured mode or RabbitMQ 4.0"));

  value.properties._flags |= AMQP_BASIC_TYPE_FLAG;
  value.properties.type = amqp_cstring_bytes ("amqp-1.0");
  second = read_message (&value, "\x01Sw" EVENT, &event, &value_problem);
  g_assert_nonnull (strstr (value_problem->message, "not one data section"));

  add_text (&good, "x-amqp-1.0-app-properties", "");
  third = read_message (&good, EVENT, &event, NULL);
  g_assert_nonnull (event);
  amps_cloud_event_free (event);
}

/* From the flags alone. */
static void
test_is_encoded (void)
{
  AmqpMessage plain = { 0 };
  AmqpMessage encoded = { 0 };
  g_autoptr (GBytes) nothing = g_bytes_new_static (NULL, 0);
  g_autoptr (GBytes) without = NULL;
  g_autoptr (GBytes) with = NULL;

  plain.properties._flags = 0xffff & ~(AMQP_BASIC_CONTENT_ENCODING_FLAG | 3);
  without = encode (&plain);
  encoded.properties._flags = AMQP_BASIC_CONTENT_ENCODING_FLAG;
  with = encode (&encoded);
  g_assert_false (amps_amqp_properties_is_encoded (nothing));
  g_assert_false (amps_amqp_properties_is_encoded (without));
  g_assert_true (amps_amqp_properties_is_encoded (with));
}

static void
test_problems (void)
{
  AmqpMessage message = { .properties = { ._flags = AMQP_BASIC_MESSAGE_ID_FLAG,
                                          .message_id = amqp_cstring_bytes ("named") } };
  g_autoptr (GBytes) properties = encode (&message);
  g_autoptr (GBytes) garbage = g_bytes_new_static ("\xff\xff\xff", 3);
  const struct {
    GBytes *properties;
    const char *body; /* NULL: too large to be kept */
    AmpsError code;
    const char *detail;
  } cases[] = {
    { properties, "{}", AMPS_ERROR_INVALID_EVENT, "specversion" },
    { properties, "", AMPS_ERROR_INVALID_EVENT, "JSON" },
    { properties, NULL, AMPS_ERROR_TOO_LARGE, "MAX_BODY_SIZE is 1000" },
    { garbage, EVENT, AMPS_ERROR_INVALID_EVENT, "properties" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (AmpsAmqpMessage) wrapped =
          wrap (cases[i].properties, cases[i].body != NULL ? cases[i].body : "");
      g_autoptr (AmpsDelivery) delivery = NULL;
      g_autoptr (GError) problem = NULL;
      AmpsCloudEvent *event;

      if (cases[i].body == NULL)
        {
          g_clear_pointer (&wrapped->body, g_bytes_unref);
          wrapped->body_size = 20000000;
        }
      delivery =
          amps_amqp_properties_read (wrapped, 1000, AMPS_EVENT_VALIDATION_STRICT, &event, &problem);
      g_assert_null (event);
      g_assert_error (problem, AMPS_ERROR, (int) cases[i].code);
      g_assert_nonnull (strstr (problem->message, cases[i].detail));
      g_assert_cmpuint (delivery->tag, ==, 7);
      g_assert_cmpstr (delivery->message_id, ==,
                       cases[i].properties == properties ? "named" : NULL);
      g_assert_cmpint (delivery->incomplete, ==, cases[i].body == NULL);
    }
}

/* A state without its parent means nothing. */
static void
test_trace_context_of_wrong_shape (void)
{
  AmqpMessage message = { 0 };
  g_autoptr (AmpsCloudEvent) event = NULL;
  g_autoptr (AmpsDelivery) delivery = NULL;

  add_text (&message, "traceparent", "00-1-2-01");
  add_text (&message, "tracestate", "k=v");
  delivery = read_message (&message, EVENT, &event, NULL);
  g_assert_null (delivery->traceparent);
  g_assert_null (delivery->tracestate);
}

static void
test_message_id (void)
{
  AmqpMessage without = { 0 };
  AmqpMessage with = { 0 };
  g_autoptr (GBytes) garbage = g_bytes_new_static ("\xff", 1);
  g_autoptr (GBytes) nothing = encode (&without);
  g_autoptr (GBytes) something = NULL;
  g_autofree char *message_id = NULL;

  with.properties._flags = AMQP_BASIC_MESSAGE_ID_FLAG;
  with.properties.message_id = amqp_cstring_bytes ("kept");
  something = encode (&with);
  message_id = amps_amqp_properties_dup_message_id (something);
  g_assert_cmpstr (message_id, ==, "kept");
  g_assert_null (amps_amqp_properties_dup_message_id (nothing));
  g_assert_null (amps_amqp_properties_dup_message_id (garbage));
}

/* A line for each header, so that a test can tell what is there. */
static char *
list_headers (const amqp_table_t *headers)
{
  GString *list = g_string_new (NULL);

  for (int i = 0; i < headers->num_entries; i++)
    {
      const amqp_table_entry_t *entry = &headers->entries[i];

      g_string_append_printf (list, "%.*s=", (int) entry->key.len, (char *) entry->key.bytes);
      if (entry->value.kind == AMQP_FIELD_KIND_I64)
        g_string_append_printf (list, "%" G_GINT64_FORMAT "\n", entry->value.value.i64);
      else
        g_string_append_printf (list, "%.*s\n", (int) entry->value.value.bytes.len,
                                (char *) entry->value.value.bytes.bytes);
    }

  return g_string_free (list, FALSE);
}

static char *
copy_headers (AmqpMessage *message, const AmpsAmqpCopy *copy, amqp_basic_properties_t *properties)
{
  g_autoptr (GBytes) raw = encode (message);
  amqp_pool_t pool;
  char *list;

  init_amqp_pool (&pool, 4096);
  g_assert_true (amps_amqp_properties_build_copy (raw, copy, G_MAXSIZE, &pool, properties));
  list = list_headers (&properties->headers);
  empty_amqp_pool (&pool);
  return list;
}

/* What a copy keeps, drops and adds. */
static void
test_copy (void)
{
  static const char *const dropped[] = { "CC",
                                         "BCC",
                                         "x-death",
                                         "x-delivery-count",
                                         "x-acquired-count",
                                         "x-first-death-queue",
                                         "x-last-death-reason",
                                         "x-amps-reason" };
  AmpsAmqpCopy copy = { (char *) (gsize) "rejected",
                        (char *) (gsize) "why",
                        4,
                        (char *) (gsize) "jobs",
                        (char *) (gsize) "me",
                        1000000,
                        2000000,
                        3000001 };
  AmqpMessage message = { 0 };
  amqp_basic_properties_t properties;
  g_autofree char *list = NULL;

  for (unsigned int i = 0; i < G_N_ELEMENTS (dropped); i++)
    add_text (&message, dropped[i], "old");
  add_text (&message, "kept", "yes");
  add_text (&message, "xx-amps", "yes");
  message.properties._flags |= AMQP_BASIC_USER_ID_FLAG | AMQP_BASIC_EXPIRATION_FLAG |
                               AMQP_BASIC_PRIORITY_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
  message.properties.user_id = amqp_cstring_bytes ("somebody");
  message.properties.expiration = amqp_cstring_bytes ("60000");
  message.properties.priority = 5;
  message.properties.delivery_mode = 1;

  list = copy_headers (&message, &copy, &properties);
  g_assert_cmpstr (list, ==,
                   "kept=yes\nxx-amps=yes\nx-amps-user-id=somebody\nx-amps-reason=rejected\n"
                   "x-amps-detail=why\nx-amps-queue=jobs\nx-amps-worker=me\nx-amps-attempt=4\n"
                   "x-amps-first-received=1000\nx-amps-time=2000\nx-amps-remaining-delay=3001\n");
  g_assert_cmpuint (properties._flags & (AMQP_BASIC_USER_ID_FLAG | AMQP_BASIC_EXPIRATION_FLAG), ==,
                    0);
  g_assert_cmpuint (properties.priority, ==, 5);
  g_assert_cmpuint (properties.delivery_mode, ==, 2);
}

/* A copy is copied again, and is still that user's. */
static void
test_copy_of_a_copy (void)
{
  AmpsAmqpCopy copy = { NULL, NULL, 2, NULL, NULL, 1000, 1000, 0 };
  AmqpMessage message = { 0 };
  amqp_basic_properties_t properties;
  g_autofree char *list = NULL;

  add_text (&message, "x-amps-user-id", "somebody");
  add_number (&message, "x-amps-attempt", 1);
  list = copy_headers (&message, &copy, &properties);
  g_assert_cmpstr (list, ==,
                   "x-amps-user-id=somebody\nx-amps-attempt=2\nx-amps-first-received=1\n"
                   "x-amps-time=1\n");
}

static void
test_copy_with_a_forged_user (void)
{
  AmpsAmqpCopy copy = { NULL, NULL, 2, NULL, NULL, 1000, 1000, 0 };
  AmqpMessage message = { 0 };
  amqp_basic_properties_t properties;
  g_autofree char *list = NULL;

  add_text (&message, "x-amps-user-id", "forged");
  message.properties._flags |= AMQP_BASIC_USER_ID_FLAG;
  message.properties.user_id = amqp_cstring_bytes ("true");
  list = copy_headers (&message, &copy, &properties);
  g_assert_true (g_str_has_prefix (list, "x-amps-user-id=true\nx-amps-attempt=2\n"));
}

/* More would fit no frame, and a cut must not break a character. */
static void
test_copy_with_a_long_detail (void)
{
  g_autofree char *detail = g_strnfill (2000, 'd');
  AmpsAmqpCopy copy = { NULL, detail, 1, NULL, NULL, 1000, 1000, 0 };
  AmqpMessage message = { 0 };
  amqp_basic_properties_t properties;
  g_autofree char *list = NULL;

  memcpy (detail + 1023, "\xc3\xa4", 2);
  list = copy_headers (&message, &copy, &properties);
  g_assert_true (g_utf8_validate (list, -1, NULL));
  g_assert_cmpuint (strlen (list), <, 1200);
}

static void
test_copy_of_garbage (void)
{
  g_autoptr (GBytes) garbage = g_bytes_new_static ("\xff\xff", 2);
  AmpsAmqpCopy copy = { 0 };
  amqp_basic_properties_t properties;
  amqp_pool_t pool;

  init_amqp_pool (&pool, 4096);
  g_assert_false (amps_amqp_properties_build_copy (garbage, &copy, G_MAXSIZE, &pool, &properties));
  empty_amqp_pool (&pool);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, test) g_test_add_func ("/amqp-properties/" name, test)
  ADD ("structured", test_structured);
  ADD ("own-headers", test_own_headers);
  ADD ("own-headers-that-make-no-sense", test_own_headers_that_make_no_sense);
  ADD ("endless-delay", test_endless_delay);
  ADD ("binary-mode", test_binary_mode);
  ADD ("gzip", test_gzip);
  ADD ("counts-what-is-made", test_counts_what_is_made);
  ADD ("growth", test_growth);
  ADD ("gzip-in-binary-mode", test_gzip_in_binary_mode);
  ADD ("encodings-that-fail", test_encodings_that_fail);
  ADD ("amqp-1.0", test_amqp_1_0);
  ADD ("is-encoded", test_is_encoded);
  ADD ("problems", test_problems);
  ADD ("trace-context-of-wrong-shape", test_trace_context_of_wrong_shape);
  ADD ("message-id", test_message_id);
  ADD ("copy", test_copy);
  ADD ("copy-of-a-copy", test_copy_of_a_copy);
  ADD ("copy-with-a-forged-user", test_copy_with_a_forged_user);
  ADD ("copy-with-a-long-detail", test_copy_with_a_long_detail);
  ADD ("copy-of-garbage", test_copy_of_garbage);
  return g_test_run ();
}
