/* SPDX-License-Identifier: MIT */
#include "base/amps-foreign-text.h"

#include <string.h>

#define MARK "…"

static void
test_readable (void)
{
  static const struct {
    const char *text;
    gssize length;
    const char *expected;
  } cases[] = {
    { "", -1, "" },
    { "no such table: jobs", -1, "no such table: jobs" },
    { "Größe: 5 €", -1, "Größe: 5 €" },
    { "one two", 3, "one" },
    { "\xff\xfe.db", -1, "\xef\xbf\xbd\xef\xbf\xbd.db" },
    { "a\0b", 3,
      "a\xef\xbf\xbd"
      "b" },
    { "\xc3\xa4", 1, "\xef\xbf\xbd" },
    { "\x1b[2Jgone\r", -1, "\\u001b[2Jgone\\u000d" },
    { "\xc2\x9b"
      "2J",
      -1, "\\u009b2J" },
    { "line 1\n\tline 2", -1, "line 1\n\tline 2" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *readable = amps_foreign_text_dup (cases[i].text, cases[i].length);

      g_assert_cmpstr (readable, ==, cases[i].expected);
    }
}

static char *
repeat (const char *piece, gsize length)
{
  g_autoptr (GString) text = g_string_new (NULL);

  while (text->len + strlen (piece) <= length)
    g_string_append (text, piece);
  return g_strdup (text->str);
}

/* What is cut is cut at the end of a character and says so, and the mark counts, too. */
static void
test_cut (void)
{
  static const char *const pieces[] = { "x", "ä", "€", "\xf0\x9f\x90\x87", "\xff", "\x01" };

  for (size_t i = 0; i < G_N_ELEMENTS (pieces); i++)
    for (gsize length = AMPS_FOREIGN_TEXT_MAX - 8; length <= AMPS_FOREIGN_TEXT_MAX + 8; length++)
      {
        g_autofree char *text = repeat (pieces[i], length);
        g_autofree char *readable = amps_foreign_text_dup (text, -1);
        gboolean fits = strlen (text) <= AMPS_FOREIGN_TEXT_MAX && i < 4;

        g_assert_true (g_utf8_validate (readable, -1, NULL));
        g_assert_cmpuint (strlen (readable), <=, AMPS_FOREIGN_TEXT_MAX);
        if (fits)
          {
            g_assert_cmpstr (readable, ==, text);
            continue;
          }
        g_assert_cmpuint (strlen (readable), >, AMPS_FOREIGN_TEXT_MAX - 2 * strlen ("\\u0001"));
        g_assert_true (g_str_has_suffix (readable, MARK));
        readable[strlen (readable) - strlen (MARK)] = '\0';
        g_assert_true (i >= 4 || g_str_has_prefix (text, readable));
      }
}

static void
test_large (void)
{
  g_autofree char *text = repeat ("x", 10 * 1024 * 1024);
  g_autofree char *readable = amps_foreign_text_dup (text, -1);

  g_assert_cmpuint (strlen (readable), ==, AMPS_FOREIGN_TEXT_MAX);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/foreign-text/readable", test_readable);
  g_test_add_func ("/foreign-text/cut", test_cut);
  g_test_add_func ("/foreign-text/large", test_large);
  return g_test_run ();
}
