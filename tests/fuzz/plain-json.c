/* SPDX-License-Identifier: MIT */
#include "plain-json.h"

#include <string.h>

/* What AmpsJsonScanner does, as plainly as can be: one byte after the other, and a value in
 * another by recursion. */

static gboolean
fail (AmpsJsonScanner *scanner, const char *problem)
{
  scanner->problem = problem;
  return FALSE;
}

static gboolean
is_at (AmpsJsonScanner *scanner, char c)
{
  return scanner->at < scanner->end && *scanner->at == c;
}

static gboolean
take (AmpsJsonScanner *scanner, char c)
{
  if (!is_at (scanner, c))
    return FALSE;

  scanner->at++;
  return TRUE;
}

static void
skip_space (AmpsJsonScanner *scanner)
{
  while (take (scanner, ' ') || take (scanner, '\n') || take (scanner, '\t') ||
         take (scanner, '\r'))
    continue;
}

/* Returns: the number of the four digits of an escape at @at, or -1 if it is none */
static int
read_unicode_escape (AmpsJsonScanner *scanner, const char *at)
{
  int value = 0;

  if (scanner->end - at < 6 || at[0] != '\\' || at[1] != 'u')
    return -1;

  for (int i = 2; i < 6; i++)
    {
      if (!g_ascii_isxdigit (at[i]))
        return -1;
      value = value * 16 + g_ascii_xdigit_value (at[i]);
    }
  return value;
}

static gboolean
skip_escape (AmpsJsonScanner *scanner)
{
  int value = read_unicode_escape (scanner, scanner->at);
  int low = value >= 0 ? read_unicode_escape (scanner, scanner->at + 6) : -1;

  if (scanner->end - scanner->at >= 2 && scanner->at[1] != '\0' &&
      strchr ("\"\\/bfnrt", scanner->at[1]) != NULL)
    {
      scanner->at += 2;
      return TRUE;
    }

  if (value >= 0xd800 && value < 0xdc00 && low >= 0xdc00 && low < 0xe000)
    {
      scanner->at += 12;
      return TRUE;
    }

  scanner->found_half |= value >= 0xd800 && value < 0xe000;
  if (value < 0 || (value >= 0xd800 && value < 0xe000 && !scanner->takes_halves))
    return fail (scanner, "an invalid escape in a string");

  scanner->at += 6;
  return TRUE;
}

static gboolean
skip_multibyte (AmpsJsonScanner *scanner)
{
  gunichar c = g_utf8_get_char_validated (scanner->at, scanner->end - scanner->at);

  if (c == (gunichar) -1 || c == (gunichar) -2)
    return fail (scanner, "invalid UTF-8");

  scanner->at = g_utf8_next_char (scanner->at);
  return TRUE;
}

/* Reads what begins with the quote at which @scanner is. */
gboolean
plain_json_read_string (AmpsJsonScanner *scanner, AmpsJsonValue *value)
{
  value->kind = AMPS_JSON_STRING;
  value->escaped = FALSE;
  value->start = ++scanner->at;

  while (scanner->at < scanner->end)
    {
      guchar c = (guchar) *scanner->at;

      value->end = scanner->at;
      if (take (scanner, '"'))
        return TRUE;
      if (c < 0x20)
        return fail (scanner, "a control character in a string");

      if (c == '\\')
        value->escaped = TRUE;
      if (c == '\\' ? !skip_escape (scanner) : c >= 0x80 && !skip_multibyte (scanner))
        return FALSE;
      if (c != '\\' && c < 0x80)
        scanner->at++;
    }

  return fail (scanner, "a string without an end");
}

static gboolean
skip_digits (AmpsJsonScanner *scanner)
{
  if (scanner->at == scanner->end || !g_ascii_isdigit (*scanner->at))
    return fail (scanner, "an invalid number");

  while (scanner->at < scanner->end && g_ascii_isdigit (*scanner->at))
    scanner->at++;
  return TRUE;
}

static gboolean
skip_number (AmpsJsonScanner *scanner)
{
  take (scanner, '-');
  if (!take (scanner, '0') && !skip_digits (scanner))
    return FALSE;
  if (take (scanner, '.') && !skip_digits (scanner))
    return FALSE;
  if (!take (scanner, 'e') && !take (scanner, 'E'))
    return TRUE;

  if (!take (scanner, '+'))
    take (scanner, '-');
  return skip_digits (scanner);
}

static gboolean
skip_word (AmpsJsonScanner *scanner, const char *word)
{
  gsize length = strlen (word);

  if ((gsize) (scanner->end - scanner->at) < length || memcmp (scanner->at, word, length) != 0)
    return fail (scanner, "an unexpected character");

  scanner->at += length;
  return TRUE;
}

static gboolean
skip_name (AmpsJsonScanner *scanner)
{
  AmpsJsonValue name;

  skip_space (scanner);
  if (!is_at (scanner, '"'))
    return fail (scanner, "a member's name is missing");
  if (!plain_json_read_string (scanner, &name))
    return FALSE;

  skip_space (scanner);
  return take (scanner, ':') || fail (scanner, "a colon is missing");
}

static gboolean
skip_items (AmpsJsonScanner *scanner, unsigned int depth, gboolean object)
{
  char closing = object ? '}' : ']';
  AmpsJsonValue item;

  skip_space (scanner);
  if (take (scanner, closing))
    return TRUE;

  while ((!object || skip_name (scanner)) && plain_json_read_value (scanner, depth, &item))
    {
      skip_space (scanner);
      if (take (scanner, closing))
        return TRUE;
      if (scanner->at == scanner->end)
        return fail (scanner, "an unexpected end");
      if (!take (scanner, ','))
        return fail (scanner, "a comma is missing");
      skip_space (scanner);
      if (is_at (scanner, closing))
        return fail (scanner, "a comma with nothing after it");
    }

  return FALSE;
}

/* Like amps_json_scanner_read_value(). */
gboolean
plain_json_read_value (AmpsJsonScanner *scanner, unsigned int depth, AmpsJsonValue *value)
{
  gboolean ok;

  skip_space (scanner);
  if (scanner->at == scanner->end)
    return fail (scanner, "an unexpected end");
  if (is_at (scanner, '"'))
    return plain_json_read_string (scanner, value);

  value->start = scanner->at;
  value->escaped = FALSE;
  if (is_at (scanner, '{') || is_at (scanner, '['))
    {
      value->kind = is_at (scanner, '{') ? AMPS_JSON_OBJECT : AMPS_JSON_ARRAY;
      scanner->at++;
      ok = depth < AMPS_JSON_MAX_DEPTH ? skip_items (scanner, depth + 1, *value->start == '{')
                                       : fail (scanner, "nested too deep");
    }
  else if (is_at (scanner, '-') || g_ascii_isdigit (*scanner->at))
    {
      value->kind = AMPS_JSON_NUMBER;
      ok = skip_number (scanner);
    }
  else
    {
      value->kind = is_at (scanner, 'n') ? AMPS_JSON_NULL : AMPS_JSON_BOOLEAN;
      ok = skip_word (scanner, is_at (scanner, 'n')   ? "null"
                               : is_at (scanner, 't') ? "true"
                                                      : "false");
    }

  value->end = scanner->at;
  return ok;
}
