/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/amqp/amps-amqp-binary.h"

#include <string.h>

#define MAX_HEADERS 16
#define VALUE(kind_, member, value_)                                                               \
  {                                                                                                \
    .kind = AMQP_FIELD_KIND_##kind_, .value = {.member = value_ }                                  \
  }
#define TEXT(text)                                                                                 \
  {                                                                                                \
    .kind = AMQP_FIELD_KIND_UTF8, .value = {.bytes = { sizeof (text) - 1, (void *) (text) } }      \
  }
#define BINARY(text)                                                                               \
  {                                                                                                \
    .kind = AMQP_FIELD_KIND_BYTES, .value = {.bytes = { sizeof (text) - 1, (void *) (text) } }     \
  }

typedef struct {
  amqp_table_entry_t headers[MAX_HEADERS];
  amqp_basic_properties_t properties;
} Message;

static void
add (Message *self, const char *name, amqp_field_value_t value)
{
  amqp_table_t *table = &self->properties.headers;

  g_assert_cmpint (table->num_entries, <, MAX_HEADERS);
  table->entries = self->headers;
  self->headers[table->num_entries++] = (amqp_table_entry_t){ amqp_cstring_bytes (name), value };
  self->properties._flags |= AMQP_BASIC_HEADERS_FLAG;
}

static void
set_content_type (Message *self, const char *type)
{
  self->properties.content_type = amqp_cstring_bytes (type);
  self->properties._flags |= AMQP_BASIC_CONTENT_TYPE_FLAG;
}

static void
add_needed (Message *self)
{
  add (self, "cloudEvents:specversion", (amqp_field_value_t) TEXT ("1.0"));
  add (self, "cloudEvents:id", (amqp_field_value_t) TEXT ("1"));
  add (self, "cloudEvents:source", (amqp_field_value_t) TEXT ("/s"));
  add (self, "cloudEvents:type", (amqp_field_value_t) TEXT ("t"));
}

static char *
convert (Message *self, const char *body, AmpsEventValidation validation, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (body, strlen (body));
  g_autoptr (GBytes) event =
      amps_amqp_binary_to_structured (&self->properties, bytes, 1000, validation, error);

  return event != NULL ? g_strndup (g_bytes_get_data (event, NULL), g_bytes_get_size (event))
                       : NULL;
}

#define NEEDED "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\""

static void
test_values (void)
{
  static const struct {
    amqp_field_value_t value;
    const char *member; /* as it stands in the event */
  } cases[] = {
    { TEXT ("über"), ",\"x\":\"über\"" },
    { TEXT (""), ",\"x\":\"\"" },
    { TEXT ("42"), ",\"x\":\"42\"" },
    { BINARY ("text"), ",\"x\":\"text\"" },
    { VALUE (BOOLEAN, boolean, 1), ",\"x\":true" },
    { VALUE (BOOLEAN, boolean, 0), ",\"x\":false" },
    { VALUE (I8, i8, -128), ",\"x\":-128" },
    { VALUE (U8, u8, 255), ",\"x\":255" },
    { VALUE (I16, i16, -7), ",\"x\":-7" },
    { VALUE (U16, u16, 65535), ",\"x\":65535" },
    { VALUE (I32, i32, G_MININT32), ",\"x\":-2147483648" },
    { VALUE (U32, u32, 42), ",\"x\":42" },
    { VALUE (I64, i64, 42), ",\"x\":42" },
    { VALUE (U64, u64, 42), ",\"x\":42" },
    { VALUE (TIMESTAMP, u64, 1714564800), ",\"x\":\"2024-05-01T12:00:00Z\"" },
    { VALUE (TIMESTAMP, u64, 0), ",\"x\":\"1970-01-01T00:00:00Z\"" },
    { VALUE (TIMESTAMP, u64, 253402300799), ",\"x\":\"9999-12-31T23:59:59Z\"" },
    { VALUE (VOID, u64, 7), "" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Message message = { 0 };
      g_autoptr (GError) error = NULL;
      g_autofree char *expected = g_strconcat (NEEDED, cases[i].member, ",\"data\":[1.50]}", NULL);
      g_autofree char *event = NULL;

      add_needed (&message);
      add (&message, "cloudEvents:x", cases[i].value);
      event = convert (&message, "[1.50]", AMPS_EVENT_VALIDATION_STRICT, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (event, ==, expected);
    }
}

/* Larger than an attribute's integer may be: exact, or malformed. */
static void
test_large_integers (void)
{
  static const struct {
    amqp_field_value_t value;
    const char *member;
  } cases[] = {
    { VALUE (U32, u32, G_MAXUINT32), ",\"x\":4294967295" },
    { VALUE (I64, i64, G_MININT64), ",\"x\":-9223372036854775808" },
    { VALUE (U64, u64, G_MAXUINT64), ",\"x\":18446744073709551615" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Message message = { 0 };
      g_autoptr (GError) error = NULL;
      g_autofree char *expected = g_strconcat (NEEDED, cases[i].member, ",\"data\":1}", NULL);
      g_autofree char *event = NULL;

      add_needed (&message);
      add (&message, "ce-x", cases[i].value);
      event = convert (&message, "1", AMPS_EVENT_VALIDATION_LENIENT, NULL);
      g_assert_cmpstr (event, ==, expected);
      g_assert_null (convert (&message, "1", AMPS_EVENT_VALIDATION_STRICT, &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
      g_assert_nonnull (strstr (error->message, "“x” is not an integer of 32 bits"));
    }
}

static void
test_values_without_a_form (void)
{
  static const struct {
    amqp_field_value_t value;
    const char *problem;
  } cases[] = {
    { VALUE (F32, f32, 1.5f), "“x” is a fraction" },
    { VALUE (F64, f64, 1.0), "“x” is a fraction" },
    { VALUE (DECIMAL, u64, 0), "“x” is a fraction" },
    { VALUE (ARRAY, u64, 0), "“x” is a list" },
    { VALUE (TABLE, u64, 0), "“x” is a table" },
    { VALUE (TIMESTAMP, u64, 253402300800), "“x” is a time" },
    { VALUE (TIMESTAMP, u64, G_MAXUINT64), "“x” is a time" },
    { BINARY ("\xff\xfe"), "“x” is bytes" },
    { TEXT ("\xff"), "“x” is bytes" },
    { TEXT ("a\0b"), "“x” is bytes" },
    { { .kind = '?' }, "“x” has a type" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      for (unsigned int validation = AMPS_EVENT_VALIDATION_LENIENT;
           validation <= AMPS_EVENT_VALIDATION_STRICT; validation++)
        {
          Message message = { 0 };
          g_autoptr (GError) error = NULL;

          add_needed (&message);
          add (&message, "cloudEvents:x", cases[i].value);
          g_assert_null (convert (&message, "1", validation, &error));
          g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
          g_test_message ("%s", error->message);
          g_assert_true (g_str_has_prefix (error->message, cases[i].problem));
        }
    }
}

/* Whoever counts on text there would get another value. */
static void
test_number_for_text (void)
{
  static const char *const names[] = { "ce-id", "ce-source", "ce-type", "ce-specversion" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (names); i++)
    {
      Message message = { 0 };
      g_autoptr (GError) error = NULL;

      for (unsigned int j = 0; j < G_N_ELEMENTS (names); j++)
        {
          if (i == j)
            add (&message, names[j], (amqp_field_value_t) VALUE (I32, i32, 1));
          else
            add (&message, names[j], (amqp_field_value_t) TEXT ("1.0"));
        }
      g_assert_null (convert (&message, "1", AMPS_EVENT_VALIDATION_LENIENT, &error));
      g_assert_nonnull (strstr (error->message, names[i] + strlen ("ce-")));
      g_assert_nonnull (strstr (error->message, "is not a string"));
    }
}

static void
test_names (void)
{
  static const char *const prefixes[] = { "cloudEvents:", "cloudEvents_", "ce-", "ce_",
                                          "CLOUDEVENTS:", "cloudevents_", "Ce-", "CE_" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (prefixes); i++)
    {
      static const char *const attributes[][2] = {
        { "SpecVersion", "1.0" },
        { "ID", "1" },
        { "source", "/s" },
        { "Type", "t" },
      };
      Message message = { 0 };
      g_autofree char *event = NULL;
      g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

      for (unsigned int j = 0; j < G_N_ELEMENTS (attributes); j++)
        {
          amqp_field_value_t value = { .kind = AMQP_FIELD_KIND_UTF8 };

          value.value.bytes = amqp_cstring_bytes (attributes[j][1]);
          g_ptr_array_add (names, g_strconcat (prefixes[i], attributes[j][0], NULL));
          add (&message, names->pdata[j], value);
        }
      add (&message, "other", (amqp_field_value_t) TEXT ("no attribute"));
      event = convert (&message, "", AMPS_EVENT_VALIDATION_STRICT, NULL);
      g_assert_cmpstr (event, ==, NEEDED "}");
    }
}

static void
test_twice (void)
{
  Message same = { 0 };
  Message different = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *event = NULL;

  add_needed (&same);
  add (&same, "ce-id", (amqp_field_value_t) TEXT ("1"));
  add (&same, "ce-datacontenttype", (amqp_field_value_t) TEXT ("application/json"));
  set_content_type (&same, "application/json");
  event = convert (&same, "1", AMPS_EVENT_VALIDATION_STRICT, NULL);
  g_assert_cmpstr (event, ==, NEEDED ",\"datacontenttype\":\"application/json\",\"data\":1}");

  add_needed (&different);
  add (&different, "CE-ID", (amqp_field_value_t) TEXT ("2"));
  g_assert_null (convert (&different, "1", AMPS_EVENT_VALIDATION_LENIENT, &error));
  g_assert_cmpstr (error->message, ==, "“id” is there twice, with different values");
}

/* A body of AMQP 1.0 that RabbitMQ could not translate. */
static void
test_encoded_body (void)
{
  Message message = { 0 };
  g_autoptr (GError) error = NULL;

  add_needed (&message);
  message.properties._flags |= AMQP_BASIC_TYPE_FLAG;
  message.properties.type = amqp_cstring_bytes ("amqp-1.0");
  g_assert_null (convert (&message, "\x01Sw", AMPS_EVENT_VALIDATION_LENIENT, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT);
  g_assert_nonnull (amps_amqp_binary_find_hint (&message.properties));
}

static void
test_not_binary (void)
{
  Message nothing = { 0 };
  Message other = { 0 };
  Message structured = { 0 };
  Message unversioned = { 0 };
  Message *messages[] = { &nothing, &other, &structured, &unversioned };

  add (&other, "event", (amqp_field_value_t) TEXT ("x"));
  add (&other, "ce", (amqp_field_value_t) TEXT ("x"));
  add (&unversioned, "ce-id", (amqp_field_value_t) TEXT ("7"));
  add (&unversioned, "CE_list", (amqp_field_value_t) VALUE (ARRAY, u64, 0));
  add_needed (&structured);
  set_content_type (&structured, "application/CloudEvents+json; charset=utf-8");

  for (unsigned int i = 0; i < G_N_ELEMENTS (messages); i++)
    {
      g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
      g_autoptr (GBytes) event = amps_amqp_binary_to_structured (
          &messages[i]->properties, body, 1000, AMPS_EVENT_VALIDATION_STRICT, NULL);

      g_assert_true (event == body);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/amqp-binary/values", test_values);
  g_test_add_func ("/amqp-binary/large-integers", test_large_integers);
  g_test_add_func ("/amqp-binary/values-without-a-form", test_values_without_a_form);
  g_test_add_func ("/amqp-binary/number-for-text", test_number_for_text);
  g_test_add_func ("/amqp-binary/names", test_names);
  g_test_add_func ("/amqp-binary/twice", test_twice);
  g_test_add_func ("/amqp-binary/encoded-body", test_encoded_body);
  g_test_add_func ("/amqp-binary/not-binary", test_not_binary);
  return g_test_run ();
}
