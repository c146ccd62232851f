/* SPDX-License-Identifier: MIT */
#include "metrics/amps-buckets.h"

/* Up to 10 µs, up to 100 µs, up to 1000 µs, and beyond. */
static AmpsBuckets
make (guint64 a, guint64 b, guint64 c, guint64 d)
{
  return (AmpsBuckets){ .n_buckets = 4, .bounds = { 10, 100, 1000 }, .counts = { a, b, c, d } };
}

static void
test_quantiles (void)
{
  const struct {
    AmpsBuckets buckets;
    double quantile;
    gint64 expected;
  } cases[] = {
    { make (0, 0, 0, 0), 0.5, -1 },     { make (10, 0, 0, 0), 0.5, 5 },
    { make (10, 0, 0, 0), 1, 10 },      { make (50, 50, 0, 0), 0.5, 10 },
    { make (50, 50, 0, 0), 0.75, 55 },  { make (0, 0, 100, 0), 0.99, 991 },
    { make (1, 0, 0, 99), 0.99, 1000 }, { make (0, 0, 0, 1), 0, 1000 },
    { make (0, 1, 0, 0), 0, 10 },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("case %u", i);
      g_assert_cmpint (amps_buckets_estimate_quantile (&cases[i].buckets, cases[i].quantile), ==,
                       cases[i].expected);
    }
}

static void
test_subtract (void)
{
  AmpsBuckets now = make (5, 7, 9, 11);
  const AmpsBuckets earlier = make (5, 6, 0, 1);

  amps_buckets_subtract (&now, &earlier);
  g_assert_cmpuint (now.counts[0], ==, 0);
  g_assert_cmpuint (now.counts[1], ==, 1);
  g_assert_cmpuint (now.counts[2], ==, 9);
  g_assert_cmpuint (now.counts[3], ==, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/buckets/quantiles", test_quantiles);
  g_test_add_func ("/buckets/subtract", test_subtract);
  return g_test_run ();
}
