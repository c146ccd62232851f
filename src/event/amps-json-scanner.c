/* SPDX-License-Identifier: MIT */
#include "amps-json-scanner.h"

#include "amps-block.h"

#include "base/amps-error.h"

#include <string.h>

/* Reading is a loop over tokens with a stack of brackets, not a recursion: the
 * depth of the text is no depth of the process's stack. */

static gboolean
json_scanner_fail (AmpsJsonScanner *self, const char *problem)
{
  self->problem = problem;
  return FALSE;
}

/**
 * amps_json_scanner_init:
 * @self: (out caller-allocates): a scanner
 * @json: (nullable): the text, not necessarily NUL-terminated; %NULL, as an empty
 *   #GBytes has it, only if @length is 0
 * @length: its bytes
 */
void
amps_json_scanner_init (AmpsJsonScanner *self, const char *json, gsize length)
{
  self->start = json != NULL ? json : "";
  self->end = self->start + length;
  self->at = self->start;
  self->problem = NULL;
  self->takes_halves = FALSE;
  self->found_half = FALSE;
}

/**
 * amps_json_scanner_get_offset:
 * @self: a scanner
 *
 * Returns: the bytes before where it stands
 */
gsize
amps_json_scanner_get_offset (AmpsJsonScanner *self)
{
  return (gsize) (self->at - self->start);
}

static void
skip_space (AmpsJsonScanner *self)
{
  while (self->at < self->end &&
         (*self->at == ' ' || *self->at == '\n' || *self->at == '\t' || *self->at == '\r'))
    self->at++;
}

static gboolean
skip_char (AmpsJsonScanner *self, char wanted)
{
  if (self->at == self->end || *self->at != wanted)
    return FALSE;

  self->at++;
  return TRUE;
}

/* Strings */

static gboolean
read_hex4 (const char *digits, const char *end, gunichar *value)
{
  *value = 0;
  if (end - digits < 4)
    return FALSE;

  for (int i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (digits[i]);

      if (digit < 0)
        return FALSE;
      *value = *value << 4 | (gunichar) digit;
    }

  return TRUE;
}

/* Half of a surrogate pair. */
static gboolean
is_half (gunichar value)
{
  return value - 0xd800 < 0x800;
}

/* @at is behind the backslash and the u. Half of a surrogate pair alone is
 * grammatical (RFC 8259, section 8.2), but no character. */
static const char *
read_unicode_escape (const char *at, const char *end, gunichar *value)
{
  gunichar low;

  if (!read_hex4 (at, end, value))
    return NULL;
  at += 4;

  if (!is_half (*value) || *value > 0xdbff || end - at < 6 || at[0] != '\\' || at[1] != 'u' ||
      !read_hex4 (at + 2, end, &low) || low < 0xdc00 || low > 0xdfff)
    return at;

  *value = 0x10000 + ((*value - 0xd800) << 10) + (low - 0xdc00);
  return at + 6;
}

/* @at is behind the backslash. */
static const char *
read_escape (const char *at, const char *end, gunichar *value)
{
  static const char names[] = "\"\\/bfnrt";
  static const char values[] = "\"\\/\b\f\n\r\t";
  const char *name = at < end && *at != '\0' ? strchr (names, *at) : NULL;

  if (name != NULL)
    {
      *value = (guchar) values[name - names];
      return at + 1;
    }

  return at < end && *at == 'u' ? read_unicode_escape (at + 1, end, value) : NULL;
}

/* RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
static const char *
skip_multibyte (const char *text, const char *end)
{
  const guchar *at = (const guchar *) text;
  gsize length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;

  if (at[0] < 0xc2 || at[0] > 0xf4 || (gsize) (end - text) < length)
    return NULL;
  if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
      (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
    return NULL;

  for (gsize i = 1; i < length; i++)
    {
      if ((at[i] & 0xc0) != 0x80)
        return NULL;
    }

  return text + length;
}

static gboolean
skip_non_ascii (AmpsJsonScanner *self)
{
  while (self->at < self->end && (guchar) *self->at >= 0x80)
    {
      const char *next = skip_multibyte (self->at, self->end);

      if (next == NULL)
        return json_scanner_fail (self, "invalid UTF-8");
      self->at = next;
    }

  return TRUE;
}

/* What find_special() finds, in 16 bytes. */
static AmpsBlock
find_special_in_block (AmpsBlock bytes)
{
  return (AmpsBlock) ((bytes - 0x20 >= 0x60) | (bytes == '"') | (bytes == '\\'));
}

/* Eight bytes at once: the high bit of each that is a quote, a backslash, a control
 * character or not ASCII. Bits above the lowest one may be wrong, as a borrow goes
 * upwards. See Hacker's Delight, 6-1, on finding a byte in a word. */
static guint64
find_special (guint64 word)
{
  const guint64 ones = G_GUINT64_CONSTANT (0x0101010101010101);
  const guint64 highs = G_GUINT64_CONSTANT (0x8080808080808080);
  guint64 quote = word ^ (ones * '"');
  guint64 backslash = word ^ (ones * '\\');

  return (word | (word - ones * 0x20) | ((quote - ones) & ~quote) |
          ((backslash - ones) & ~backslash)) &
         highs;
}

static const char *
skip_plain (const char *at, const char *end)
{
  guint64 word;

  for (; end - at >= (ptrdiff_t) sizeof (AmpsBlock); at += sizeof (AmpsBlock))
    {
      AmpsBlock found = find_special_in_block (amps_block_load (at));

      if (amps_block_is_any (found))
        return at + amps_block_find (found);
    }
  for (; end - at >= (ptrdiff_t) sizeof word; at += sizeof word)
    {
      memcpy (&word, at, sizeof word);

      guint64 special = find_special (GUINT64_FROM_LE (word));

      if (special != 0)
        return at + __builtin_ctzll (special) / 8;
    }

  while (at < end && *at != '"' && *at != '\\' && (guchar) *at >= 0x20 && (guchar) *at < 0x80)
    at++;

  return at;
}

static gboolean
skip_unicode_escape (AmpsJsonScanner *self)
{
  gunichar value;
  const char *next = read_unicode_escape (self->at + 2, self->end, &value);

  if (next != NULL && is_half (value))
    {
      self->found_half = TRUE;
      if (!self->takes_halves)
        next = NULL;
    }
  if (next == NULL)
    return json_scanner_fail (self, "an invalid escape in a string");

  self->at = next;
  return TRUE;
}

static gboolean
skip_escape (AmpsJsonScanner *self)
{
  switch (self->end - self->at > 1 ? self->at[1] : '\0')
    {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      self->at += 2;
      return TRUE;
    case 'u':
      return skip_unicode_escape (self);
    default:
      return json_scanner_fail (self, "an invalid escape in a string");
    }
}

static gboolean
json_scanner_read_string (AmpsJsonScanner *self, AmpsJsonValue *value)
{
  value->kind = AMPS_JSON_STRING;
  value->start = ++self->at;
  value->escaped = FALSE;

  while ((self->at = skip_plain (self->at, self->end)) < self->end)
    {
      guchar c = (guchar) *self->at;

      if (c == '"')
        {
          value->end = self->at++;
          return TRUE;
        }

      if (c < 0x20)
        return json_scanner_fail (self, "a control character in a string");

      if (c == '\\')
        value->escaped = TRUE;
      if (c == '\\' ? !skip_escape (self) : !skip_non_ascii (self))
        return FALSE;
    }

  return json_scanner_fail (self, "a string without an end");
}

/**
 * amps_json_value_unescape:
 * @value: a string
 *
 * Returns: (transfer full) (nullable): its text in UTF-8, with U+FFFD for half of a
 *   surrogate pair; %NULL if it holds U+0000, which C strings can't
 */
char *
amps_json_value_unescape (const AmpsJsonValue *value)
{
  g_autoptr (GString) text = NULL;

  if (!value->escaped)
    return g_strndup (value->start, (gsize) (value->end - value->start));

  text = g_string_sized_new ((gsize) (value->end - value->start));
  for (const char *at = value->start; at < value->end;)
    {
      const char *escape = memchr (at, '\\', (gsize) (value->end - at));
      gunichar c;

      g_string_append_len (text, at, (escape != NULL ? escape : value->end) - at);
      if (escape == NULL)
        break;

      at = read_escape (escape + 1, value->end, &c);
      if (at == NULL || c == 0)
        return NULL;
      g_string_append_unichar (text, is_half (c) ? 0xfffd : c);
    }

  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Numbers and words */

static gboolean
skip_digits (AmpsJsonScanner *self)
{
  const char *first = self->at;

  while (self->at < self->end && g_ascii_isdigit (*self->at))
    self->at++;

  return self->at > first;
}

static gboolean
json_scanner_read_number (AmpsJsonScanner *self)
{
  skip_char (self, '-');
  if (!skip_char (self, '0') && !skip_digits (self))
    return json_scanner_fail (self, "an invalid number");

  if (skip_char (self, '.') && !skip_digits (self))
    return json_scanner_fail (self, "an invalid number");

  if (skip_char (self, 'e') || skip_char (self, 'E'))
    {
      if (!skip_char (self, '+'))
        skip_char (self, '-');
      if (!skip_digits (self))
        return json_scanner_fail (self, "an invalid number");
    }

  return TRUE;
}

static gboolean
read_word (AmpsJsonScanner *self, const char *word)
{
  gsize length = strlen (word);

  if ((gsize) (self->end - self->at) < length || memcmp (self->at, word, length) != 0)
    return json_scanner_fail (self, "an unexpected character");

  self->at += length;
  return TRUE;
}

/* Structure */

/* Reads a value that has no others in it, or the bracket that opens one. */
static gboolean
read_token (AmpsJsonScanner *self, AmpsJsonValue *value)
{
  gboolean ok;

  skip_space (self);
  if (self->at == self->end)
    return json_scanner_fail (self, "an unexpected end");

  value->start = self->at;
  switch (*self->at)
    {
    case '{':
    case '[':
      value->kind = *self->at == '{' ? AMPS_JSON_OBJECT : AMPS_JSON_ARRAY;
      self->at++;
      return TRUE;
    case '"':
      return json_scanner_read_string (self, value);
    case 't':
    case 'f':
      value->kind = AMPS_JSON_BOOLEAN;
      ok = read_word (self, *self->at == 't' ? "true" : "false");
      break;
    case 'n':
      value->kind = AMPS_JSON_NULL;
      ok = read_word (self, "null");
      break;
    default:
      value->kind = AMPS_JSON_NUMBER;
      if (*self->at != '-' && !g_ascii_isdigit (*self->at))
        return json_scanner_fail (self, "an unexpected character");
      ok = json_scanner_read_number (self);
    }

  value->end = self->at;
  return ok;
}

static char
get_closing (char bracket)
{
  return bracket == '{' ? '}' : ']';
}

/**
 * amps_json_scanner_enter:
 * @self: a scanner
 * @bracket: the one that opens: `{` or `[`
 *
 * Returns: whether it stood before @bracket, and is behind it now
 */
gboolean
amps_json_scanner_enter (AmpsJsonScanner *self, char bracket)
{
  skip_space (self);
  if (skip_char (self, bracket))
    return TRUE;

  return json_scanner_fail (self, bracket == '{' ? "not an object" : "not an array");
}

/**
 * amps_json_scanner_next_item:
 * @self: a scanner
 * @bracket: the one that opened
 * @first: whether this is the first item
 *
 * Goes to the next item of an object or array, past the comma; or past its end.
 *
 * Returns: whether there is one; if not, and there is no problem, it ended
 */
gboolean
amps_json_scanner_next_item (AmpsJsonScanner *self, char bracket, gboolean first)
{
  char closing = get_closing (bracket);

  skip_space (self);
  if (skip_char (self, closing))
    return FALSE;
  if (first)
    return TRUE;
  if (!skip_char (self, ','))
    return json_scanner_fail (self,
                              self->at == self->end ? "an unexpected end" : "a comma is missing");

  skip_space (self);
  if (self->at < self->end && *self->at == closing)
    return json_scanner_fail (self, "a comma with nothing after it");
  return TRUE;
}

/**
 * amps_json_scanner_read_name:
 * @self: a scanner in an object
 * @name: (out caller-allocates): the member's name
 *
 * Returns: whether there were a name and its colon
 */
gboolean
amps_json_scanner_read_name (AmpsJsonScanner *self, AmpsJsonValue *name)
{
  skip_space (self);
  if (self->at == self->end || *self->at != '"')
    return json_scanner_fail (self, "a member's name is missing");
  if (!json_scanner_read_string (self, name))
    return FALSE;

  skip_space (self);
  return skip_char (self, ':') || json_scanner_fail (self, "a colon is missing");
}

/**
 * amps_json_scanner_read_value:
 * @self: a scanner
 * @depth: how many brackets are open already
 * @value: (out caller-allocates): what was there
 *
 * Returns: whether there was a value, whole and right
 */
gboolean
amps_json_scanner_read_value (AmpsJsonScanner *self, unsigned int depth, AmpsJsonValue *value)
{
  char brackets[AMPS_JSON_MAX_DEPTH];
  unsigned int n_open = 0;
  gboolean first = FALSE;
  AmpsJsonValue token;

  if (!read_token (self, value))
    return FALSE;
  token = *value;

  do
    {
      if (token.kind == AMPS_JSON_OBJECT || token.kind == AMPS_JSON_ARRAY)
        {
          if (depth + n_open == AMPS_JSON_MAX_DEPTH)
            return json_scanner_fail (self, "nested too deep");
          brackets[n_open++] = *token.start;
          first = TRUE;
        }

      while (n_open > 0 && !amps_json_scanner_next_item (self, brackets[n_open - 1], first))
        {
          if (self->problem != NULL)
            return FALSE;
          n_open--;
          first = FALSE;
        }

      if (n_open == 0)
        break;

      first = FALSE;
      if (brackets[n_open - 1] == '{' && !amps_json_scanner_read_name (self, &token))
        return FALSE;
    }
  while (read_token (self, &token));

  if (self->problem != NULL)
    return FALSE;

  if (value->kind == AMPS_JSON_OBJECT || value->kind == AMPS_JSON_ARRAY)
    value->end = self->at;
  return TRUE;
}

/**
 * amps_json_scanner_finish:
 * @self: a scanner
 *
 * Returns: whether nothing but white space is left
 */
gboolean
amps_json_scanner_finish (AmpsJsonScanner *self)
{
  skip_space (self);
  return self->at == self->end || json_scanner_fail (self, "something after the end");
}

/**
 * amps_json_check:
 * @json: a text
 * @length: its bytes
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT
 *
 * To be called before a lax or recursive parser gets @json.
 *
 * Returns: whether it is JSON as of RFC 8259, nested no deeper than
 *   %AMPS_JSON_MAX_DEPTH
 */
gboolean
amps_json_check (const char *json, gsize length, GError **error)
{
  AmpsJsonScanner scanner;
  AmpsJsonValue value;

  amps_json_scanner_init (&scanner, json, length);
  if (amps_json_scanner_read_value (&scanner, 0, &value) && amps_json_scanner_finish (&scanner))
    return TRUE;

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT, "not JSON: %s at byte %zu",
               scanner.problem, amps_json_scanner_get_offset (&scanner));
  return FALSE;
}
