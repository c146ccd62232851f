/* SPDX-License-Identifier: MIT */
#include "event/amps-trace-headers.h"

#include <string.h>

/* What is taken for a traceparent says the same when it is written again, and is a header
 * of HTTP that the next one takes, too. */

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_again (const AmpsTraceContext *context)
{
  AmpsTraceContext second;
  char text[AMPS_TRACEPARENT_SIZE];

  amps_trace_context_format (context, text);
  g_assert_cmpuint (strlen (text), ==, AMPS_TRACEPARENT_SIZE - 1);
  g_assert_true (amps_trace_context_parse (&second, text));
  g_assert_cmpmem (context, sizeof *context, &second, sizeof second);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup (size > 0 ? (const char *) data : "", size);
  char *newline = strchr (text, '\n');
  AmpsTraceContext context;
  gboolean parsed;

  /* The second line is the state. */
  if (newline != NULL)
    *newline = '\0';
  parsed = amps_trace_context_parse (&context, text);
  if (parsed)
    check_again (&context);

  g_autoptr (AmpsTraceHeaders) headers =
      amps_trace_headers_read (text, newline != NULL ? newline + 1 : NULL);

  g_assert_true ((headers != NULL) == parsed);
  if (headers != NULL && headers->tracestate != NULL)
    g_assert_null (strpbrk (headers->tracestate, "\r\n"));
  return 0;
}
