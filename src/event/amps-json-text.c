/* SPDX-License-Identifier: MIT */
#include "amps-json-text.h"

#include "amps-block.h"

/* What strings hold is looked at in blocks. Where a block has something rare in it, or is
 * not whole, one character after the other says what it is. */

/* What a backslash may stand before, but for an u. */
static const gboolean is_short_escape[256] = {
  ['"'] = TRUE, ['\\'] = TRUE, ['/'] = TRUE, ['b'] = TRUE,
  ['f'] = TRUE, ['n'] = TRUE,  ['r'] = TRUE, ['t'] = TRUE,
};

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

/* Returns: (nullable): what follows the character, or the short escape, at @at */
static const char *
skip_one (const char *at, const char *end, gboolean *escaped)
{
  guchar c = (guchar) *at;

  if (c >= 0x80)
    return skip_multibyte (at, end);
  if (c != '\\')
    return c >= 0x20 && c != '"' ? at + 1 : NULL;
  if (end - at < 2 || !is_short_escape[(guchar) at[1]])
    return NULL;

  *escaped = TRUE;
  return at + 2;
}

/* Returns: a bit for each byte that is a quote, a backslash or a control character */
static inline guint32
find_special (AmpsBlock bytes)
{
  return amps_block_get_bits ((AmpsBlock) ((bytes == '"') | (bytes == '\\') | (bytes < 0x20)));
}

/* @special are those of the block at @at, which is ASCII. Returns: how many bytes are
 * skipped; one more than the block has if its last one begins an escape */
static inline unsigned int
skip_ascii (const char *at, const char *end, guint32 special, gboolean *escaped)
{
  unsigned int n = amps_block_count_before (special);

  while (n < AMPS_BLOCK_SIZE && at[n] == '\\' && end - at > n + 1 &&
         is_short_escape[(guchar) at[n + 1]])
    {
      *escaped = TRUE;
      special &= ~(3u << n);
      n = n + 2 > AMPS_BLOCK_SIZE ? n + 2 : amps_block_count_before (special);
    }

  return n;
}

/* Of a block that begins with a whole character. Each byte that begins one wants so many
 * that go on with it; all that are there must be wanted. Returns: the bytes of the whole
 * characters before the @n-th, if they are right; 0 if any is wrong */
static unsigned int
skip_utf8 (AmpsBlock bytes, unsigned int n)
{
  guint32 going_on = amps_block_get_bits ((AmpsBlock) ((bytes & 0xc0) == 0x80));
  guint32 two = amps_block_get_bits ((AmpsBlock) (bytes - 0xc2 <= 0xf4 - 0xc2));
  guint32 three = amps_block_get_bits ((AmpsBlock) (bytes >= 0xe0));
  guint32 four = amps_block_get_bits ((AmpsBlock) (bytes >= 0xf0));
  guint32 wanted = two << 1 | three << 2 | four << 3;
  guint32 wrong = (amps_block_get_bits (bytes) & ~going_on & ~two) | (wanted ^ going_on);
  guint32 over_8f = amps_block_get_bits ((AmpsBlock) (bytes >= 0x90));
  guint32 over_9f = amps_block_get_bits ((AmpsBlock) (bytes >= 0xa0));

  wrong |= (amps_block_get_bits ((AmpsBlock) (bytes == 0xe0)) << 1 & ~over_9f) |
           (amps_block_get_bits ((AmpsBlock) (bytes == 0xed)) << 1 & over_9f) |
           (amps_block_get_bits ((AmpsBlock) (bytes == 0xf0)) << 1 & ~over_8f) |
           (amps_block_get_bits ((AmpsBlock) (bytes == 0xf4)) << 1 & over_8f);

  /* With the byte behind them, which may be wanted. */
  if ((wrong & ((2u << MIN (n, AMPS_BLOCK_SIZE - 1)) - 1)) != 0)
    return 0;
  /* The last one may go on behind the block. */
  return n == AMPS_BLOCK_SIZE && wanted >> n != 0 ? 31 - (unsigned int) __builtin_clz (two) : n;
}

/**
 * amps_json_text_skip:
 * @at: behind the quote that opens a string, or anywhere in it between two characters
 * @end: the byte behind the text
 * @escaped: (inout): set if there is an escape
 *
 * Skips characters and escapes, but for those that begin with `\u`.
 *
 * Returns: the first byte that is neither: the quote that closes the string, the backslash
 *   of another escape, a control character, one that is not UTF-8, or @end
 */
const char *
amps_json_text_skip (const char *at, const char *end, gboolean *escaped)
{
  while (end - at >= (ptrdiff_t) AMPS_BLOCK_SIZE)
    {
      AmpsBlock bytes = amps_block_load (at);
      guint32 special = find_special (bytes);
      unsigned int n = AMPS_BLOCK_SIZE;

      if (amps_block_get_bits (bytes) != 0)
        n = skip_utf8 (bytes, amps_block_count_before (special));
      else if (special != 0)
        n = skip_ascii (at, end, special, escaped);

      at += n;
      if (n > 0 && (special >> n & 1) == 0)
        continue;

      const char *next = skip_one (at, end, escaped);

      if (next == NULL)
        return at;
      at = next;
    }

  for (const char *next; at < end && (next = skip_one (at, end, escaped)) != NULL; at = next)
    continue;
  return at;
}
