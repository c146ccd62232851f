/* SPDX-License-Identifier: MIT */
#include "amps-event-attribute.h"

#include "amps-block.h"
#include "base/amps-error.h"

#include <string.h>

/* CloudEvents 1.0.2, section 3.1: what the context attributes may hold. */

typedef gboolean (*Check) (const char *text);

#define MAX_TRACESTATE 512

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

/* RFC 3986, section 4.1, lightly: a template such as /orders/{id} and letters that
 * are not ASCII are let through, since other implementations take them too. */
static gboolean
is_uri_reference (const char *text)
{
  if (*text == '\0')
    return FALSE;

  for (const char *at = text; *at != '\0'; at++)
    {
      if (*at == ' ')
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

/* Returns: whether there are @count digits that make a number from @minimum to @maximum */
static gboolean
read_digits (const char **at, unsigned int count, unsigned int minimum, unsigned int maximum,
             unsigned int *value)
{
  *value = 0;
  for (unsigned int i = 0; i < count; i++, (*at)++)
    {
      if (!g_ascii_isdigit (**at))
        return FALSE;
      *value = *value * 10 + (unsigned int) (**at - '0');
    }

  return *value >= minimum && *value <= maximum;
}

static gboolean
read_char (const char **at, char wanted)
{
  return *(*at)++ == wanted;
}

static gboolean
read_date (const char **at)
{
  unsigned int year, month, day;

  if (!read_digits (at, 4, 0, 9999, &year) || !read_char (at, '-') ||
      !read_digits (at, 2, 1, 12, &month) || !read_char (at, '-') ||
      !read_digits (at, 2, 1, 31, &day))
    return FALSE;

  /* GDate knows no year 0, which RFC 3339 does; it is a leap year like 400. */
  return g_date_valid_dmy ((GDateDay) day, (GDateMonth) month,
                           (GDateYear) (year != 0 ? year : 400));
}

static gboolean
read_hours_and_minutes (const char **at)
{
  unsigned int value;

  return read_digits (at, 2, 0, 23, &value) && read_char (at, ':') &&
         read_digits (at, 2, 0, 59, &value);
}

static gboolean
read_seconds (const char **at)
{
  unsigned int value;

  if (!read_digits (at, 2, 0, 60, &value))
    return FALSE;
  if (**at != '.')
    return TRUE;

  (*at)++;
  if (!g_ascii_isdigit (**at))
    return FALSE;
  while (g_ascii_isdigit (**at))
    (*at)++;

  return TRUE;
}

/* RFC 3339, section 5.6; any minute may have a leap second. */
static gboolean
is_timestamp (const char *text)
{
  const char *at = text;

  if (!read_date (&at) || g_ascii_toupper (*at++) != 'T' || !read_hours_and_minutes (&at) ||
      !read_char (&at, ':') || !read_seconds (&at))
    return FALSE;

  if (g_ascii_toupper (*at) == 'Z')
    return at[1] == '\0';

  if (*at != '+' && *at != '-')
    return FALSE;
  at++;
  return read_hours_and_minutes (&at) && *at == '\0';
}

/* Room for @name and its length. */
#define NAME(name) name, sizeof name - 1

static const struct {
  const char *name;
  gsize length;
  Check check;
  const char *problem;
} known[] = {
  [AMPS_EVENT_SPECVERSION] = { NAME ("specversion"), is_supported_version, "is not 1.0" },
  [AMPS_EVENT_ID] = { NAME ("id"), is_not_empty, "is empty" },
  [AMPS_EVENT_SOURCE] = { NAME ("source"), is_uri_reference, "is not a URI-reference" },
  [AMPS_EVENT_TYPE] = { NAME ("type"), is_not_empty, "is empty" },
  [AMPS_EVENT_DATACONTENTTYPE] = { NAME ("datacontenttype"), is_media_type, "is not a media type" },
  [AMPS_EVENT_DATASCHEMA] = { NAME ("dataschema"), is_uri, "is not a URI" },
  [AMPS_EVENT_SUBJECT] = { NAME ("subject"), is_not_empty, "is empty" },
  [AMPS_EVENT_TIME] = { NAME ("time"), is_timestamp, "is not an RFC 3339 timestamp" },
  [AMPS_EVENT_TRACEPARENT] = { NAME ("traceparent"), NULL, NULL },
  [AMPS_EVENT_TRACESTATE] = { NAME ("tracestate"), NULL, NULL },
  [AMPS_EVENT_DATA] = { NAME ("data"), NULL, NULL },
  [AMPS_EVENT_DATA_BASE64] = { NAME ("data_base64"), NULL, NULL },
};
G_STATIC_ASSERT (G_N_ELEMENTS (known) == AMPS_EVENT_EXTENSION);

/**
 * amps_event_member_find:
 * @name: (array length=length): a member's name
 * @length: its bytes
 *
 * Returns: which it is; %AMPS_EVENT_EXTENSION for any that is not known
 */
AmpsEventMember
amps_event_member_find (const char *name, gsize length)
{
  AmpsEventMember member = 0;

  while (member < AMPS_EVENT_EXTENSION &&
         (known[member].length != length || memcmp (known[member].name, name, length) != 0))
    member++;

  return member;
}

/**
 * amps_event_member_get_name:
 * @member: one that is known
 *
 * Returns: (transfer none): its name
 */
const char *
amps_event_member_get_name (AmpsEventMember member)
{
  return known[member].name;
}

/**
 * amps_event_attribute_set_error:
 * @error: return location: %AMPS_ERROR_INVALID_EVENT
 * @name: (array length=length): a member's name, in UTF-8
 * @length: its bytes
 * @problem: what is wrong with it
 */
void
amps_event_attribute_set_error (GError **error, const char *name, gsize length, const char *problem)
{
  g_autofree char *readable = amps_event_name_to_readable (name, length);

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "“%s” %s", readable, problem);
}

/**
 * amps_event_attribute_find_name_problem:
 * @name: (array length=length): an attribute's name, in UTF-8
 * @length: its bytes
 *
 * Returns: (nullable): what CloudEvents 1.0.2, section 3.1, has against the name
 */
const char *
amps_event_attribute_find_name_problem (const char *name, gsize length)
{
  gsize valid = 0;

  while (valid < length && (g_ascii_islower (name[valid]) || g_ascii_isdigit (name[valid])))
    valid++;

  if (valid == length && length > 0)
    return NULL;
  return "is not an attribute's name: it may contain only a to z and 0 to 9";
}

/* Section 3.2, String: no control characters, no noncharacters. */
static gboolean
is_attribute_string (const char *text)
{
  for (const char *at = text;; at = g_utf8_next_char (at))
    {
      while (*at >= ' ' && *at <= '~')
        at++;
      if (*at == '\0')
        return TRUE;

      gunichar c = g_utf8_get_char (at);

      if (c <= 0x9f || (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe)
        return FALSE;
    }
}

/* Section 3.2, Integer: 32 bits, signed. */
static gboolean
is_integer (const AmpsJsonValue *value)
{
  g_autofree char *text = g_strndup (value->start, (gsize) (value->end - value->start));

  return g_ascii_string_to_signed (text, 10, G_MININT32, G_MAXINT32, NULL, NULL);
}

/**
 * amps_event_attribute_is_accepted_version:
 * @text: a `specversion`
 *
 * Returns: whether AMPS delivers such events if it is lenient: it is 1.x or 0.3
 */
gboolean
amps_event_attribute_is_accepted_version (const char *text)
{
  return g_str_equal (text, "0.3") || (g_str_has_prefix (text, "1.") && g_ascii_isdigit (text[2]));
}

static const char *
find_text_problem (AmpsEventMember member, const char *text, AmpsEventFault *fault)
{
  *fault = AMPS_EVENT_FAULT_CHARACTER;
  if (text == NULL || !is_attribute_string (text))
    return "contains a character that is not allowed in attributes";

  if (member == AMPS_EVENT_EXTENSION || known[member].check == NULL || known[member].check (text))
    return NULL;

  *fault = member == AMPS_EVENT_SPECVERSION ? AMPS_EVENT_FAULT_VERSION : AMPS_EVENT_FAULT_FORMAT;
  return *text != '\0' ? known[member].problem : "is empty";
}

/**
 * amps_event_attribute_find_problem:
 * @member: which attribute it is
 * @value: its value, not null
 * @text: (out) (nullable) (transfer full): the text, if it is a string without U+0000
 * @fault: (out): the kind of the problem, if there is one
 *
 * Returns: (nullable): what CloudEvents 1.0.2 has against the value
 */
const char *
amps_event_attribute_find_problem (AmpsEventMember member, const AmpsJsonValue *value, char **text,
                                   AmpsEventFault *fault)
{
  *text = NULL;
  if (value->kind == AMPS_JSON_STRING)
    {
      *text = amps_json_value_unescape (value);
      return find_text_problem (member, *text, fault);
    }

  *fault = AMPS_EVENT_FAULT_TYPE;
  if (member != AMPS_EVENT_EXTENSION)
    return "is not a string";
  if (value->kind == AMPS_JSON_BOOLEAN)
    return NULL;
  if (value->kind == AMPS_JSON_NUMBER)
    return is_integer (value) ? NULL : "is not an integer of 32 bits";

  return "is neither a string, nor a number, nor true or false";
}

/* Returns: in each byte, not zero if that of @text is no digit of base64 */
static AmpsBlock
find_others (const char *text)
{
  AmpsBlock bytes = amps_block_load (text);
  AmpsBlock lower = bytes | 0x20;

  return ~(AmpsBlock) ((lower - 'a' < 26) | (bytes - '0' < 10) | (bytes == '+') | (bytes == '/'));
}

/* RFC 4648, section 4. */
static gboolean
is_base64 (const char *text, gsize length)
{
  gsize digits = length;
  gsize i = 0;
  AmpsBlock others = { 0 };
  gboolean bad;

  for (int n = 0; n < 2 && digits > 0 && text[digits - 1] == '='; n++)
    digits--;
  for (; digits - i >= sizeof (AmpsBlock); i += sizeof (AmpsBlock))
    others |= find_others (text + i);
  bad = amps_block_get_bits (others) != 0;
  for (; i < digits; i++)
    bad |= !g_ascii_isalnum (text[i]) && text[i] != '+' && text[i] != '/';

  return !bad && length % 4 == 0;
}

/**
 * amps_event_attribute_is_base64:
 * @value: the value of `data_base64`
 *
 * Returns: whether it is null or base64
 */
gboolean
amps_event_attribute_is_base64 (const AmpsJsonValue *value)
{
  g_autofree char *unescaped = NULL;
  const char *text = value->start;
  gsize length = (gsize) (value->end - value->start);

  if (value->kind == AMPS_JSON_NULL)
    return TRUE;

  /* Some write "\/" for a slash, others "\u002B" for a plus. */
  if (value->kind == AMPS_JSON_STRING && value->escaped)
    {
      text = unescaped = amps_json_value_unescape (value);
      length = text != NULL ? strlen (text) : 0;
    }

  return value->kind == AMPS_JSON_STRING && text != NULL && is_base64 (text, length);
}

/**
 * amps_event_attribute_is_tracestate:
 * @text: of whatever shape
 *
 * Returns: whether it can be a header of HTTP, of the 512 bytes that W3C Trace
 *   Context, section 3.3.1.1, asks everybody to pass on
 */
gboolean
amps_event_attribute_is_tracestate (const char *text)
{
  const char *at = text;

  while (*at >= ' ' && *at <= '~')
    at++;
  return *at == '\0' && at - text <= MAX_TRACESTATE;
}
