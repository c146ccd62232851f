/* SPDX-License-Identifier: MIT */
#include "metrics/amps-process-metrics.h"
#include "open-descriptors.h"

#include <string.h>
#include <unistd.h>

static double
get_figure (const char *text, const char *name)
{
  g_autofree char *start = g_strdup_printf ("\n%s ", name);
  const char *line = strstr (text, start);

  if (line == NULL)
    g_error ("no %s in %s", name, text);
  return g_ascii_strtod (line + strlen (start), NULL);
}

static void
test_figures (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  g_autofree char *memory = NULL;
  unsigned long long pages;

  amps_process_metrics_append (text, AMPS_METRICS_PROMETHEUS);
  g_assert_cmpfloat (get_figure (text->str, "process_cpu_seconds_total"), >, 0);
  /* Whoever counts has one open for it. */
  g_assert_cmpfloat (get_figure (text->str, "process_open_fds") + 1, ==, count_open_descriptors ());
  g_assert_cmpfloat (get_figure (text->str, "process_max_fds"), ==, sysconf (_SC_OPEN_MAX));

  /* The second figure of statm is what is resident. */
  g_assert_true (g_file_get_contents ("/proc/self/statm", &memory, NULL, NULL));
  pages = g_ascii_strtoull (strchr (memory, ' '), NULL, 10);
  g_assert_cmpfloat_with_epsilon (get_figure (text->str, "process_resident_memory_bytes"),
                                  (double) pages * (double) sysconf (_SC_PAGESIZE), 4e6);
  g_assert_cmpfloat (get_figure (text->str, "process_virtual_memory_bytes"), >,
                     get_figure (text->str, "process_resident_memory_bytes"));
  g_assert_cmpfloat_with_epsilon (get_figure (text->str, "process_start_time_seconds"),
                                  (double) now, 600);
}

/* OpenMetrics names a counter without the end that its samples have. */
static void
test_formats (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) open = g_string_new (NULL);

  amps_process_metrics_append (text, AMPS_METRICS_PROMETHEUS);
  amps_process_metrics_append (open, AMPS_METRICS_OPENMETRICS);
  g_assert_nonnull (strstr (text->str, "# TYPE process_cpu_seconds_total counter\n"));
  g_assert_nonnull (strstr (open->str, "# TYPE process_cpu_seconds counter\n"));
  g_assert_nonnull (strstr (open->str, "\nprocess_cpu_seconds_total "));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/process-metrics/figures", test_figures);
  g_test_add_func ("/process-metrics/formats", test_formats);
  return g_test_run ();
}
