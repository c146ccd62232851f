/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/**
 * AmpsBlock:
 *
 * So many bytes that are looked at at once: the compiler makes one instruction of each
 * operation (SSE2, NEON), or several where the processor has none for it.
 */
typedef guint8 AmpsBlock __attribute__ ((vector_size (16)));

/* Returns: the bytes from @text on */
static inline AmpsBlock
amps_block_load (const char *text)
{
  AmpsBlock block;

  memcpy (&block, text, sizeof block);
  return block;
}

/* Returns: whether any byte is not zero */
static inline gboolean
amps_block_is_any (AmpsBlock block)
{
  guint64 words[2];

  memcpy (words, &block, sizeof words);
  return (words[0] | words[1]) != 0;
}

/* Returns: the place of the first byte that is not zero, of those of @block, of which each
 * is 0 or 0xff */
static inline unsigned int
amps_block_find (AmpsBlock block)
{
  guint64 words[2];

  memcpy (words, &block, sizeof words);
  return words[0] != 0 ? (unsigned int) __builtin_ctzll (GUINT64_FROM_LE (words[0])) / 8
                       : 8 + (unsigned int) __builtin_ctzll (GUINT64_FROM_LE (words[1])) / 8;
}

G_END_DECLS
