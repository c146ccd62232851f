/* SPDX-License-Identifier: MIT */
#include "base/amps-foreign-text.h"
#include "server/amps-reply.h"

#include <string.h>

static void
test_json (void)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autofree char *text = NULL;
  gsize length;

  json_builder_begin_object (builder);
  amps_reply_add_string (builder, "text", "\"\n\xc3\xbc</");
  amps_reply_add_boolean (builder, "yes", TRUE);
  amps_reply_add_int (builder, "number", G_MININT64);
  json_builder_end_object (builder);
  text = amps_reply_format_json (builder, &length);
  g_assert_cmpuint (length, ==, strlen (text));
  g_assert_cmpstr (text, ==,
                   "{\"text\":\"\\\"\\n\xc3\xbc</\",\"yes\":true,\"number\":-9223372036854775808}");
}

/* The answer of a listener that has torn the connection from libsoup. */
static void
assert_refusal (unsigned int status, const char *detail, const char *head, const char *shown)
{
  g_autofree char *text = amps_reply_format_refusal (status, "Title", detail);
  const char *body = strstr (text, "\r\n\r\n");
  g_autofree char *length = NULL;
  g_autofree char *expected =
      g_strdup_printf ("{\"title\":\"Title\",\"status\":%u,\"detail\":\"%s\"}", status, shown);

  g_assert_nonnull (body);
  body += strlen ("\r\n\r\n");
  length = g_strdup_printf ("\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n", strlen (body));
  g_assert_cmpstr (body, ==, expected);
  g_assert_true (g_str_has_prefix (text, head));
  g_assert_nonnull (strstr (text, "\r\nConnection: close\r\n"));
  g_assert_nonnull (strstr (text, "\r\nContent-Type: application/problem+json\r\n"));
  g_assert_nonnull (strstr (text, length));
  g_assert_cmpint (strstr (text, "\r\nRetry-After: 1\r\n") != NULL, ==, status == 503);
}

static void
test_refusals (void)
{
  g_autofree char *endless = g_strnfill (100000, 'x');
  g_autofree char *cut = amps_foreign_text_dup (endless, -1);

  assert_refusal (413, "too large", "HTTP/1.1 413 Title\r\n", "too large");
  assert_refusal (503, "full", "HTTP/1.1 503 Title\r\n", "full");
  assert_refusal (400, "a\xff", "HTTP/1.1 400 Title\r\n", "a\xef\xbf\xbd");
  assert_refusal (400, endless, "HTTP/1.1 400 Title\r\n", cut);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reply/json", test_json);
  g_test_add_func ("/reply/refusals", test_refusals);
  return g_test_run ();
}
