/* SPDX-License-Identifier: MIT */
#include "amps-spare-blocks.h"

/* Bytes: smaller ones malloc() keeps itself, larger ones are too rare. */
#define MIN_SIZE (256 * 1024)
#define MAX_SIZE (2 * 1024 * 1024)

/* Bytes of all that are kept. */
#define MAX_KEPT (4 * 1024 * 1024)
#define N_SLOTS 8

typedef struct {
  AmpsSpareBlocks *owner; /* (owned) while in use */
  gsize size;
  guint8 bytes[];
} Block;

/* What gives a block back may be in any thread, so a slot is changed at once as a whole. */
struct _AmpsSpareBlocks {
  Block *slots[N_SLOTS]; /* (owned) (nullable) atomic */
  gsize kept;            /* bytes of them, atomic */
  int n_used;            /* blocks that are taken, atomic */
};

static Block *
empty_slot (AmpsSpareBlocks *self, unsigned int i)
{
  Block *block = g_atomic_pointer_exchange (&self->slots[i], NULL);

  if (block != NULL)
    g_atomic_pointer_add (&self->kept, -(gssize) block->size);
  return block;
}

static void
drop_all (AmpsSpareBlocks *self)
{
  for (unsigned int i = 0; i < N_SLOTS; i++)
    g_free (empty_slot (self, i));
}

static void
spare_blocks_clear (gpointer data)
{
  drop_all (data);
}

/* @block is free for others, or no more there. */
static void
spare_blocks_keep (AmpsSpareBlocks *self, Block *block)
{
  gssize size = (gssize) block->size;

  if ((gsize) g_atomic_pointer_add (&self->kept, size) + block->size <= MAX_KEPT)
    for (unsigned int i = 0; i < N_SLOTS; i++)
      if (g_atomic_pointer_compare_and_exchange (&self->slots[i], NULL, block))
        return;

  g_atomic_pointer_add (&self->kept, -size);
  g_free (block);
}

/* Returns: (nullable): one that is large enough, but not by far too large */
static Block *
spare_blocks_find (AmpsSpareBlocks *self, gsize size)
{
  for (unsigned int i = 0; i < N_SLOTS; i++)
    {
      Block *block = empty_slot (self, i);

      if (block != NULL && block->size >= size && block->size / 2 <= size)
        return block;
      if (block != NULL)
        spare_blocks_keep (self, block);
    }

  return NULL;
}

static gboolean
spare_blocks_is_kept (gsize size)
{
  return size >= MIN_SIZE && size <= MAX_SIZE;
}

/**
 * amps_spare_blocks_new:
 *
 * Returns: (transfer full): spare blocks, of which there are none yet
 */
AmpsSpareBlocks *
amps_spare_blocks_new (void)
{
  return g_atomic_rc_box_new0 (AmpsSpareBlocks);
}

/**
 * amps_spare_blocks_unref:
 * @self: (transfer full): spare blocks, which go with the last block that is in use
 *
 * Callable from any thread.
 */
void
amps_spare_blocks_unref (AmpsSpareBlocks *self)
{
  g_atomic_rc_box_release_full (self, spare_blocks_clear);
}

/**
 * amps_spare_blocks_take:
 * @self: spare blocks
 * @size: bytes
 *
 * Callable from any thread.
 *
 * Returns: (transfer full): a block of @size bytes or more, whatever is in them
 */
guint8 *
amps_spare_blocks_take (AmpsSpareBlocks *self, gsize size)
{
  Block *block = spare_blocks_is_kept (size) ? spare_blocks_find (self, size) : NULL;

  if (block == NULL)
    {
      block = g_malloc (sizeof *block + size);
      block->size = size;
    }

  block->owner = g_atomic_rc_box_acquire (self);
  g_atomic_int_inc (&self->n_used);
  return block->bytes;
}

/**
 * amps_spare_blocks_give_back:
 * @block: (transfer full): what was taken
 *
 * Callable from any thread. Nothing is kept when this was the last one in use.
 */
void
amps_spare_blocks_give_back (guint8 *block)
{
  Block *own = (Block *) (gpointer) (block - G_STRUCT_OFFSET (Block, bytes));
  AmpsSpareBlocks *self = own->owner;

  if (spare_blocks_is_kept (own->size))
    spare_blocks_keep (self, own);
  else
    g_free (own);

  if (g_atomic_int_dec_and_test (&self->n_used))
    drop_all (self);
  amps_spare_blocks_unref (self);
}

static void
give_back_wrapped (gpointer block)
{
  amps_spare_blocks_give_back (block);
}

/**
 * amps_spare_blocks_wrap:
 * @block: (transfer full): what was taken
 * @length: its bytes that are used
 *
 * Returns: (transfer full): these bytes, which give @block back in the end, in whatever
 *   thread
 */
GBytes *
amps_spare_blocks_wrap (guint8 *block, gsize length)
{
  return g_bytes_new_with_free_func (block, length, give_back_wrapped, block);
}

/**
 * amps_spare_blocks_get_kept:
 * @self: spare blocks
 *
 * Callable from any thread.
 *
 * Returns: the bytes that are kept
 */
gsize
amps_spare_blocks_get_kept (AmpsSpareBlocks *self)
{
  return (gsize) g_atomic_pointer_get (&self->kept);
}
