/* SPDX-License-Identifier: MIT */
#include "delivery/amps-consumer-gate.h"

#include <string.h>

/* The manual has a row for each metric, with its type and its labels, and no others. */

/* These labels have values that only the user knows. */
static const char *const free_labels[] = { "le", "queue", "version", NULL };

typedef struct {
  char *type;         /* (owned) */
  GHashTable *labels; /* (owned) the names, and the values that are not free */
} Metric;

static void
metric_free (gpointer data)
{
  Metric *metric = data;

  g_free (metric->type);
  g_hash_table_unref (metric->labels);
  g_free (metric);
}

static Metric *
metric_new (const char *type)
{
  Metric *metric = g_new (Metric, 1);

  metric->type = g_strdup (type);
  metric->labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return metric;
}

static GHashTable *
metrics_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, metric_free);
}

/* Metrics that show all that they ever may. */
static char *
format_all (void)
{
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();
  AmpsQueueDepths *depths = amps_queue_depths_new ();

  amps_queue_depths_add (depths, "mail", 1);
  amps_metrics_take_queue_depths (metrics, depths);
  for (AmpsPauseReason i = 0; i < AMPS_N_PAUSE_REASONS; i++)
    amps_metrics_set_paused (metrics, amps_pause_reason_to_string (i), TRUE);
  for (unsigned int call = 0; call < AMPS_N_API_CALLS; call++)
    for (unsigned int status = 0; status < 600; status++)
      amps_metrics_count_api_request (metrics, call, status);

  return amps_metrics_format (metrics, AMPS_METRICS_PROMETHEUS);
}

static void
add_labels (Metric *metric, const char *line)
{
  g_autoptr (GRegex) label = g_regex_new ("(\\w+)=\"([^\"]*)\"", 0, 0, NULL);
  g_autoptr (GMatchInfo) found = NULL;

  if (g_str_equal (metric->type, "histogram"))
    return;

  g_regex_match (label, line, 0, &found);
  for (; g_match_info_matches (found); g_match_info_next (found, NULL))
    {
      char *name = g_match_info_fetch (found, 1);

      if (!g_strv_contains (free_labels, name))
        g_hash_table_add (metric->labels, g_match_info_fetch (found, 2));
      g_hash_table_add (metric->labels, name);
    }
}

static GHashTable *
read_output (void)
{
  g_autofree char *text = format_all ();
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GHashTable *metrics = metrics_new ();
  Metric *metric = NULL;

  for (unsigned int i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", -1);

      if (g_str_has_prefix (lines[i], "# TYPE "))
        {
          metric = metric_new (words[3]);
          g_hash_table_insert (metrics, g_strdup (words[2]), metric);
        }
      else if (*lines[i] != '#' && *lines[i] != '\0')
        {
          add_labels (metric, lines[i]);
        }
    }

  return metrics;
}

/* Rows look like this: | `amps_ready` | gauge | `reason`: `one`, `another` | … | */
static GHashTable *
read_manual (void)
{
  g_autofree char *manual = NULL;
  g_autoptr (GRegex) row =
      g_regex_new ("^\\| `((?:amps|process)_\\w+)` \\| (\\w+) \\| ([^|]*) \\| [^|]+ \\|$",
                   G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GRegex) quoted = g_regex_new ("`([^`]+)`", 0, 0, NULL);
  g_autoptr (GMatchInfo) found = NULL;
  g_autoptr (GError) error = NULL;
  GHashTable *metrics = metrics_new ();

  g_file_get_contents (MANUAL, &manual, NULL, &error);
  g_assert_no_error (error);

  g_regex_match (row, manual, 0, &found);
  for (; g_match_info_matches (found); g_match_info_next (found, NULL))
    {
      g_autofree char *type = g_match_info_fetch (found, 2);
      g_autofree char *labels = g_match_info_fetch (found, 3);
      g_autoptr (GMatchInfo) label = NULL;
      Metric *metric = metric_new (type);

      g_regex_match (quoted, labels, 0, &label);
      for (; g_match_info_matches (label); g_match_info_next (label, NULL))
        g_hash_table_add (metric->labels, g_match_info_fetch (label, 1));
      g_assert_true (g_hash_table_insert (metrics, g_match_info_fetch (found, 1), metric));
    }

  return metrics;
}

static void
assert_has_all (GHashTable *these, GHashTable *those, const char *what)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, those);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      if (!g_hash_table_contains (these, key))
        g_error ("%s lacks “%s”", what, (const char *) key);
    }
}

static void
test_manual (void)
{
  g_autoptr (GHashTable) output = read_output ();
  g_autoptr (GHashTable) manual = read_manual ();
  GHashTableIter iter;
  gpointer name, value;

  assert_has_all (manual, output, "the manual");
  assert_has_all (output, manual, "the output");

  g_hash_table_iter_init (&iter, output);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      const Metric *shown = value;
      const Metric *described = g_hash_table_lookup (manual, name);
      g_autofree char *row = g_strdup_printf ("the manual's row of %s", (const char *) name);
      g_autofree char *lines = g_strdup_printf ("the output of %s", (const char *) name);

      g_test_message ("%s", (const char *) name);
      g_assert_cmpstr (described->type, ==, shown->type);
      assert_has_all (described->labels, shown->labels, row);
      assert_has_all (shown->labels, described->labels, lines);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics-manual/manual", test_manual);
  return g_test_run ();
}
