/* SPDX-License-Identifier: MIT */
#include "base/amps-spare-blocks.h"

#include <string.h>

#define MIB (1024 * 1024)

static void
test_kept (void)
{
  g_autoptr (AmpsSpareBlocks) blocks = amps_spare_blocks_new ();
  guint8 *used = amps_spare_blocks_take (blocks, 1);
  guint8 *first = amps_spare_blocks_take (blocks, MIB);

  memset (first, 'x', MIB);
  amps_spare_blocks_give_back (first);
  g_assert_cmpuint (amps_spare_blocks_get_kept (blocks), ==, MIB);

  /* One that is less than half as large gets another. */
  first = amps_spare_blocks_take (blocks, MIB / 2 - 1);
  g_assert_cmpuint (amps_spare_blocks_get_kept (blocks), ==, MIB);
  amps_spare_blocks_give_back (first);
  first = amps_spare_blocks_take (blocks, MIB + 1);
  g_assert_cmpuint (amps_spare_blocks_get_kept (blocks), ==, MIB + MIB / 2 - 1);
  amps_spare_blocks_give_back (first);

  first = amps_spare_blocks_take (blocks, MIB - 100);
  g_assert_cmpuint (amps_spare_blocks_get_kept (blocks), <, 2 * MIB);
  amps_spare_blocks_give_back (first);
  amps_spare_blocks_give_back (used);
  g_assert_cmpuint (amps_spare_blocks_get_kept (blocks), ==, 0);
}

/* What is small, or very large, is not kept, and of the others not more than 4 MiB. */
static void
test_limits (void)
{
  static const gsize sizes[] = { 1, 256 * 1024 - 1, 2 * MIB + 1, 64 * MIB };
  g_autoptr (AmpsSpareBlocks) blocks = amps_spare_blocks_new ();
  guint8 *used = amps_spare_blocks_take (blocks, 0);
  guint8 *many[8];

  for (unsigned int i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      amps_spare_blocks_give_back (amps_spare_blocks_take (blocks, sizes[i]));
      g_assert_cmpuint (amps_spare_blocks_get_kept (blocks), ==, 0);
    }

  for (unsigned int i = 0; i < G_N_ELEMENTS (many); i++)
    many[i] = amps_spare_blocks_take (blocks, MIB);
  for (unsigned int i = 0; i < G_N_ELEMENTS (many); i++)
    amps_spare_blocks_give_back (many[i]);
  g_assert_cmpuint (amps_spare_blocks_get_kept (blocks), ==, 4 * MIB);
  amps_spare_blocks_give_back (used);
}

static void
test_wrapped (void)
{
  AmpsSpareBlocks *blocks = amps_spare_blocks_new ();
  guint8 *block = amps_spare_blocks_take (blocks, MIB);
  g_autoptr (GBytes) bytes = NULL;

  memcpy (block, "text", 4);
  bytes = amps_spare_blocks_wrap (block, 4);
  amps_spare_blocks_unref (blocks);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "text", 4);
}

/* Gives back what is put there, until that is no block but its own place. */
static gpointer
give_back_all (gpointer data)
{
  gpointer *place = data;
  guint8 *block;

  while ((block = g_atomic_pointer_exchange (place, NULL)) != data)
    {
      if (block == NULL)
        {
          g_thread_yield ();
          continue;
        }
      g_assert_cmpint (block[0], ==, block[MIB - 1]);
      amps_spare_blocks_give_back (block);
    }
  return NULL;
}

static void
hand_over (gpointer *place, gpointer block)
{
  while (!g_atomic_pointer_compare_and_exchange (place, NULL, block))
    g_thread_yield ();
}

/* By atomics, as tools that look for races know no locks of GLib. */
static void
test_threads (void)
{
  g_autoptr (AmpsSpareBlocks) blocks = amps_spare_blocks_new ();
  gpointer places[2] = { NULL };
  GThread *threads[2];

  for (unsigned int i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("gives-back", give_back_all, &places[i]);
  for (unsigned int i = 0; i < 2000; i++)
    {
      guint8 *block = amps_spare_blocks_take (blocks, MIB);

      block[0] = block[MIB - 1] = (guint8) i;
      hand_over (&places[i % 2], block);
    }
  for (unsigned int i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      hand_over (&places[i], &places[i]);
      g_thread_join (threads[i]);
    }

  g_assert_cmpuint (amps_spare_blocks_get_kept (blocks), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spare-blocks/kept", test_kept);
  g_test_add_func ("/spare-blocks/limits", test_limits);
  g_test_add_func ("/spare-blocks/wrapped", test_wrapped);
  g_test_add_func ("/spare-blocks/threads", test_threads);
  return g_test_run ();
}
