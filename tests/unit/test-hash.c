/* SPDX-License-Identifier: MIT */
#include "base/amps-hash.h"

#include <string.h>

#define SIZE 131 /* of four blocks, and some bytes */

static guint32
hash (const void *data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, length);

  return amps_hash_bytes (bytes);
}

static void
add (GHashTable *seen, guint32 value)
{
  g_assert_true (g_hash_table_add (seen, GUINT_TO_POINTER (value)));
}

/* Wherever the bytes begin. */
static void
test_same_bytes (void)
{
  guint8 data[SIZE + 8];
  guint32 expected;

  for (unsigned int i = 0; i < SIZE; i++)
    data[i] = (guint8) g_test_rand_int ();
  expected = hash (data, SIZE);
  for (unsigned int i = 0; i < 8; i++)
    {
      memmove (data + i + 1, data + i, SIZE);
      g_assert_cmpuint (hash (data + i + 1, SIZE), ==, expected);
    }
}

static void
test_each_bit_counts (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  guint8 data[SIZE] = { 0 };

  add (seen, hash (data, SIZE));
  for (unsigned int bit = 0; bit < 8 * SIZE; bit++)
    {
      data[bit / 8] = (guint8) (1 << bit % 8);
      add (seen, hash (data, SIZE));
      data[bit / 8] = 0;
    }
}

/* Also if all bytes are zero, as those are that fill up a block. */
static void
test_each_length_counts (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  static const guint8 data[1000];

  add (seen, hash (NULL, 0));
  for (gsize length = 1; length <= sizeof data; length++)
    add (seen, hash (data, length));
}

/* As by chance: of n hashes, n * n / 2 / 2^32 are expected to have come before. */
static void
test_few_are_the_same (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  unsigned int n_same = 0;

  for (unsigned int i = 0; i < 200000; i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"specversion\":\"1.0\",\"id\":\"%u\"}", i);

      n_same += !g_hash_table_add (seen, GUINT_TO_POINTER (hash (text, strlen (text))));
    }
  g_assert_cmpuint (n_same, <, 30);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/hash/same-bytes", test_same_bytes);
  g_test_add_func ("/hash/each-bit-counts", test_each_bit_counts);
  g_test_add_func ("/hash/each-length-counts", test_each_length_counts);
  g_test_add_func ("/hash/few-are-the-same", test_few_are_the_same);
  return g_test_run ();
}
