/* SPDX-License-Identifier: MIT */
#include "server/amps-http-framing.h"

#include <libsoup/soup.h>
#include <string.h>

/* Whatever the bytes are, it does not matter in what pieces they come; and libsoup
 * reads what is passed as the same requests. */

#define MAX_BODY 1000

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static unsigned int
next_size (guint32 *state)
{
  *state = *state * 1664525 + 1013904223;
  return 1 + (*state >> 24) % 40;
}

/* @state: (nullable): where random sizes of pieces come from; all at once if %NULL
 *
 * Returns: what was passed */
static GByteArray *
filter (const guint8 *data, gsize size, guint32 *state, const AmpsHttpProblem **problem)
{
  GByteArray *passed = g_byte_array_new ();
  g_autoptr (GByteArray) kept = g_byte_array_new ();
  AmpsHttpFraming framing;

  amps_http_framing_init (&framing, MAX_BODY);
  for (gsize at = 0, n; at < size; at += n)
    {
      n = state != NULL ? next_size (state) : size;
      n = MIN (n, size - at);
      g_byte_array_append (kept, data + at, (unsigned int) n);

      gsize length = kept->len;
      gsize n_passed = amps_http_framing_filter (&framing, (char *) kept->data, &length);

      g_assert_cmpuint (n_passed, <=, length);
      g_assert_cmpuint (length, <=, kept->len);
      g_byte_array_set_size (kept, (unsigned int) length);
      g_byte_array_append (passed, kept->data, (unsigned int) n_passed);
      g_byte_array_remove_range (kept, 0, (unsigned int) n_passed);
      g_assert_true (amps_http_framing_get_problem (&framing) != NULL || kept->len <= 32 * 1024);
    }
  *problem = amps_http_framing_get_problem (&framing);
  return passed;
}

/* As libsoup makes an URI of a head. */
static void
assert_uri (SoupMessageHeaders *headers, const char *target, SoupHTTPVersion version)
{
  const char *host = soup_message_headers_get_one (headers, "Host");
  g_autofree char *text = NULL;
  g_autoptr (GUri) uri = NULL;
  g_autoptr (GError) error = NULL;

  if (host == NULL && target[0] == '/')
    {
      g_assert_cmpint (version, ==, SOUP_HTTP_1_0);
      return;
    }
  if (strcmp (target, "*") == 0)
    text = g_strdup_printf ("http://%s/", host);
  else if (target[0] == '/')
    text = g_strdup_printf ("http://%s%s", host, target);
  else
    text = g_strdup (target);
  uri = g_uri_parse (text, SOUP_HTTP_URI_FLAGS, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_uri_get_scheme (uri), ==, "http");
  g_assert_cmpstr (g_uri_get_host (uri), !=, "");
}

/* Returns: (transfer full): the headers of the request that begins at @start */
static SoupMessageHeaders *
parse_head (const char *start, const char *end)
{
  SoupMessageHeaders *headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  g_autofree char *head = g_strndup (start, (gsize) (end - start));
  g_autofree char *method = NULL;
  g_autofree char *target = NULL;
  SoupHTTPVersion version;

  g_assert_cmpuint (
      soup_headers_parse_request (head, (int) (end - start), headers, &method, &target, &version),
      ==, SOUP_STATUS_OK);
  assert_uri (headers, target, version);
  return headers;
}

static const char *
end_line (const char *at, const char *end)
{
  const char *newline = memchr (at, '\n', (gsize) (end - at));

  g_assert_nonnull (newline);
  return newline + 1;
}

/* As libsoup 3.2 reads chunks, even bad ones; NULL where it would wait for more. */
static const char *
skip_chunks (const char *at, const char *end)
{
  while (at < end)
    {
      guint64 size = g_ascii_strtoull (at, NULL, 16);
      const char *line = end_line (at, end);

      g_assert_cmpint (line - at, <, 128);
      at = line;
      if (size == 0)
        return at < end ? end_line (at, end) : NULL;
      if (size > (gsize) (end - at) || at + size == end)
        return NULL;
      at = end_line (at + size, end);
    }
  return NULL;
}

/* Returns: where the next request begins; NULL if not all of the body is there */
static const char *
skip_body (SoupMessageHeaders *headers, const char *at, const char *end)
{
  SoupEncoding encoding = soup_message_headers_get_encoding (headers);
  goffset length;

  g_assert_true (encoding == SOUP_ENCODING_NONE || encoding == SOUP_ENCODING_CHUNKED ||
                 encoding == SOUP_ENCODING_CONTENT_LENGTH);
  if (encoding == SOUP_ENCODING_CHUNKED)
    return skip_chunks (at, end);
  if (encoding == SOUP_ENCODING_NONE)
    return at;

  length = soup_message_headers_get_content_length (headers);
  g_assert_cmpint (length, >=, 0);
  return length <= end - at ? at + length : NULL;
}

/* @passed: ends with a NUL */
static void
assert_requests (const GByteArray *passed)
{
  const char *at = (const char *) passed->data, *end = at + passed->len - 1;

  while (at != NULL && at < end)
    {
      const char *blank = g_strstr_len (at, end - at, "\r\n\r\n");

      g_assert_nonnull (blank);

      SoupMessageHeaders *headers = parse_head (at, blank + 2);

      at = skip_body (headers, blank + 4, end);
      soup_message_headers_unref (headers);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const AmpsHttpProblem *problem, *problem_of_pieces;
  g_autoptr (GByteArray) whole = filter (data, size, NULL, &problem);
  guint32 state = (guint32) size;
  g_autoptr (GByteArray) pieces = filter (data, size, &state, &problem_of_pieces);

  g_assert_true (problem == problem_of_pieces);
  g_assert_cmpmem (whole->data, whole->len, pieces->data, pieces->len);
  g_byte_array_append (whole, (const guint8 *) "", 1);
  assert_requests (whole);
  return 0;
}
