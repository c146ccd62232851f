/* SPDX-License-Identifier: MIT */
#include "event/amps-trace-context.h"

#include <string.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"
#define PARENT "00-" TRACE "-" SPAN "-01"

static void
assert_formatted (const char *text, const char *expected)
{
  AmpsTraceContext context;
  char again[AMPS_TRACEPARENT_SIZE];

  g_test_message ("%s", text);
  g_assert_true (amps_trace_context_parse (&context, text));
  g_assert_true (amps_trace_context_is_traceparent (text));
  amps_trace_context_format (&context, again);
  g_assert_cmpstr (again, ==, expected);
}

static void
test_parse (void)
{
  assert_formatted (PARENT, PARENT);
  assert_formatted ("00-" TRACE "-" SPAN "-00", "00-" TRACE "-" SPAN "-00");
  assert_formatted ("00-" TRACE "-" SPAN "-03", "00-" TRACE "-" SPAN "-03");
  /* Flags that nobody knows yet are not passed on (section 3.2.2.5). */
  assert_formatted ("00-" TRACE "-" SPAN "-ff", "00-" TRACE "-" SPAN "-03");
  /* A later version is read as this one (section 3.2.3). */
  assert_formatted ("01-" TRACE "-" SPAN "-01", PARENT);
  assert_formatted ("fe-" TRACE "-" SPAN "-01-more", PARENT);
}

static void
test_bad (void)
{
  static const char *const bad[] = {
    "",
    "0",
    "00",
    "00-",
    "ff-" TRACE "-" SPAN "-01",
    "0-" TRACE "-" SPAN "-01",
    "00-" TRACE "-" SPAN,
    "00-" TRACE "-" SPAN "-",
    "00-" TRACE "-" SPAN "-1",
    "00-" TRACE "-" SPAN "-0x",
    "00-" TRACE "-" SPAN "-01-more",
    "00-" TRACE "-" SPAN "-01 ",
    "01-" TRACE "-" SPAN "-01more",
    "01-" TRACE "-" SPAN "-01-\x01",
    "00_" TRACE "-" SPAN "-01",
    "00-" TRACE "_" SPAN "-01",
    "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
    "00-" TRACE "-B7AD6B7169203331-01",
    "00-00000000000000000000000000000000-" SPAN "-01",
    "00-" TRACE "-0000000000000000-01",
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_test_message ("%s", bad[i]);
      g_assert_false (amps_trace_context_is_traceparent (bad[i]));
    }
}

static void
test_ids (void)
{
  AmpsTraceContext context;
  char trace[AMPS_TRACE_ID_SIZE];
  char span[AMPS_SPAN_ID_SIZE];

  g_assert_true (amps_trace_context_parse (&context, PARENT));
  amps_trace_context_format_trace_id (&context, trace);
  amps_trace_context_format_span_id (&context, span);
  g_assert_cmpstr (trace, ==, TRACE);
  g_assert_cmpstr (span, ==, SPAN);
}

static void
test_sampled (void)
{
  AmpsTraceContext context;

  g_assert_true (amps_trace_context_parse (&context, "00-" TRACE "-" SPAN "-03"));
  g_assert_true (amps_trace_context_is_sampled (&context));
  amps_trace_context_set_sampled (&context, FALSE);
  g_assert_cmpuint (context.flags, ==, AMPS_TRACE_RANDOM);
  g_assert_false (amps_trace_context_is_sampled (&context));
  amps_trace_context_set_sampled (&context, TRUE);
  g_assert_cmpuint (context.flags, ==, AMPS_TRACE_RANDOM | AMPS_TRACE_SAMPLED);
}

static void
test_begin (void)
{
  AmpsTraceContext parent, child, root, other;
  char text[AMPS_TRACEPARENT_SIZE];

  g_assert_true (amps_trace_context_parse (&parent, PARENT));
  amps_trace_context_begin (&child, &parent);
  g_assert_cmpmem (child.trace_id, 16, parent.trace_id, 16);
  g_assert_cmpint (memcmp (child.span_id, parent.span_id, 8), !=, 0);
  g_assert_cmpuint (child.flags, ==, parent.flags);

  amps_trace_context_begin (&root, NULL);
  amps_trace_context_begin (&other, NULL);
  g_assert_cmpint (memcmp (root.trace_id, other.trace_id, 16), !=, 0);
  g_assert_cmpuint (root.flags, ==, AMPS_TRACE_RANDOM);
  amps_trace_context_format (&root, text);
  g_assert_true (amps_trace_context_is_traceparent (text));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trace-context/parse", test_parse);
  g_test_add_func ("/trace-context/bad", test_bad);
  g_test_add_func ("/trace-context/ids", test_ids);
  g_test_add_func ("/trace-context/sampled", test_sampled);
  g_test_add_func ("/trace-context/begin", test_begin);
  return g_test_run ();
}
