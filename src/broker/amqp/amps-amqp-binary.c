/* SPDX-License-Identifier: MIT */
#include "amps-amqp-binary.h"

#include "amps-amqp-table.h"
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"
#include "base/amps-timestamp.h"
#include "event/amps-event-attribute.h"
#include "event/amps-gzip.h"

#include <string.h>

/* The AMQP binding of CloudEvents is written for AMQP 1.0. In 0-9-1 its application
 * properties are headers, and RabbitMQ turns the former into the latter. */

#define STRUCTURED_TYPE "application/cloudevents"
#define VERSION "specversion"
#define AMQP_1_0_TYPE "amqp-1.0"

static const char *const prefixes[] = { "cloudEvents:", "cloudEvents_", "ce-", "ce_" };

/* Clients differ in how they write names of headers.
 *
 * Returns: the bytes before the attribute's name; 0 if it is none */
static gsize
get_prefix_length (const amqp_bytes_t *key)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (prefixes); i++)
    {
      gsize length = strlen (prefixes[i]);

      if (key->len >= length && g_ascii_strncasecmp (key->bytes, prefixes[i], length) == 0)
        return memchr (key->bytes, '\0', key->len) == NULL ? length : 0;
    }

  return 0;
}

/* An event in structured mode may have such headers too, of whatever meaning. One in
 * binary mode says which version it is of. */
static gboolean
is_binary (const amqp_table_t *headers)
{
  const gsize length = strlen (VERSION);

  for (int i = 0; i < headers->num_entries; i++)
    {
      const amqp_bytes_t *key = &headers->entries[i].key;
      gsize prefix = get_prefix_length (key);

      if (prefix > 0 && key->len == prefix + length &&
          g_ascii_strncasecmp ((const char *) key->bytes + prefix, VERSION, length) == 0)
        return TRUE;
    }

  return FALSE;
}

static char *
amqp_binary_format_time (guint64 seconds)
{
  return seconds <= G_MAXINT64 / G_USEC_PER_SEC
             ? amps_timestamp_format ((gint64) seconds * G_USEC_PER_SEC, 0)
             : NULL;
}

static char *
format_integer (const amqp_field_value_t *field)
{
  switch (field->kind)
    {
    case AMQP_FIELD_KIND_I8:
      return g_strdup_printf ("%d", field->value.i8);
    case AMQP_FIELD_KIND_U8:
      return g_strdup_printf ("%u", field->value.u8);
    case AMQP_FIELD_KIND_I16:
      return g_strdup_printf ("%d", field->value.i16);
    case AMQP_FIELD_KIND_U16:
      return g_strdup_printf ("%u", field->value.u16);
    case AMQP_FIELD_KIND_I32:
      return g_strdup_printf ("%" G_GINT32_FORMAT, field->value.i32);
    case AMQP_FIELD_KIND_U32:
      return g_strdup_printf ("%" G_GUINT32_FORMAT, field->value.u32);
    case AMQP_FIELD_KIND_I64:
      return g_strdup_printf ("%" G_GINT64_FORMAT, field->value.i64);
    case AMQP_FIELD_KIND_U64:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, field->value.u64);
    default:
      return NULL;
    }
}

static char *
dup_text (const amqp_bytes_t *bytes)
{
  return g_utf8_validate_len (bytes->bytes, bytes->len, NULL) ? g_strndup (bytes->bytes, bytes->len)
                                                              : NULL;
}

/* Returns: (nullable): what the value has no form for in an event */
static const char *
convert (const amqp_field_value_t *field, AmpsAttribute *attribute)
{
  attribute->is_literal = FALSE;
  switch (field->kind)
    {
    case AMQP_FIELD_KIND_UTF8:
    case AMQP_FIELD_KIND_BYTES:
      attribute->value = dup_text (&field->value.bytes);
      return "is bytes that are not text in UTF-8";
    case AMQP_FIELD_KIND_TIMESTAMP:
      attribute->value = amqp_binary_format_time (field->value.u64);
      return "is a time in AMQP that is after the year 9999";
    case AMQP_FIELD_KIND_BOOLEAN:
      attribute->value = g_strdup (field->value.boolean ? "true" : "false");
      attribute->is_literal = TRUE;
      return NULL;
    case AMQP_FIELD_KIND_F32:
    case AMQP_FIELD_KIND_F64:
    case AMQP_FIELD_KIND_DECIMAL:
      return "is a fraction in AMQP, which an attribute can't be";
    case AMQP_FIELD_KIND_ARRAY:
      return "is a list in AMQP, which an attribute can't be";
    case AMQP_FIELD_KIND_TABLE:
      return "is a table in AMQP, which an attribute can't be";
    default:
      attribute->value = format_integer (field);
      attribute->is_literal = TRUE;
      return "has a type in AMQP that an attribute can't have";
    }
}

static gboolean
add_attribute (GArray *attributes, char *name, const amqp_field_value_t *field, GError **error)
{
  AmpsAttribute attribute = { name, NULL, FALSE };
  const char *problem = convert (field, &attribute);

  g_array_append_val (attributes, attribute);
  if (attribute.value != NULL)
    return TRUE;

  g_autofree char *valid = amps_foreign_text_dup (name, -1);

  amps_event_attribute_set_error (error, valid, strlen (valid), problem);
  return FALSE;
}

/* (element-type AmpsAttribute) with names in lower case */
static GArray *
collect (const amqp_table_t *headers, GError **error)
{
  g_autoptr (GArray) attributes = amps_cloud_event_new_attributes ();

  for (int i = 0; i < headers->num_entries; i++)
    {
      const amqp_table_entry_t *entry = &headers->entries[i];
      gsize prefix = get_prefix_length (&entry->key);

      /* As in JSON: null is the same as absent. */
      if (prefix > 0 && entry->value.kind != AMQP_FIELD_KIND_VOID &&
          !add_attribute (attributes,
                          g_ascii_strdown ((const char *) entry->key.bytes + prefix,
                                           (gssize) (entry->key.len - prefix)),
                          &entry->value, error))
        return NULL;
    }

  return g_steal_pointer (&attributes);
}

/* Returns: (transfer full) (nullable): the body as it was before it was packed */
static GBytes *
amqp_binary_unpack (const amqp_basic_properties_t *properties, GBytes *body, gsize max_size,
                    GError **error)
{
  g_autofree char *encoding = NULL;
  gboolean is_gzip;

  if (!(properties->_flags & AMQP_BASIC_CONTENT_ENCODING_FLAG))
    return g_bytes_ref (body);

  encoding = g_strndup (properties->content_encoding.bytes, properties->content_encoding.len);
  if (!amps_gzip_check_encoding (encoding, &is_gzip, error))
    return NULL;

  return is_gzip ? amps_gzip_decode (body, max_size, error) : g_bytes_ref (body);
}

/* Of AMQP 1.0's bodies RabbitMQ translates only data sections; others it hands over
 * with their encoding, which is no data of anybody. */
static gboolean
is_encoded_body (const amqp_basic_properties_t *properties)
{
  return properties->_flags & AMQP_BASIC_TYPE_FLAG &&
         properties->type.len == strlen (AMQP_1_0_TYPE) &&
         memcmp (properties->type.bytes, AMQP_1_0_TYPE, properties->type.len) == 0;
}

/**
 * amps_amqp_binary_to_structured:
 * @properties: of a message
 * @body: its body
 * @max_size: how many bytes the body may have when it is unpacked
 * @validation: what the event must be
 * @error: return location: %AMPS_ERROR_INVALID_EVENT, naming the attribute, or as of
 *   amps_gzip_check_encoding() and amps_gzip_decode()
 *
 * Text becomes text, a timestamp RFC 3339, a boolean or an integer what it is, and
 * null nothing. Whatever else there is in AMQP has no form in an event: it is an
 * error rather than some other value. Callable from any thread.
 *
 * Returns: (transfer full) (nullable): the event, if it is in binary mode; else the
 *   body, unpacked if it was packed: @body if there was nothing to do
 */
GBytes *
amps_amqp_binary_to_structured (const amqp_basic_properties_t *properties, GBytes *body,
                                gsize max_size, AmpsEventValidation validation, GError **error)
{
  const amqp_table_t *headers = amps_amqp_table_get_headers (properties);
  g_autoptr (GBytes) unpacked = amqp_binary_unpack (properties, body, max_size, error);
  g_autoptr (GArray) attributes = NULL;
  g_autofree char *content_type = NULL;

  if (unpacked == NULL)
    return NULL;

  if (properties->_flags & AMQP_BASIC_CONTENT_TYPE_FLAG)
    content_type = g_strndup (properties->content_type.bytes, properties->content_type.len);

  /* What says that it is an event is one, whatever its headers repeat of it. */
  if (!is_binary (headers) ||
      (content_type != NULL &&
       g_ascii_strncasecmp (content_type, STRUCTURED_TYPE, strlen (STRUCTURED_TYPE)) == 0))
    return g_steal_pointer (&unpacked);

  if (is_encoded_body (properties))
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "its data can't be read");
      return NULL;
    }

  attributes = collect (headers, error);
  if (attributes == NULL)
    return NULL;

  return amps_cloud_event_from_binary ((const AmpsAttribute *) (gconstpointer) attributes->data,
                                       attributes->len, content_type, unpacked, validation, error);
}

/**
 * amps_amqp_binary_is_binary:
 * @properties: of a message
 *
 * Returns: whether it may be an event in binary mode
 */
gboolean
amps_amqp_binary_is_binary (const amqp_basic_properties_t *properties)
{
  return is_binary (amps_amqp_table_get_headers (properties));
}

/**
 * amps_amqp_binary_find_hint:
 * @properties: of a message that is malformed
 *
 * RabbitMQ hands over what it can't translate of AMQP 1.0 as it came: before 4.0 the
 * attributes of binary mode in one header, and bodies with their encoding.
 *
 * Returns: (nullable): what would help
 */
const char *
amps_amqp_binary_find_hint (const amqp_basic_properties_t *properties)
{
  if (is_encoded_body (properties))
    return "the sender used AMQP 1.0 with a body that is not one data section";
  if (amps_amqp_table_find (amps_amqp_table_get_headers (properties),
                            "x-amqp-1.0-app-properties") != NULL)
    return "if the sender used AMQP 1.0 in binary mode, it needs structured mode or RabbitMQ 4.0";

  return NULL;
}
