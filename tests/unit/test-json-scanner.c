/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "event/amps-json-scanner.h"

#include <string.h>

static const char *const valid[] = {
  "null",
  " true ",
  "\t\r\n false",
  "0",
  "-0",
  "-0.0e-0",
  "1E+2",
  "1e400",
  "123456789012345678901234567890",
  "0.00000000000000000000000000000000000000000000000000000000000001",
  "\"\"",
  "\"\x7f\"",
  "\"\\u0000\"",
  "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\uABCD\\uabcd\"",
  "\"\\uD834\\uDd1e\"",
  "\"\\ud83d\\ude00\\ud83d\\ude00\"",
  "\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\"",
  "\"\xef\xbb\xbf\"",
  "[]",
  "[ ]",
  "{}",
  "{ }",
  "[[],{},[{}]]",
  "[1,\"a\",null,{\"b\":[2]}]",
  "{\"a\":1,\"a\":2,\"\":3,\"\\u0000\":4}",
  "{\"a\" : { \"b\" : [ ] } , \"c\" : 0 }",
};

/* What is wrong, and where it is. */
static const struct {
  const char *json;
  gsize offset;
} invalid[] = {
  { "", 0 },
  { " ", 1 },
  { "\xef\xbb\xbf{}", 0 },
  { "\xfe\xff", 0 },
  { "nul", 0 },
  { "nulL", 0 },
  { "True", 0 },
  { "truex", 4 },
  { "NaN", 0 },
  { "Infinity", 0 },
  { "-Infinity", 1 },
  { "undefined", 0 },
  { "'a'", 0 },
  { "\f1", 0 },
  { "\xc2\xa0"
    "1",
    0 },
  { "// c\n1", 0 },
  { "1 /* c */", 2 },
  { "1 2", 2 },
  { "{}}", 2 },
  { "00", 1 },
  { "-01", 2 },
  { "-", 1 },
  { "--1", 1 },
  { "+1", 0 },
  { ".5", 0 },
  { "5.", 2 },
  { "1.e1", 2 },
  { "1e", 2 },
  { "1e+", 3 },
  { "1e1.5", 3 },
  { "0x10", 1 },
  { "1,000", 1 },
  { "\"", 1 },
  { "\"abc", 4 },
  { "\"\n\"", 1 },
  { "\"12345678\x1f\"", 9 },
  { "\"\\", 1 },
  { "\"\\\"", 3 },
  { "\"\\a\"", 1 },
  { "\"\\x41\"", 1 },
  { "\"\\U0041\"", 1 },
  { "\"\\u\"", 1 },
  { "\"\\u123\"", 1 },
  { "\"\\u 123\"", 1 },
  { "\"\\u+123\"", 1 },
  { "\"\\ud800\"", 1 },
  { "\"\\udc00\"", 1 },
  { "\"\\ud800x\"", 1 },
  { "\"\\ud800\\n\"", 1 },
  { "\"\\ud800\\u0041\"", 1 },
  { "\"\\ud800\\ud800\"", 1 },
  { "\"\\ud800\\u\"", 1 },
  { "\"ab\x80\"", 3 },
  { "\"ab\xc3\xa9\xff\"", 5 },
  { "[", 1 },
  { "]", 0 },
  { "[1", 2 },
  { "[1,", 3 },
  { "[1,]", 3 },
  { "[,1]", 1 },
  { "[1,,2]", 3 },
  { "[1 2]", 3 },
  { "[1}", 2 },
  { "[1:2]", 2 },
  { "{", 1 },
  { "}", 0 },
  { "{]", 1 },
  { "{\"a\"", 4 },
  { "{\"a\":", 5 },
  { "{\"a\":}", 5 },
  { "{\"a\":1", 6 },
  { "{\"a\":1,", 7 },
  { "{\"a\":1,}", 7 },
  { "{\"a\",1}", 4 },
  { "{\"a\" 1}", 5 },
  { "{a:1}", 1 },
  { "{1:1}", 1 },
  { "{\"a\":1 \"b\":2}", 7 },
  { "{\"a\"::1}", 5 },
  { "[[[[1,2],{\"a\":[}]]]]", 15 },
};

/* Exactly as long as it says, so that reading behind it is seen. */
static gboolean
check (const char *json, gsize length, GError **error)
{
  g_autofree char *copy = g_memdup2 (json, length);

  return amps_json_check (copy, length, error);
}

static void
test_valid (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (valid); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", valid[i]);
      g_assert_true (check (valid[i], strlen (valid[i]), &error));
      g_assert_no_error (error);
    }
}

static void
test_invalid (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (invalid); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *place = g_strdup_printf (" at byte %zu", invalid[i].offset);

      g_assert_false (check (invalid[i].json, strlen (invalid[i].json), &error));
      g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
      g_test_message ("%s", error->message);
      g_assert_true (g_str_has_suffix (error->message, place));
    }

  g_assert_false (amps_json_check (NULL, 0, NULL));
  g_assert_false (check ("1\0", 2, NULL));
  g_assert_false (check ("\"a\0b\"", 5, NULL));
  g_assert_false (check ("[1,2]\0", 6, NULL));
}

static void
test_truncated (void)
{
  const char json[] = "{\"a\":[true,false,null,-1.5e+10,\"\\u00e9\\ud83d\\ude00 é\"],\"b\":{}}";

  g_assert_true (check (json, strlen (json), NULL));
  for (gsize length = 0; length < strlen (json); length++)
    g_assert_false (check (json, length, NULL));
}

static gboolean
check_nested (const char *opening, const char *inside, const char *closing, gsize depth)
{
  GString *json = g_string_new (NULL);
  gboolean ok;

  for (gsize i = 0; i < depth; i++)
    g_string_append (json, opening);
  g_string_append (json, inside);
  for (gsize i = 0; i < depth; i++)
    g_string_append (json, closing);

  ok = check (json->str, json->len, NULL);
  g_string_free (json, TRUE);
  return ok;
}

static void
test_depth (void)
{
  const gsize most = AMPS_JSON_MAX_DEPTH;

  g_assert_true (check_nested ("[", "", "]", most));
  g_assert_false (check_nested ("[", "", "]", most + 1));
  g_assert_false (check_nested ("[", "", "]", 100000));
  g_assert_false (check_nested ("[", "", "", 100000));
  g_assert_true (check_nested ("{\"a\":", "0", "}", most));
  g_assert_false (check_nested ("{\"a\":", "0", "}", most + 1));
  g_assert_true (check_nested ("[{\"a\":", "0", "}]", most / 2));
  g_assert_false (check_nested ("[{\"a\":", "[]", "}]", most / 2));
  /* Many side by side are not deep. */
  g_assert_true (check ("[[],[],[],{},[[]]]", 18, NULL));
}

static void
test_large (void)
{
  gsize length = 20 * 1024 * 1024;
  g_autofree char *digits = g_strnfill (length, '7');
  g_autofree char *spaces = g_strnfill (length, ' ');

  g_assert_true (amps_json_check (digits, length, NULL));
  g_assert_false (amps_json_check (spaces, length, NULL));
  spaces[length / 2] = '1';
  g_assert_true (amps_json_check (spaces, length, NULL));
  spaces[length - 1] = '1';
  g_assert_false (amps_json_check (spaces, length, NULL));
}

/* Strings are read 16 bytes at a time, then eight: each byte at each place of such a block
 * and word, against what a byte alone means. */
static void
test_every_byte_at_every_place (void)
{
  for (gsize length = 1; length <= 42; length++)
    for (gsize place = 0; place < length; place++)
      for (unsigned int byte = 0; byte < 256; byte++)
        {
          char json[44];
          gboolean plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';

          memset (json, 'x', sizeof json);
          json[0] = json[length + 1] = '"';
          json[place + 1] = (char) byte;
          g_assert_cmpint (check (json, length + 2, NULL), ==, plain);
        }
}

static gboolean
is_utf8 (const guchar *bytes, gsize length)
{
  return g_utf8_validate_len ((const char *) bytes, length, NULL);
}

static void
assert_like_glib (const guchar *bytes, gsize length)
{
  char json[8] = "\"";

  memcpy (json + 1, bytes, length);
  json[length + 1] = '"';
  g_assert_cmpint (amps_json_check (json, length + 2, NULL), ==, is_utf8 (bytes, length));
}

/* Every sequence of two and three bytes from 0x80 on, and the edges of four. */
static void
test_utf8 (void)
{
  static const guchar edges[] = { 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff };
  guchar bytes[4];

  for (unsigned int a = 0x80; a < 0x100; a++)
    for (unsigned int b = 0x80; b < 0x100; b++)
      {
        bytes[0] = (guchar) a;
        bytes[1] = (guchar) b;
        assert_like_glib (bytes, 2);
        for (unsigned int c = 0x80; c < 0x100; c++)
          {
            bytes[2] = (guchar) c;
            assert_like_glib (bytes, 3);
          }
      }

  for (unsigned int a = 0xef; a < 0x100; a++)
    for (unsigned int b = 0x70; b < 0x100; b++)
      for (gsize c = 0; c < G_N_ELEMENTS (edges); c++)
        for (gsize d = 0; d < G_N_ELEMENTS (edges); d++)
          {
            bytes[0] = (guchar) a;
            bytes[1] = (guchar) b;
            bytes[2] = edges[c];
            bytes[3] = edges[d];
            assert_like_glib (bytes, 4);
          }
}

static void
append_escaped (GString *json, gunichar c)
{
  if (c < 0x10000)
    g_string_append_printf (json, "\\u%04x", c);
  else
    g_string_append_printf (json, "\\u%04X\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                            0xdc00 + ((c - 0x10000) & 0x3ff));
}

static void
test_unescape (void)
{
  for (int i = 0; i < 2000; i++)
    {
      GString *text = g_string_new (NULL);
      GString *json = g_string_new ("\"");
      g_autofree char *unescaped = NULL;
      AmpsJsonScanner scanner;
      AmpsJsonValue value;

      for (int n = g_test_rand_int_range (0, 20); n > 0; n--)
        {
          gunichar c = (gunichar) g_test_rand_int_range (1, n % 2 ? 0x80 : 0x110000);

          if (!g_unichar_validate (c))
            continue;
          g_string_append_unichar (text, c);
          if (n % 3 == 0 || c < 0x20 || c == '"' || c == '\\')
            append_escaped (json, c);
          else
            g_string_append_unichar (json, c);
        }
      g_string_append_c (json, '"');

      amps_json_scanner_init (&scanner, json->str, json->len);
      g_assert_true (amps_json_scanner_read_value (&scanner, 0, &value));
      g_assert_cmpint (value.kind, ==, AMPS_JSON_STRING);
      unescaped = amps_json_value_unescape (&value);
      g_assert_cmpstr (unescaped, ==, text->str);
      g_string_free (text, TRUE);
      g_string_free (json, TRUE);
    }
}

static void
test_values (void)
{
  static const char json[] =
      " { \"a\" : [ 1 , {} ] , \"\\u0062\" : \"x\\n\" , \"c\":-1.5,\"d\":true}";
  const struct {
    const char *name;
    AmpsJsonKind kind;
    const char *text;
  } expected[] = {
    { "a", AMPS_JSON_ARRAY, "[ 1 , {} ]" },
    { "b", AMPS_JSON_STRING, "x\\n" },
    { "c", AMPS_JSON_NUMBER, "-1.5" },
    { "d", AMPS_JSON_BOOLEAN, "true" },
  };
  AmpsJsonScanner scanner;
  AmpsJsonValue name, value;
  unsigned int i = 0;

  amps_json_scanner_init (&scanner, json, strlen (json));
  g_assert_true (amps_json_scanner_enter (&scanner, '{'));
  for (; amps_json_scanner_next_item (&scanner, '{', i == 0); i++)
    {
      g_autofree char *text = NULL;

      g_assert_true (amps_json_scanner_read_name (&scanner, &name));
      g_assert_true (amps_json_scanner_read_value (&scanner, 1, &value));
      text = amps_json_value_unescape (&name);
      g_assert_cmpstr (text, ==, expected[i].name);
      g_assert_cmpint (value.kind, ==, expected[i].kind);
      g_assert_cmpmem (value.start, (gsize) (value.end - value.start), expected[i].text,
                       strlen (expected[i].text));
    }

  g_assert_null (scanner.problem);
  g_assert_cmpuint (i, ==, G_N_ELEMENTS (expected));
  g_assert_true (amps_json_scanner_finish (&scanner));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json-scanner/valid", test_valid);
  g_test_add_func ("/json-scanner/invalid", test_invalid);
  g_test_add_func ("/json-scanner/truncated", test_truncated);
  g_test_add_func ("/json-scanner/depth", test_depth);
  g_test_add_func ("/json-scanner/large", test_large);
  g_test_add_func ("/json-scanner/every-byte", test_every_byte_at_every_place);
  g_test_add_func ("/json-scanner/utf8", test_utf8);
  g_test_add_func ("/json-scanner/unescape", test_unescape);
  g_test_add_func ("/json-scanner/values", test_values);
  return g_test_run ();
}
