/* SPDX-License-Identifier: MIT */
#include "event/amps-block.h"
#include "event/amps-json-text.h"

#include <string.h>

/* What a string begins with, how much of it is skipped, and whether that has an escape. */
static const struct {
  const char *text;
  gsize skipped;
  gboolean escaped;
} cases[] = {
  { "\"", 0, FALSE },
  { "plain\"", 5, FALSE },
  { "with spaces, and more: {[]}\"", 27, FALSE },
  { "\x1f", 0, FALSE },
  { "\x7f\"", 1, FALSE },
  { "\\n\"", 2, TRUE },
  { "\\\"\\\\\\/\\b\\f\\n\\r\\t\"", 16, TRUE },
  { "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"", 20, TRUE },
  { "\\", 0, FALSE },
  { "\\u0041", 0, FALSE },
  { "\\x", 0, FALSE },
  { "a\\nb\\x", 4, TRUE },
  { "é\"é", 2, FALSE },
  { "€ 😀\\tü\n", 12, TRUE },
  { "\xc3\"", 0, FALSE },
  { "ü\xe2\x82", 2, FALSE },
  { "ü\xed\xa0\x80", 2, FALSE },
  { "ü\x80", 2, FALSE },
};

/* Each at every place of a block, with room behind it and without. */
static void
test_every_place (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize before = 0; before < 2 * AMPS_BLOCK_SIZE; before++)
      for (gsize behind = 0; behind < 2; behind++)
        {
          g_autofree char *filling = g_strnfill (before, 'x');
          g_autofree char *more = g_strnfill (behind * AMPS_BLOCK_SIZE, '"');
          g_autofree char *text = g_strconcat (filling, cases[i].text, more, NULL);
          gsize length = strlen (text);
          /* No NUL behind it, so that reading too far is seen. */
          g_autofree char *exact = g_memdup2 (text, length);
          gboolean escaped = FALSE;
          const char *at;

          /* It would be an escape of what follows. */
          if (behind > 0 && g_str_equal (cases[i].text, "\\"))
            continue;

          at = amps_json_text_skip (exact, exact + length, &escaped);
          g_assert_cmpint (at - exact, ==, before + cases[i].skipped);
          g_assert_cmpint (escaped, ==, cases[i].escaped);
        }
}

/* Characters of all lengths, with a wrong byte somewhere: GLib knows where. */
static void
test_like_glib (void)
{
  static const gunichar most[] = { 0x7f, 0x7ff, 0xffff, 0x10ffff };

  for (int i = 0; i < 20000; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      gboolean escaped = FALSE;
      const char *end;

      while (text->len < 40)
        {
          gunichar limit = most[g_test_rand_int_range (0, 4)];
          gunichar c = (gunichar) g_test_rand_int_range ('^', (gint32) limit);

          if (g_unichar_validate (c))
            g_string_append_unichar (text, c);
        }
      text->str[g_test_rand_int_range (0, 40)] = (char) g_test_rand_int_range ('^', 0x100);

      g_utf8_validate_len (text->str, text->len, &end);
      g_assert_true (amps_json_text_skip (text->str, text->str + text->len, &escaped) == end);
      g_assert_false (escaped);
    }
}

static void
test_bits (void)
{
  for (int i = 0; i < 1000; i++)
    {
      char bytes[sizeof (AmpsBlock)];
      guint32 expected = 0;

      for (unsigned int place = 0; place < AMPS_BLOCK_SIZE; place++)
        {
          bytes[place] = (char) g_test_rand_int_range (0, 0x100);
          expected |= (guint32) ((guchar) bytes[place] >> 7) << place;
        }

      g_assert_cmpuint (amps_block_get_bits (amps_block_load (bytes)), ==, expected);
      g_assert_cmpuint (amps_block_get_bits_portably (amps_block_load (bytes)), ==, expected);
    }

  g_assert_cmpuint (amps_block_count_before (0), ==, AMPS_BLOCK_SIZE);
  g_assert_cmpuint (amps_block_count_before (0x8000), ==, 15);
  g_assert_cmpuint (amps_block_count_before (0xff01), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json-text/every-place", test_every_place);
  g_test_add_func ("/json-text/like-glib", test_like_glib);
  g_test_add_func ("/json-text/bits", test_bits);
  return g_test_run ();
}
