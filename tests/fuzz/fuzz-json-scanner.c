/* SPDX-License-Identifier: MIT */
#include "event/amps-block.h"
#include "plain-json.h"

/* What is read in blocks is read as byte after byte says: the same is taken and refused, at
 * the same place and for the same reason, wherever it stands in a block. */

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
assert_same (const AmpsJsonScanner *read, const AmpsJsonScanner *plain)
{
  g_assert_cmpstr (read->problem, ==, plain->problem);
  g_assert_true (read->at == plain->at);
  g_assert_cmpint (read->found_half, ==, plain->found_half);
}

static void
assert_same_value (const AmpsJsonValue *value, const AmpsJsonValue *plain)
{
  g_assert_cmpint (value->kind, ==, plain->kind);
  g_assert_true (value->start == plain->start);
  g_assert_true (value->end == plain->end);
  g_assert_cmpint (value->escaped, ==, plain->escaped);
}

static gboolean
check_value (AmpsJsonScanner *scanner, unsigned int depth)
{
  AmpsJsonScanner plain = *scanner;
  AmpsJsonValue value, expected;
  gboolean taken = plain_json_read_value (&plain, depth, &expected);

  g_assert_cmpint (amps_json_scanner_read_value (scanner, depth, &value), ==, taken);
  assert_same (scanner, &plain);
  if (taken)
    assert_same_value (&value, &expected);
  return taken;
}

/* The members of an object one by one, as an event is read. */
static void
check_members (AmpsJsonScanner *scanner)
{
  AmpsJsonValue name, expected;

  for (gboolean first = TRUE; amps_json_scanner_next_item (scanner, '{', first); first = FALSE)
    {
      AmpsJsonScanner plain = *scanner;

      if (!amps_json_scanner_read_name (scanner, &name))
        return;
      plain.at = name.start - 1;
      g_assert_true (plain_json_read_string (&plain, &expected));
      assert_same_value (&name, &expected);
      if (!check_value (scanner, 1))
        return;
    }
}

static void
check (const char *json, gsize size, gboolean takes_halves)
{
  AmpsJsonScanner scanner;

  amps_json_scanner_init (&scanner, json, size);
  scanner.takes_halves = takes_halves;
  check_value (&scanner, 0);

  amps_json_scanner_init (&scanner, json, size);
  scanner.takes_halves = takes_halves;
  if (amps_json_scanner_enter (&scanner, '{'))
    check_members (&scanner);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  for (gsize offset = 0; offset < AMPS_BLOCK_SIZE && offset <= size; offset++)
    {
      check ((const char *) data + offset, size - offset, TRUE);
      check ((const char *) data + offset, size - offset, FALSE);
    }
  for (gsize at = 0; at + AMPS_BLOCK_SIZE <= size; at++)
    {
      AmpsBlock block = amps_block_load ((const char *) data + at);

      g_assert_cmpuint (amps_block_get_bits (block), ==, amps_block_get_bits_portably (block));
    }
  return 0;
}
