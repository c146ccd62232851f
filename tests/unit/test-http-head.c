/* SPDX-License-Identifier: MIT */
#include "server/amps-http-head.h"

#include <string.h>

#define GET "GET / HTTP/1.1\n"
#define GET_1_0 "GET / HTTP/1.0\n"
#define HOST "Host: a\n"

/* @lines: each ended by a newline */
static unsigned int
read_head (const char *lines, AmpsHttpHead *head)
{
  g_auto (GStrv) parts = g_strsplit (lines, "\n", -1);
  const AmpsHttpProblem *problem;

  *head = (AmpsHttpHead){ 0 };
  problem = amps_http_head_read_request_line (head, parts[0], strlen (parts[0]));
  for (unsigned int i = 1; problem == NULL && parts[i + 1] != NULL; i++)
    problem = amps_http_head_read_field (head, parts[i], strlen (parts[i]));
  if (problem == NULL)
    problem = amps_http_head_finish (head);
  if (problem == NULL)
    return 0;

  g_assert_cmpstr (problem->title, !=, "");
  g_assert_cmpstr (problem->detail, !=, "");
  return problem->status;
}

static void
test_statuses (void)
{
  static const struct {
    const char *lines;
    unsigned int status; /* 0 for good */
  } heads[] = {
    { GET HOST, 0 },
    { GET "host:a\n", 0 },
    { GET "HOST: \t a.b-c_d:65535 \t\n", 0 },
    { GET "Host: 127.0.0.1:80\n", 0 },
    { GET "Host: [::1]:80\nX: \n", 0 },
    { GET "Host: [fe80::1]\nX!#$%&'*+-.^_`|~9: \xe4\t\"\n", 0 },
    { "POST /a/b?c=%20|[]{} HTTP/1.1\n" HOST, 0 },
    { "HEAD http://a HTTP/1.1\n" HOST, 0 },
    { "HEAD HTTP://a:1?b HTTP/1.1\n" HOST, 0 },
    { "OPTIONS * HTTP/1.1\n" HOST, 0 },
    { GET_1_0, 0 },
    { GET_1_0 HOST "Connection: Keep-Alive\n", 0 },
    { GET_1_0 "Connection: close\n", 0 },
    { GET HOST "Connection: close, te\n", 0 },
    { GET HOST "Expect: 100-Continue\n", 0 },

    { "\n", 400 },
    { "GET\n", 400 },
    { "GET /\n", 400 },
    { "GET / \n", 400 },
    { "GET  / HTTP/1.1\n" HOST, 400 },
    { "GET /  HTTP/1.1\n" HOST, 400 },
    { "GET / HTTP/1.1 \n" HOST, 400 },
    { " GET / HTTP/1.1\n" HOST, 400 },
    { "GET\t/ HTTP/1.1\n" HOST, 400 },
    { "GET / http/1.1\n" HOST, 400 },
    { "GET / HTTP/1\n" HOST, 400 },
    { "GET / HTTP/1.10\n" HOST, 400 },
    { "GET / HTTP/x.1\n" HOST, 400 },
    { "G\x01T / HTTP/1.1\n" HOST, 400 },
    { "GET /\x7f HTTP/1.1\n" HOST, 400 },
    { "GET /\xc3\xa4 HTTP/1.1\n" HOST, 400 },
    { "GET /a\rb HTTP/1.1\n" HOST, 400 },
    { "GET /#a HTTP/1.1\n" HOST, 400 },
    { "GET /%2 HTTP/1.1\n" HOST, 400 },
    { "GET /%zz HTTP/1.1\n" HOST, 400 },
    { "GET a HTTP/1.1\n" HOST, 400 },
    { "GET * HTTP/1.1\n" HOST, 400 },
    { "GET https://a/ HTTP/1.1\n" HOST, 400 },
    { "GET http:///b HTTP/1.1\n" HOST, 400 },
    { "GET http://user@a/b HTTP/1.1\n" HOST, 400 },
    { "GET http://a:/b HTTP/1.1\n" HOST, 400 },
    { "OPTIONS * HTTP/1.0\n", 400 },

    { GET, 400 },
    { GET HOST HOST, 400 },
    { GET_1_0 HOST HOST, 400 },
    { GET "Host:\n", 400 },
    { GET "Host: a/b\n", 400 },
    { GET "Host: a b\n", 400 },
    { GET "Host: a@b\n", 400 },
    { GET "Host: a%41\n", 400 },
    { GET "Host: a,b\n", 400 },
    { GET "Host: a:\n", 400 },
    { GET "Host: a:65536\n", 400 },
    { GET "Host: a:8x\n", 400 },
    { GET "Host: [::1\n", 400 },
    { GET "Host: [::1]x\n", 400 },
    { GET "Host: [::x]\n", 400 },
    { GET "Host: [fe80::1%25eth0]\n", 400 },
    { GET "Host: [127.0.0.1]\n", 400 },

    { GET "Host : a\n", 400 },
    { GET HOST "nothing\n", 400 },
    { GET HOST ": a\n", 400 },
    { GET HOST " folded\n", 400 },
    { GET HOST "\tX: folded\n", 400 },
    { GET HOST "X\x01: a\n", 400 },
    { GET HOST "X\xc3\xa4: a\n", 400 },
    { GET HOST "X: a\rY: b\n", 400 },
    { GET HOST "X: \x01\n", 400 },
    { GET HOST "X: \x7f\n", 400 },

    { GET HOST "Content-Length:\n", 400 },
    { GET HOST "Content-Length: -1\n", 400 },
    { GET HOST "Content-Length: +1\n", 400 },
    { GET HOST "Content-Length: 0x2\n", 400 },
    { GET HOST "Content-Length: 1 2\n", 400 },
    { GET HOST "Content-Length: 2, 2\n", 400 },
    { GET HOST "Content-Length: 2\ncontent-length: 2\n", 400 },
    { GET HOST "Content-Length: 2\nTransfer-Encoding: chunked\n", 400 },
    { GET HOST "Transfer-Encoding: chunked\nContent-Length: 2\n", 400 },
    { GET HOST "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n", 400 },
    { GET_1_0 "Transfer-Encoding: chunked\n", 400 },
    { GET_1_0 "Connection: content-length\nContent-Length: 2\n", 400 },

    { GET HOST "Transfer-Encoding: gzip\n", 501 },
    { GET HOST "Transfer-Encoding: gzip, chunked\n", 501 },
    { GET HOST "Transfer-Encoding: identity\n", 501 },
    { GET HOST "Transfer-Encoding: \x0b"
               "chunked\n",
      400 },
    { GET HOST "Transfer-Encoding:\n", 501 },
    { "BREW / HTTP/1.1\n" HOST, 501 },
    { "get / HTTP/1.1\n" HOST, 501 },
    { "CONNECT a:1 HTTP/1.1\n" HOST, 501 },
    { "PRI * HTTP/2.0\n", 505 },
    { "GET / HTTP/1.2\n" HOST, 505 },
    { "GET / HTTP/0.9\n" HOST, 505 },
    { GET HOST "Expect: wonders\n", 417 },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (heads); i++)
    {
      AmpsHttpHead head;
      unsigned int status = read_head (heads[i].lines, &head);

      if (status != heads[i].status)
        g_error ("%u rather than %u for “%s”", status, heads[i].status, heads[i].lines);
    }
}

static void
test_nul (void)
{
  static const char line[] = "X: a\0b";
  static const char name[] = "X\0: a";

  g_assert_cmpuint (amps_http_head_check_field (line, sizeof line - 1)->status, ==, 400);
  g_assert_cmpuint (amps_http_head_check_field (name, sizeof name - 1)->status, ==, 400);
}

static void
test_lengths (void)
{
  AmpsHttpHead head;

  g_assert_cmpuint (read_head (GET HOST, &head), ==, 0);
  g_assert_false (head.is_chunked);
  g_assert_cmpuint (head.length, ==, 0);

  g_assert_cmpuint (read_head (GET HOST "CONTENT-LENGTH: 0042 \n", &head), ==, 0);
  g_assert_cmpuint (head.length, ==, 42);

  g_assert_cmpuint (read_head (GET HOST "Content-Length: 99999999999999999999999\n", &head), ==, 0);
  g_assert_cmpuint (head.length, ==, G_MAXUINT64);

  g_assert_cmpuint (read_head (GET HOST "transfer-encoding: Chunked\n", &head), ==, 0);
  g_assert_true (head.is_chunked);
}

static void
test_many_fields (void)
{
  AmpsHttpHead head;
  g_autoptr (GString) lines = g_string_new (GET HOST);

  for (int i = 1; i < 256; i++)
    g_string_append (lines, "A: b\n");
  g_assert_cmpuint (read_head (lines->str, &head), ==, 0);
  g_string_append (lines, "A: b\n");
  g_assert_cmpuint (read_head (lines->str, &head), ==, 431);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http-head/statuses", test_statuses);
  g_test_add_func ("/http-head/nul", test_nul);
  g_test_add_func ("/http-head/lengths", test_lengths);
  g_test_add_func ("/http-head/many-fields", test_many_fields);
  return g_test_run ();
}
