/* SPDX-License-Identifier: MIT */
#include "workload/amps-answer.h"

#include <gio/gio.h>

static void
test_status (void)
{
  g_autoptr (AmpsAnswer) answer = amps_answer_new (AMPS_ANSWER_STATUS, 503);

  g_assert_cmpuint (answer->status, ==, 503);
  g_assert_cmpint (answer->retry_after, ==, -1);
  g_assert_null (answer->detail);
  g_assert_null (amps_answer_kind_to_string (answer->kind));
}

static void
assert_failure (GQuark domain, int code, gboolean sent, gboolean timed_out, const char *kind,
                const char *detail)
{
  g_autoptr (GError) error = g_error_new_literal (domain, code, "why");
  g_autoptr (AmpsAnswer) answer = amps_answer_new_failed (error, sent, timed_out);

  g_assert_cmpuint (answer->status, ==, 0);
  g_assert_cmpstr (amps_answer_kind_to_string (answer->kind), ==, kind);
  g_assert_cmpstr (answer->detail, ==, detail);
}

/* What decides is whether the workload may have had the job. */
static void
test_failures (void)
{
  const int reset = G_IO_ERROR_CONNECTION_CLOSED;

  assert_failure (G_IO_ERROR, reset, FALSE, FALSE, "unreachable", "why");
  assert_failure (G_IO_ERROR, reset, TRUE, FALSE, "connection_lost", "why");
  assert_failure (G_IO_ERROR, reset, TRUE, TRUE, "timeout", NULL);
  assert_failure (G_IO_ERROR, reset, FALSE, TRUE, "unreachable", "it takes too long to connect");
}

/* With TLS 1.3 it comes after the request, which nobody has read. */
static void
test_certificate (void)
{
  assert_failure (G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED, TRUE, FALSE, "unreachable", "why");
  assert_failure (G_TLS_ERROR, G_TLS_ERROR_EOF, TRUE, FALSE, "connection_lost", "why");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/answer/status", test_status);
  g_test_add_func ("/answer/failures", test_failures);
  g_test_add_func ("/answer/certificate", test_certificate);
  return g_test_run ();
}
