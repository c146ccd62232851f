/* SPDX-License-Identifier: MIT */
#include "server/amps-http-framing.h"

#include <string.h>

#define MAX_BODY 1000

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\r\n\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

/* @piece: how many bytes come at once
 *
 * Returns: the status of the problem, or 0 */
static unsigned int
filter (const char *bytes, gsize piece, GString *passed)
{
  g_autoptr (GString) kept = g_string_new (NULL);
  AmpsHttpFraming framing;
  const gsize size = strlen (bytes);

  g_string_truncate (passed, 0);
  amps_http_framing_init (&framing, MAX_BODY);
  for (gsize at = 0; at < size; at += piece)
    {
      g_string_append_len (kept, bytes + at, (gssize) MIN (piece, size - at));

      gsize length = kept->len;
      gsize n = amps_http_framing_filter (&framing, kept->str, &length);

      g_string_truncate (kept, length);
      g_string_append_len (passed, kept->str, (gssize) n);
      g_string_erase (kept, 0, (gssize) n);
    }
  return amps_http_framing_get_problem (&framing) != NULL
             ? amps_http_framing_get_problem (&framing)->status
             : 0;
}

/* @passed: (nullable): what libsoup gets; all if %NULL */
static void
assert_filtered (const char *bytes, const char *expected, unsigned int status)
{
  g_autoptr (GString) passed = g_string_new (NULL);
  const gsize pieces[] = { 1, 2, 3, 7, 50, strlen (bytes) };

  for (size_t i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      g_assert_cmpuint (filter (bytes, pieces[i], passed), ==, status);
      g_assert_cmpstr (passed->str, ==, expected != NULL ? expected : bytes);
    }
}

static void
test_good (void)
{
  assert_filtered (GET, NULL, 0);
  assert_filtered (GET POST GET POST POST, NULL, 0);
  assert_filtered (CHUNKED "3\r\nabc\r\n0a;b=\"c\"\r\n0123456789\r\n000\r\n\r\n" GET, NULL, 0);
  assert_filtered (CHUNKED "0\r\n\r\n" CHUNKED "0\r\n\r\n", NULL, 0);
}

static void
test_kept (void)
{
  assert_filtered ("GET / HTTP/1.1\r\nHost: a\r\n", "", 0);
  assert_filtered (POST "GET / HTTP/1.1\r\nHost: a\r\n\r", POST, 0);
  assert_filtered (CHUNKED "3", CHUNKED, 0);
  assert_filtered (CHUNKED "3\r\nab", NULL, 0);
}

static void
test_empty_lines (void)
{
  assert_filtered ("\r\n" GET "\r\n" POST "\r\n" CHUNKED "0\r\n\r\n\r\n" GET,
                   GET POST CHUNKED "0\r\n\r\n" GET, 0);
  assert_filtered (GET "\r\n\r\n" GET, GET, 400);
}

/* Nothing of a bad head is passed, but all that came before. */
static void
test_bad_heads (void)
{
  assert_filtered ("GET / HTTP/1.1\r\n\r\n", "", 400);
  assert_filtered (GET POST "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" GET, GET POST, 400);
  assert_filtered (POST "BREW / HTTP/1.1\r\n", POST, 501);
  assert_filtered (POST "GET / HTTP/2.0\r\n", POST, 505);
  assert_filtered ("GET / HTTP/1.1\nHost: a\n\n", "", 400);
  assert_filtered ("GET / HTTP/1.1\r\nHost: a\n\r\n", "", 400);
  assert_filtered ("GET / HTTP/1.1\r\nHost: a\r\n\n", "", 400);
  assert_filtered ("\x16\x03\x01", "", 400);
  assert_filtered (GET "{", GET, 400);
}

static void
test_large_bodies (void)
{
  static const char post[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n";
  g_autofree char *most = g_strdup_printf (post, "9223372036854775807");
  g_autofree char *more = g_strdup_printf (post, "9223372036854775808");
  g_autofree char *endless = g_strdup_printf (post, "99999999999999999999");
  g_autofree char *body = g_strnfill (600, 'x');
  g_autofree char *chunks = g_strdup_printf (CHUNKED "258\r\n%s\r\n", body);
  g_autofree char *fit = g_strconcat (chunks, "190\r\n", NULL);
  g_autofree char *too_large = g_strconcat (chunks, "191\r\n", NULL);

  assert_filtered (most, NULL, 0);
  assert_filtered (more, "", 413);
  assert_filtered (endless, "", 413);
  assert_filtered (fit, NULL, 0);
  assert_filtered (too_large, chunks, 413);
  assert_filtered (CHUNKED "3e9\r\n", CHUNKED, 413);
  assert_filtered (CHUNKED "fffffffffffffffff\r\n", CHUNKED, 413);
}

static void
test_bad_chunks (void)
{
  static const char *const lines[] = { "zz", "-2",   "+2",     "0x2", "",  " 2",
                                       "2 ", "2 ;a", "2;\x01", "2\r", ";a" };
  g_autofree char *extension = g_strnfill (98, 'x');
  g_autofree char *long_line = g_strdup_printf (CHUNKED "2;%s\r\n", extension);

  for (size_t i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autofree char *bytes = g_strconcat (CHUNKED, lines[i], "\r\n" GET, NULL);

      assert_filtered (bytes, CHUNKED, 400);
    }
  assert_filtered (CHUNKED "2\nab\r\n", CHUNKED, 400);
  assert_filtered (CHUNKED "2\r\nabc", CHUNKED "2\r\nab", 400);
  assert_filtered (CHUNKED "2\r\nab\n0\r\n\r\n", CHUNKED "2\r\nab", 400);
  assert_filtered (CHUNKED "2\r\nab\r0", CHUNKED "2\r\nab", 400);
  assert_filtered (long_line, CHUNKED, 400);
}

/* libsoup 3.2 would take the second line for a request. */
static void
test_trailers (void)
{
  g_autofree char *filler = g_strnfill (4096, 'x');
  g_autofree char *large = g_strdup_printf (CHUNKED "0\r\nX: %s\r\n\r\n", filler);

  assert_filtered (CHUNKED "0\r\nA: b\r\nC: d\r\n\r\n" GET, CHUNKED "0\r\n\r\n" GET, 0);
  assert_filtered (CHUNKED "0\r\nA: b\r\nGET /x HTTP/1.1\r\n\r\n", CHUNKED "0\r\n", 400);
  assert_filtered (large, CHUNKED "0\r\n", 431);
}

static void
test_large_heads (void)
{
  static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  g_autofree char *filler = g_strnfill (32 * 1024, 'x');
  g_autofree char *line = g_strconcat ("GET /", filler, NULL);
  g_autofree char *head = g_strconcat (start, filler, NULL);
  g_autofree char *whole = g_strconcat (head, "\r\n\r\n", NULL);
  g_autofree char *most = g_strconcat (start, filler + strlen (start) + 4, "\r\n\r\n", NULL);
  g_autofree char *more = g_strconcat (start, filler + strlen (start) + 3, "\r\n\r\n", NULL);

  assert_filtered (line, "", 414);
  assert_filtered (head, "", 431);
  assert_filtered (whole, "", 431);
  assert_filtered (most, NULL, 0);
  assert_filtered (more, "", 431);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http-framing/good", test_good);
  g_test_add_func ("/http-framing/kept", test_kept);
  g_test_add_func ("/http-framing/empty-lines", test_empty_lines);
  g_test_add_func ("/http-framing/bad-heads", test_bad_heads);
  g_test_add_func ("/http-framing/large-bodies", test_large_bodies);
  g_test_add_func ("/http-framing/bad-chunks", test_bad_chunks);
  g_test_add_func ("/http-framing/trailers", test_trailers);
  g_test_add_func ("/http-framing/large-heads", test_large_heads);
  return g_test_run ();
}
