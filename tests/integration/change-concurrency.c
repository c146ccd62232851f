/* SPDX-License-Identifier: MIT */
#include "broker/amps-broker-factory.h"
#include "delivery/amps-dispatcher.h"

#include <stdlib.h>

/* The dispatcher with a real broker and a real workload, whose concurrency goes
 * up and down as fast as it can until all jobs are done. It has no API yet.
 * Usage: change-concurrency BROKER QUEUE WORKLOAD JOBS */

#define CHANGE_INTERVAL_MS 20
#define MAX_LIMIT 40

typedef struct {
  AmpsDispatcher *dispatcher;
  AmpsManifest *manifest;
  AmpsMetrics *metrics;
  GMainLoop *loop;
  unsigned int limit;
  unsigned int allowed; /* @limit, or what was in the workload when it went down */
  unsigned int peak;
  unsigned int n_changes;
  unsigned int n_jobs;
} Run;

static void
check (Run *run)
{
  unsigned int in_workload = amps_manifest_get_n_in_workload (run->manifest);

  if (in_workload > run->allowed)
    g_error ("%u jobs in the workload, %u allowed", in_workload, run->allowed);
  run->allowed = MAX (run->limit, in_workload);
  run->peak = MAX (run->peak, in_workload);
}

static gboolean
on_change (gpointer user_data)
{
  Run *run = user_data;

  check (run);
  run->limit = (unsigned int) g_random_int_range (1, MAX_LIMIT + 1);
  run->allowed = MAX (run->limit, amps_manifest_get_n_in_workload (run->manifest));
  run->n_changes++;
  amps_dispatcher_set_max_concurrency (run->dispatcher, run->limit);
  check (run);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_check (gpointer user_data)
{
  Run *run = user_data;

  check (run);
  if (amps_metrics_get_counter (run->metrics, AMPS_COUNTER_WORKLOADS_ACKNOWLEDGED) >= run->n_jobs &&
      amps_manifest_get_n_jobs (run->manifest) == 0)
    g_main_loop_quit (run->loop);
  return G_SOURCE_CONTINUE;
}

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!amps_broker_stop_finish (AMPS_BROKER (source), result, &error))
    g_error ("%s", error->message);
  g_main_loop_quit (user_data);
}

static AmpsConfig *
create_config (char **argv)
{
  static const char *const none[] = { NULL };
  g_autofree char *broker = g_strconcat ("BROKER_HOST=", argv[1], NULL);
  g_autofree char *subject = g_strconcat ("BROKER_SUBJECT=", argv[2], NULL);
  g_autofree char *workload = g_strconcat ("WORKLOAD_ADDRESS=", argv[3], NULL);
  const char *const settings[] = {
    broker, subject, workload, "WORKLOAD_MODE=sync", "MAX_CONCURRENCY=1", NULL
  };
  g_autoptr (GError) error = NULL;
  AmpsConfig *config = amps_config_new_full (AMPS_CONFIG_SERVICE, settings, NULL, none,
                                             amps_broker_factory_get_backends (), &error);

  if (config == NULL)
    g_error ("%s", error->message);
  return config;
}

int
main (int argc G_GNUC_UNUSED, char **argv)
{
  g_autoptr (AmpsConfig) config = create_config (argv);
  g_autoptr (AmpsClock) clock = amps_clock_new ();
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();
  g_autoptr (AmpsManifest) manifest = amps_manifest_new (clock, 10000);
  g_autoptr (AmpsBroker) broker = amps_broker_factory_create (config, clock);
  g_autoptr (AmpsWorkload) workload = amps_workload_new (config, clock, metrics);
  g_autoptr (AmpsDispatcher) dispatcher =
      amps_dispatcher_new (config, clock, broker, workload, manifest, metrics, NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Run run = { dispatcher, manifest, metrics, loop, 1, 1, 0, 0, (unsigned int) atoi (argv[4]) };
  unsigned int sources[] = {
    g_timeout_add (CHANGE_INTERVAL_MS, on_change, &run),
    g_timeout_add (1, on_check, &run),
  };

  amps_dispatcher_start (dispatcher);
  g_main_loop_run (loop);
  for (unsigned int i = 0; i < G_N_ELEMENTS (sources); i++)
    g_source_remove (sources[i]);

  amps_broker_stop_async (broker, NULL, on_stopped, loop);
  g_main_loop_run (loop);
  g_print ("%u changes, peak %u\n", run.n_changes, run.peak);
  return 0;
}
