/* SPDX-License-Identifier: MIT */
#include "event/amps-trace-headers.h"

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void
test_read (void)
{
  g_autoptr (AmpsTraceHeaders) headers = amps_trace_headers_read (PARENT, "a=1,b=2");
  g_autoptr (AmpsTraceHeaders) again = amps_trace_headers_ref (headers);
  g_autoptr (AmpsTraceHeaders) alone = amps_trace_headers_read (PARENT, NULL);

  g_assert_cmpstr (again->traceparent, ==, PARENT);
  g_assert_cmpstr (again->tracestate, ==, "a=1,b=2");
  g_assert_cmpstr (alone->traceparent, ==, PARENT);
  g_assert_null (alone->tracestate);
}

static void
test_bad (void)
{
  g_autofree char *long_state = g_strnfill (513, 'a');
  g_autoptr (AmpsTraceHeaders) headers = amps_trace_headers_read (PARENT, long_state);

  g_assert_null (headers->tracestate);
  g_assert_null (amps_trace_headers_read (NULL, "a=1"));
  g_assert_null (amps_trace_headers_read ("junk", "a=1"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trace-headers/read", test_read);
  g_test_add_func ("/trace-headers/bad", test_bad);
  return g_test_run ();
}
