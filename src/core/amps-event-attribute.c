/* SPDX-License-Identifier: MIT */
#include "amps-event-attribute.h"

#include "amps-error.h"

#include <string.h>

/* CloudEvents 1.0.2, section 3.1: what the context attributes may hold. */

typedef gboolean (*Check) (const char *text);

static gboolean
is_supported_version (const char *text)
{
  /* 1.0 is right; the others are what the original's manual says. */
  static const char *const versions[] = { "1.0", "1.0.0", "1.0.1", "1.0.2", NULL };

  return g_strv_contains (versions, text);
}

static gboolean
is_not_empty (const char *text)
{
  return *text != '\0';
}

/* RFC 3986, section 4.1, lightly: what no reference may hold. */
static gboolean
is_uri_reference (const char *text)
{
  if (*text == '\0')
    return FALSE;

  for (const char *at = text; *at != '\0'; at++)
    {
      if ((guchar) *at <= ' ' || strchr ("\"<>\\^`{|}", *at) != NULL)
        return FALSE;
      if (*at == '%' && (!g_ascii_isxdigit (at[1]) || !g_ascii_isxdigit (at[2])))
        return FALSE;
    }

  return TRUE;
}

static gboolean
is_uri (const char *text)
{
  g_autofree char *scheme = g_uri_parse_scheme (text);

  return scheme != NULL && is_uri_reference (text);
}

/* RFC 2045, section 5.1: type "/" subtype, and parameters, which are not looked at. */
static gboolean
is_media_type (const char *text)
{
  const char *slash = strchr (text, '/');
  gsize subtype = slash != NULL ? strcspn (slash + 1, "; \t") : 0;

  if (slash == NULL || slash == text || subtype == 0)
    return FALSE;

  for (const char *at = text; at < slash + 1 + subtype; at++)
    {
      if (at != slash && ((guchar) *at <= ' ' || (guchar) *at >= 0x7f ||
                          strchr ("()<>@,;:\\\"/[]?=", *at) != NULL))
        return FALSE;
    }

  return TRUE;
}

static gboolean
read_digits (const char **at, unsigned int count, unsigned int minimum, unsigned int maximum)
{
  unsigned int value = 0;

  for (unsigned int i = 0; i < count; i++, (*at)++)
    {
      if (!g_ascii_isdigit (**at))
        return FALSE;
      value = value * 10 + (unsigned int) (**at - '0');
    }

  return value >= minimum && value <= maximum;
}

static gboolean
read_char (const char **at, const char *allowed)
{
  return **at != '\0' && strchr (allowed, *(*at)++) != NULL;
}

static gboolean
is_real_date (const char *text)
{
  GDateYear year = (GDateYear) g_ascii_strtoull (text, NULL, 10);
  GDateMonth month = (GDateMonth) g_ascii_strtoull (text + 5, NULL, 10);
  GDateDay day = (GDateDay) g_ascii_strtoull (text + 8, NULL, 10);

  return year == 0 ? day <= 31 : g_date_valid_dmy (day, month, year);
}

/* RFC 3339, section 5.6. */
static gboolean
is_timestamp (const char *text)
{
  const char *at = text;

  if (!read_digits (&at, 4, 0, 9999) || !read_char (&at, "-") || !read_digits (&at, 2, 1, 12) ||
      !read_char (&at, "-") || !read_digits (&at, 2, 1, 31) || !is_real_date (text) ||
      !read_char (&at, "Tt ") || !read_digits (&at, 2, 0, 23) || !read_char (&at, ":") ||
      !read_digits (&at, 2, 0, 59) || !read_char (&at, ":") || !read_digits (&at, 2, 0, 60))
    return FALSE;

  if (*at == '.')
    {
      at++;
      if (!g_ascii_isdigit (*at))
        return FALSE;
      while (g_ascii_isdigit (*at))
        at++;
    }

  if (*at == 'Z' || *at == 'z')
    return at[1] == '\0';

  return read_char (&at, "+-") && read_digits (&at, 2, 0, 23) && read_char (&at, ":") &&
         read_digits (&at, 2, 0, 59) && *at == '\0';
}

static const struct {
  const char *name;
  Check check;
  const char *allowed;
} known[] = {
  { "specversion", is_supported_version, "is not 1.0" },
  { "id", is_not_empty, "is empty" },
  { "source", is_uri_reference, "is not a URI-reference" },
  { "type", is_not_empty, "is empty" },
  { "datacontenttype", is_media_type, "is not a media type" },
  { "dataschema", is_uri, "is not a URI" },
  { "subject", is_not_empty, "is empty" },
  { "time", is_timestamp, "is not an RFC 3339 timestamp" },
};

static gboolean
fail (GError **error, const char *name, const char *problem)
{
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "“%.40s” %s", name, problem);
  return FALSE;
}

/* Section 3.1, naming: lower-case letters and digits. */
static gboolean
is_attribute_name (const char *name)
{
  return *name != '\0' && name[strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789")] == '\0';
}

/* Section 3.2, String: no control characters, no noncharacters. */
static gboolean
is_attribute_string (const char *text)
{
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c;

      if ((guchar) *at >= 0x20 && (guchar) *at < 0x7f)
        continue;

      c = g_utf8_get_char (at);
      if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0xfdd0 && c <= 0xfdef) ||
          (c & 0xfffe) == 0xfffe)
        return FALSE;
    }

  return TRUE;
}

/* Section 3.2, Integer: 32 bits, signed. */
static gboolean
is_integer (const AmpsJsonValue *value)
{
  g_autofree char *text = g_strndup (value->start, (gsize) (value->end - value->start));

  return g_ascii_string_to_signed (text, 10, G_MININT32, G_MAXINT32, NULL, NULL);
}

static gboolean
check_text (const char *name, const char *text, GError **error)
{
  if (text == NULL || !is_attribute_string (text))
    return fail (error, name, "holds a character that attributes may not hold");

  for (unsigned int i = 0; i < G_N_ELEMENTS (known); i++)
    {
      if (strcmp (known[i].name, name) == 0)
        return known[i].check (text) || fail (error, name, known[i].allowed);
    }

  return TRUE;
}

static gboolean
is_known (const char *name)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (known); i++)
    {
      if (strcmp (known[i].name, name) == 0)
        return TRUE;
    }

  return FALSE;
}

/**
 * amps_event_attribute_check:
 * @name: a member's name
 * @value: its value, not null
 * @text: (out) (nullable) (transfer full): the text, if it is a string
 * @error: return location: %AMPS_ERROR_INVALID_EVENT
 *
 * Returns: whether CloudEvents 1.0.2 allows the attribute
 */
gboolean
amps_event_attribute_check (const char *name, const AmpsJsonValue *value, char **text,
                            GError **error)
{
  *text = NULL;
  if (!is_attribute_name (name))
    return fail (error, name, "is not an attribute's name: only a to z and 0 to 9 may be in it");

  if (value->kind == AMPS_JSON_STRING)
    {
      *text = amps_json_value_unescape (value);
      return check_text (name, *text, error);
    }

  if (is_known (name) || g_str_equal (name, "traceparent") || g_str_equal (name, "tracestate"))
    return fail (error, name, "is not a string");
  if (value->kind == AMPS_JSON_BOOLEAN)
    return TRUE;
  if (value->kind == AMPS_JSON_NUMBER)
    return is_integer (value) || fail (error, name, "is not an integer of 32 bits");

  return fail (error, name, "is neither a string, nor a number, nor true or false");
}

/**
 * amps_event_attribute_check_base64:
 * @value: the value of `data_base64`
 * @error: return location: %AMPS_ERROR_INVALID_EVENT
 *
 * Returns: whether it is null or base64 as of RFC 4648, section 4
 */
gboolean
amps_event_attribute_check_base64 (const AmpsJsonValue *value, GError **error)
{
  const char *end = value->end;

  if (value->kind == AMPS_JSON_NULL)
    return TRUE;
  if (value->kind != AMPS_JSON_STRING || (!value->escaped && (end - value->start) % 4 != 0))
    return fail (error, "data_base64", "is not base64");

  /* Only a slash is ever escaped by those who make base64. */
  for (int i = 0; i < 2 && end > value->start && end[-1] == '='; i++)
    end--;
  for (const char *at = value->start; at < end; at++)
    {
      if (!g_ascii_isalnum (*at) && *at != '+' && *at != '/' &&
          !(*at == '\\' && end - at > 1 && at[1] == '/'))
        return fail (error, "data_base64", "is not base64");
    }

  return TRUE;
}
