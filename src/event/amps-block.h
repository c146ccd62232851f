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

/* How many bytes a block has. */
#define AMPS_BLOCK_SIZE ((unsigned int) sizeof (AmpsBlock))

/* Returns: the bytes from @text on */
static inline AmpsBlock
amps_block_load (const char *text)
{
  AmpsBlock block;

  memcpy (&block, text, sizeof block);
  return block;
}

/* Returns: a bit for each byte of @word, that of the first one lowest: its highest one */
static inline guint32
amps_block_get_word_bits (guint64 word)
{
  guint64 bits = (GUINT64_FROM_LE (word) >> 7) & G_GUINT64_CONSTANT (0x0101010101010101);

  /* Each bit is moved to the highest byte, to a place of its own. */
  return (guint32) ((bits * G_GUINT64_CONSTANT (0x0102040810204080)) >> 56);
}

/* amps_block_get_bits() without an instruction for it. */
static inline guint32
amps_block_get_bits_portably (AmpsBlock block)
{
  guint64 words[2];

  memcpy (words, &block, sizeof words);
  return amps_block_get_word_bits (words[0]) | amps_block_get_word_bits (words[1]) << 8;
}

/* Returns: a bit for each byte of @block, that of the first one lowest: its highest one,
 * which is set in what a comparison has found */
static inline guint32
amps_block_get_bits (AmpsBlock block)
{
#ifdef __SSE2__
  typedef char Chars __attribute__ ((vector_size (16)));

  return (guint32) __builtin_ia32_pmovmskb128 ((Chars) block);
#else
  return amps_block_get_bits_portably (block);
#endif
}

/* Returns: the place of the first one of @bits, of a block; the block's size if there is none */
static inline unsigned int
amps_block_count_before (guint32 bits)
{
  return (unsigned int) __builtin_ctz (bits | 1u << AMPS_BLOCK_SIZE);
}

G_END_DECLS
