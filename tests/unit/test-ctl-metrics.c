/* SPDX-License-Identifier: MIT */
#include "ctl/amps-ctl-metrics.h"

#include <math.h>

static const char early[] = "# TYPE x histogram\n"
                            "x_bucket{le=\"0.1\"} 10\nx_bucket{le=\"1\"} 10\n"
                            "x_bucket{le=\"+Inf\"} 10\nx_sum 1\nx_count 10\n"
                            "y{queue=\"a b\"} 3\n";
static const char late[] = "x_bucket{le=\"0.1\"} 10\nx_bucket{le=\"1\"} 19\n"
                           "x_bucket{le=\"+Inf\"} 20\nx_sum 1\nx_count 20\ny{queue=\"a b\"} 4.5\n";

static void
test_values (void)
{
  g_autoptr (AmpsCtlMetrics) metrics = amps_ctl_metrics_new (late);
  double value = -1;

  g_assert_true (amps_ctl_metrics_get (metrics, "y{queue=\"a b\"}", &value));
  g_assert_cmpfloat (value, ==, 4.5);
  g_assert_false (amps_ctl_metrics_get (metrics, "y", &value));
  g_assert_cmpfloat (value, ==, 4.5);
}

static void
test_percentiles (void)
{
  g_autoptr (AmpsCtlMetrics) before = amps_ctl_metrics_new (early);
  g_autoptr (AmpsCtlMetrics) after = amps_ctl_metrics_new (late);

  /* Since the start: 10 of 20 up to 0.1, 9 up to 1, 1 above. */
  g_assert_cmpfloat_with_epsilon (amps_ctl_metrics_get_percentile (after, NULL, "x", 0.25), 0.05,
                                  1e-9);
  g_assert_cmpfloat_with_epsilon (amps_ctl_metrics_get_percentile (after, NULL, "x", 0.5), 0.1,
                                  1e-9);
  /* Since then: 9 of 10 from 0.1 to 1. */
  g_assert_cmpfloat_with_epsilon (amps_ctl_metrics_get_percentile (after, before, "x", 0.45), 0.55,
                                  1e-9);
  g_assert_true (isinf (amps_ctl_metrics_get_percentile (after, before, "x", 0.99)));
  /* Nothing came, or there is no such one. */
  g_assert_true (isnan (amps_ctl_metrics_get_percentile (after, after, "x", 0.5)));
  g_assert_true (isnan (amps_ctl_metrics_get_percentile (after, NULL, "y", 0.5)));
}

static void
test_nonsense (void)
{
  const char *const texts[] = { "", "\n\n", "x", "x_bucket{le=\"+Inf\"} x", "# x 5", " " };

  for (unsigned int i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (AmpsCtlMetrics) metrics = amps_ctl_metrics_new (texts[i]);

      g_assert_true (isnan (amps_ctl_metrics_get_percentile (metrics, NULL, "x", 0.5)));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ctl-metrics/values", test_values);
  g_test_add_func ("/ctl-metrics/percentiles", test_percentiles);
  g_test_add_func ("/ctl-metrics/nonsense", test_nonsense);
  return g_test_run ();
}
