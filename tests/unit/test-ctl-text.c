/* SPDX-License-Identifier: MIT */
#include "ctl/amps-ctl-text.h"

#include <string.h>

static void
assert_clean (const char *text, const char *expected)
{
  g_autofree char *clean = amps_ctl_text_clean (text);

  g_assert_cmpstr (clean, ==, expected);
}

static void
test_clean (void)
{
  assert_clean ("", "");
  assert_clean ("plain, ä, 漢字, 🙂", "plain, ä, 漢字, 🙂");
  assert_clean ("\033[2J\r\b\a", "\\u001b[2J\\u000d\\u0008\\u0007");
  assert_clean ("two\nlines\tand", "two\\u000alines\\u0009and");
  /* CSI of eight bits, right-to-left override, zero-width joiner, line separator */
  assert_clean ("\xc2\x9b"
                "2J",
                "\\u009b2J");
  assert_clean ("a\u202eb\u200dc\u2028d", "a\\u202eb\\u200dc\\u2028d");
  assert_clean ("\xff", "\uFFFD");
}

static void
test_width (void)
{
  g_assert_cmpuint (amps_ctl_text_get_width ("abc"), ==, 3);
  g_assert_cmpuint (amps_ctl_text_get_width ("ä"), ==, 1);
  g_assert_cmpuint (amps_ctl_text_get_width ("a\u0308"), ==, 1);
  g_assert_cmpuint (amps_ctl_text_get_width ("漢字"), ==, 4);
}

static void
assert_fitted (const char *text, unsigned int width, gboolean right, const char *expected)
{
  g_autoptr (GString) line = g_string_new (NULL);

  amps_ctl_text_append (line, text, width, right);
  g_assert_cmpstr (line->str, ==, expected);
}

static void
test_fit (void)
{
  assert_fitted ("abc", 5, FALSE, "abc  ");
  assert_fitted ("abc", 5, TRUE, "  abc");
  assert_fitted ("abc", 3, TRUE, "abc");
  assert_fitted ("abcd", 3, FALSE, "ab…");
  assert_fitted ("abcd", 1, FALSE, "…");
  assert_fitted ("abcd", 0, FALSE, "");
  /* Half of a wide one can't be shown. */
  assert_fitted ("漢字", 3, FALSE, "漢…");
  assert_fitted ("漢字", 2, FALSE, "… ");
  assert_fitted ("漢字", 5, TRUE, " 漢字");
}

static void
assert_wrapped (const char *text, unsigned int width, const char *expected)
{
  g_autoptr (GString) lines = g_string_new ("> ");

  amps_ctl_text_append_wrapped (lines, text, 2, width);
  g_assert_cmpstr (lines->str, ==, expected);
}

static void
test_wrap (void)
{
  assert_wrapped ("one two three", 40, "> one two three\n");
  assert_wrapped ("one two three", 9, "> one two\n  three\n");
  assert_wrapped ("one two three", 3, "> one\n  two\n  three\n");
  assert_wrapped ("", 9, "> \n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ctl-text/clean", test_clean);
  g_test_add_func ("/ctl-text/width", test_width);
  g_test_add_func ("/ctl-text/fit", test_fit);
  g_test_add_func ("/ctl-text/wrap", test_wrap);
  return g_test_run ();
}
