/* SPDX-License-Identifier: MIT */
#include "telemetry/amps-trace-sampler.h"

#define SAMPLED "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define NOT_SAMPLED "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

static gboolean
decide (AmpsTraceSampling sampling, double ratio, const char *traceparent, gboolean has_parent)
{
  AmpsTraceSampler sampler = amps_trace_sampler_new (sampling, ratio);
  AmpsTraceContext context;

  g_assert_true (amps_trace_context_parse (&context, traceparent));
  return amps_trace_sampler_decide (&sampler, &context, has_parent);
}

static void
test_rules (void)
{
  static const struct {
    AmpsTraceSampling sampling;
    double ratio;
    gboolean sampled;     /* with a parent that is */
    gboolean not_sampled; /* with one that is not */
    gboolean root;        /* without one */
  } cases[] = {
    { AMPS_TRACE_SAMPLING_ALWAYS, 0, TRUE, TRUE, TRUE },
    { AMPS_TRACE_SAMPLING_NEVER, 1, FALSE, FALSE, FALSE },
    { AMPS_TRACE_SAMPLING_RATIO, 1, TRUE, TRUE, TRUE },
    { AMPS_TRACE_SAMPLING_RATIO, 0, FALSE, FALSE, FALSE },
    { AMPS_TRACE_SAMPLING_PARENT_ALWAYS, 0, TRUE, FALSE, TRUE },
    { AMPS_TRACE_SAMPLING_PARENT_NEVER, 1, TRUE, FALSE, FALSE },
    { AMPS_TRACE_SAMPLING_PARENT_RATIO, 1, TRUE, FALSE, TRUE },
    { AMPS_TRACE_SAMPLING_PARENT_RATIO, 0, TRUE, FALSE, FALSE },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%u", i);
      g_assert_cmpint (decide (cases[i].sampling, cases[i].ratio, SAMPLED, TRUE), ==,
                       cases[i].sampled);
      g_assert_cmpint (decide (cases[i].sampling, cases[i].ratio, NOT_SAMPLED, TRUE), ==,
                       cases[i].not_sampled);
      g_assert_cmpint (decide (cases[i].sampling, cases[i].ratio, NOT_SAMPLED, FALSE), ==,
                       cases[i].root);
    }
}

/* The last 8 bytes, without the lowest bit, are held against 0.25 × 2^63. */
static void
test_threshold (void)
{
  g_assert_true (decide (AMPS_TRACE_SAMPLING_RATIO, 0.25,
                         "00-ffffffffffffffff3fffffffffffffff-0000000000000001-00", FALSE));
  g_assert_false (decide (AMPS_TRACE_SAMPLING_RATIO, 0.25,
                          "00-00000000000000004000000000000000-0000000000000001-00", FALSE));
}

static void
test_share (void)
{
  AmpsTraceSampler sampler = amps_trace_sampler_new (AMPS_TRACE_SAMPLING_RATIO, 0.25);
  unsigned int n = 0;

  for (unsigned int i = 0; i < 10000; i++)
    {
      AmpsTraceContext context;

      amps_trace_context_begin (&context, NULL);
      n += amps_trace_sampler_decide (&sampler, &context, FALSE) ? 1 : 0;
    }
  /* The standard deviation is 43. */
  g_assert_cmpuint (n, >, 2500 - 6 * 43);
  g_assert_cmpuint (n, <, 2500 + 6 * 43);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trace-sampler/rules", test_rules);
  g_test_add_func ("/trace-sampler/threshold", test_threshold);
  g_test_add_func ("/trace-sampler/share", test_share);
  return g_test_run ();
}
