/* SPDX-License-Identifier: MIT */
#include "amps-json-scanner.h"

#include "amps-block.h"
#include "amps-json-text.h"

#include "base/amps-error.h"

#include <string.h>

/* Reading is a loop over tokens with a stack of brackets, not a recursion: the
 * depth of the text is no depth of the process's stack. */

/* What is longer is looked at in blocks. */
#define SHORT 8

static gboolean
json_scanner_fail (AmpsJsonScanner *self, const char *problem)
{
  self->problem = problem;
  return FALSE;
}

/* What reads on its own gets where to begin, and returns where it has ended: %NULL if
 * @problem is at @at. */
static const char *
fail_at (AmpsJsonScanner *self, const char *at, const char *problem)
{
  self->at = at;
  self->problem = problem;
  return NULL;
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

/* Returns: whether @at is where to go on */
static gboolean
take (AmpsJsonScanner *self, const char *at)
{
  if (at != NULL)
    self->at = at;
  return at != NULL;
}

/* Returns: what is at @at; U+0000, which may be nowhere, at the end */
static inline char
peek (const char *at, const char *end)
{
  return at < end ? *at : '\0';
}

static inline gboolean
is_space (char c)
{
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* More than one is mostly an indentation. */
static const char *
skip_spaces (const char *at, const char *end)
{
  if (is_space (peek (at, end)) && (guchar) peek (++at, end) > ' ')
    return at;

  for (; end - at >= (ptrdiff_t) AMPS_BLOCK_SIZE; at += AMPS_BLOCK_SIZE)
    {
      AmpsBlock bytes = amps_block_load (at);
      guint32 others = amps_block_get_bits (
          (AmpsBlock) ((bytes != ' ') & (bytes != '\n') & (bytes != '\t') & (bytes != '\r')));

      if (others != 0)
        return at + amps_block_count_before (others);
    }

  while (at < end && is_space (*at))
    at++;
  return at;
}

/* Moves @at behind the space that is there. Returns: what is at @at then */
static inline char
skip_space (const char **at, const char *end)
{
  char c = peek (*at, end);

  if ((guchar) c > ' ')
    return c;

  *at = skip_spaces (*at, end);
  return peek (*at, end);
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

/* @at is at the backslash. */
static const char *
skip_unicode_escape (AmpsJsonScanner *self, const char *at)
{
  gunichar value;
  const char *next =
      peek (at + 1, self->end) == 'u' ? read_unicode_escape (at + 2, self->end, &value) : NULL;

  if (next != NULL && is_half (value))
    {
      self->found_half = TRUE;
      if (!self->takes_halves)
        next = NULL;
    }

  return next != NULL ? next : fail_at (self, at, "an invalid escape in a string");
}

/* Returns: the quote that closes it */
static const char *
skip_long_string (AmpsJsonScanner *self, const char *at, gboolean *escaped)
{
  while ((at = amps_json_text_skip (at, self->end, escaped)) < self->end && *at == '\\')
    {
      *escaped = TRUE;
      at = skip_unicode_escape (self, at);
      if (at == NULL)
        return NULL;
    }

  if (at == self->end)
    return fail_at (self, at, "a string without an end");
  if (*at == '"')
    return at;
  return fail_at (self, at,
                  (guchar) *at < 0x20 ? "a control character in a string" : "invalid UTF-8");
}

/* @at is behind the quote that opens it. Returns: the one that closes it */
static inline const char *
skip_string (AmpsJsonScanner *self, const char *at, gboolean *escaped)
{
  const char *limit = at + MIN (self->end - at, SHORT);

  while (at < limit && amps_json_text_is_plain (*at))
    at++;
  return peek (at, self->end) == '"' ? at : skip_long_string (self, at, escaped);
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

/* Words and numbers */

static const char *
skip_word (AmpsJsonScanner *self, const char *at, const char *word)
{
  gsize length = strlen (word);

  return (gsize) (self->end - at) >= length && memcmp (at, word, length) == 0
             ? at + length
             : fail_at (self, at, "an unexpected character");
}

static inline gboolean
is_digit (char c)
{
  return (guchar) (c - '0') < 10;
}

/* Returns: (nullable): what follows the digits at @at, of which there must be one */
static inline const char *
skip_digits (AmpsJsonScanner *self, const char *at)
{
  const char *first = at;
  unsigned int n = AMPS_BLOCK_SIZE;

  for (; n == AMPS_BLOCK_SIZE && self->end - at >= (ptrdiff_t) AMPS_BLOCK_SIZE; at += n)
    n = amps_block_count_before (
        amps_block_get_bits ((AmpsBlock) (amps_block_load (at) - '0' >= 10)));
  while (at < self->end && is_digit (*at))
    at++;

  return at > first ? at : fail_at (self, at, "an invalid number");
}

static const char *
skip_exponent (AmpsJsonScanner *self, const char *at)
{
  char sign = peek (at, self->end);

  return skip_digits (self, sign == '+' || sign == '-' ? at + 1 : at);
}

static const char *
skip_number (AmpsJsonScanner *self, const char *at)
{
  if (*at == '-')
    at++;
  at = peek (at, self->end) == '0' ? at + 1 : skip_digits (self, at);
  if (at != NULL && peek (at, self->end) == '.')
    at = skip_digits (self, at + 1);
  if (at != NULL && (peek (at, self->end) | 0x20) == 'e')
    at = skip_exponent (self, at + 1);
  return at;
}

/* Structure */

static inline gboolean
is_opening (char c)
{
  return c == '{' || c == '[';
}

static inline char
get_closing (gboolean object)
{
  return object ? '}' : ']';
}

/* Reads what has no others in it. Returns: what is behind it */
static inline const char *
skip_plain_value (AmpsJsonScanner *self, const char *at, AmpsJsonKind *kind, gboolean *escaped)
{
  char c = peek (at, self->end);

  if (c == '"')
    {
      *kind = AMPS_JSON_STRING;
      at = skip_string (self, at + 1, escaped);
      return at != NULL ? at + 1 : NULL;
    }

  if (c == '-' || is_digit (c))
    {
      *kind = AMPS_JSON_NUMBER;
      return skip_number (self, at);
    }

  *kind = c == 'n' ? AMPS_JSON_NULL : AMPS_JSON_BOOLEAN;
  if (at == self->end)
    return fail_at (self, at, "an unexpected end");
  return skip_word (self, at, c == 'n' ? "null" : c == 't' ? "true" : "false");
}

/* Reads a member's name and its colon, and the space after it. */
static inline const char *
skip_name (AmpsJsonScanner *self, const char *at, AmpsJsonValue *name)
{
  name->kind = AMPS_JSON_STRING;
  name->escaped = FALSE;
  if (skip_space (&at, self->end) != '"')
    return fail_at (self, at, "a member's name is missing");

  name->start = ++at;
  name->end = at = skip_string (self, at, &name->escaped);
  if (at == NULL)
    return NULL;

  at++;
  if (skip_space (&at, self->end) != ':')
    return fail_at (self, at, "a colon is missing");

  at++;
  skip_space (&at, self->end);
  return at;
}

/* Reads the comma after an item of what ends with @closing, and the space after it. */
static inline const char *
skip_comma (AmpsJsonScanner *self, const char *at, char closing)
{
  if (peek (at, self->end) != ',')
    return fail_at (self, at, at == self->end ? "an unexpected end" : "a comma is missing");

  at++;
  if (skip_space (&at, self->end) == closing)
    return fail_at (self, at, "a comma with nothing after it");
  return at;
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
  if (skip_space (&self->at, self->end) != bracket)
    return json_scanner_fail (self, bracket == '{' ? "not an object" : "not an array");

  self->at++;
  return TRUE;
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
  char closing = get_closing (bracket == '{');

  if (skip_space (&self->at, self->end) != closing)
    return first || take (self, skip_comma (self, self->at, closing));

  self->at++;
  return FALSE;
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
  return take (self, skip_name (self, self->at, name));
}

/* The brackets that are open: a bit for each, the innermost lowest, set for an object. */
typedef guint64 Brackets;
G_STATIC_ASSERT (sizeof (Brackets) * 8 >= AMPS_JSON_MAX_DEPTH);

/* Reads what begins with the bracket at @at. */
static const char *
skip_nested (AmpsJsonScanner *self, const char *at, unsigned int depth)
{
  const char *end = self->end;
  AmpsJsonValue token;
  Brackets open = 0;
  unsigned int n_open = 0;
  gboolean opening = TRUE;

  while (at != NULL)
    {
      if (opening)
        {
          open = open << 1 | (*at++ == '{');
          if (depth + n_open++ == AMPS_JSON_MAX_DEPTH)
            return fail_at (self, at, "nested too deep");
        }

      while (skip_space (&at, end) == get_closing (open & 1))
        {
          at++;
          opening = FALSE;
          open >>= 1;
          if (--n_open == 0)
            return at;
        }

      if (!opening)
        at = skip_comma (self, at, get_closing (open & 1));
      if (at != NULL && (open & 1) != 0)
        at = skip_name (self, at, &token);
      opening = at != NULL && is_opening (peek (at, end));
      if (at != NULL && !opening)
        at = skip_plain_value (self, at, &token.kind, &token.escaped);
    }

  return NULL;
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
  const char *at = self->at;
  char c = skip_space (&at, self->end);

  value->escaped = FALSE;
  value->start = at;
  if (is_opening (c))
    {
      value->kind = c == '{' ? AMPS_JSON_OBJECT : AMPS_JSON_ARRAY;
      at = value->end = skip_nested (self, at, depth);
      return take (self, at);
    }

  at = value->end = skip_plain_value (self, at, &value->kind, &value->escaped);
  if (c == '"' && at != NULL)
    {
      value->start++;
      value->end--;
    }
  return take (self, at);
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
  skip_space (&self->at, self->end);
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
