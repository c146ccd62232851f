/* SPDX-License-Identifier: MIT */
#include "broker/amps-broker-factory.h"
#include "broker/embedded/amps-broker-embedded.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Jobs through the class itself: published, delivered and acknowledged, each
 * committed. */

#define N_JOBS 20000
#define N_AT_ONCE 500

typedef struct {
  AmpsBroker *broker;
  unsigned int n_begun;
  unsigned int n_published;
  unsigned int n_delivered;
} Bench;

static char *folder;
static char *synchronous;

static const GOptionEntry options[] = {
  { "folder", 0, 0, G_OPTION_ARG_FILENAME, &folder, "Where the file is made; default: /tmp",
    "FOLDER" },
  { "synchronous", 0, 0, G_OPTION_ARG_STRING, &synchronous, "full (the default) or normal",
    "LEVEL" },
  { NULL },
};

static void begin_publication (Bench *bench);

static void
on_published (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Bench *bench = user_data;
  g_autoptr (GError) error = NULL;

  if (!amps_broker_publish_finish (AMPS_BROKER (source), result, &error))
    g_error ("%s", error->message);
  bench->n_published++;
  if (bench->n_begun < N_JOBS)
    begin_publication (bench);
}

static void
begin_publication (Bench *bench)
{
  g_autofree char *json =
      g_strdup_printf ("{\"specversion\":\"1.0\",\"id\":\"%u\",\"source\":\"/bench\","
                       "\"type\":\"jobs\",\"data\":\"%0200d\"}",
                       bench->n_begun++, 0);
  g_autoptr (GBytes) body = g_bytes_new (json, strlen (json));

  amps_broker_publish_async (bench->broker, "jobs", NULL, NULL, body, NULL, on_published, bench);
}

static void
on_delivered (AmpsBroker *broker, AmpsJob *job, Bench *bench)
{
  amps_broker_settle (broker, amps_job_get_delivery (job), AMPS_SETTLE_ACKNOWLEDGE);
  bench->n_delivered++;
}

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  amps_broker_stop_finish (AMPS_BROKER (source), result, NULL);
  *(gboolean *) user_data = TRUE;
}

static double
measure_fsync (void)
{
  const int n_times = 50;
  g_autofree char *path = g_build_filename (folder, "fsync", NULL);
  int fd = g_open (path, O_CREAT | O_WRONLY, 0600);
  gint64 began = g_get_monotonic_time ();

  for (int i = 0; i < n_times; i++)
    {
      if (pwrite (fd, "x", 1, i) != 1 || fdatasync (fd) != 0)
        g_error ("%s can't be written", path);
    }

  close (fd);
  g_unlink (path);
  return (double) (g_get_monotonic_time () - began) / n_times;
}

int
main (int argc, char **argv)
{
  static const char *const none[] = { NULL };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  folder = g_canonicalize_filename (folder != NULL ? folder : g_get_tmp_dir (), NULL);
  if (synchronous == NULL)
    synchronous = g_strdup ("full");
  /* The broker would wait for it. */
  if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
    g_error ("%s is no folder", folder);

  g_autofree char *name = g_strdup_printf ("amps-bench-%d.db", (int) getpid ());
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *uri =
      g_strdup_printf ("BROKER_HOST=sqlite://%s?synchronous=%s", path, synchronous);
  const char *const environment[] = { uri, "BROKER_SUBJECT=jobs", "MAX_CONCURRENCY=1000", NULL };
  g_autoptr (AmpsConfig) config = amps_config_new_full (
      AMPS_CONFIG_SERVICE, environment, NULL, none, amps_broker_factory_get_backends (), &error);
  g_autoptr (AmpsClock) clock = amps_clock_new ();
  Bench bench = { 0 };
  gboolean stopped = FALSE;
  gint64 began;
  double seconds;

  if (config == NULL)
    g_error ("%s", error->message);

  bench.broker = amps_broker_embedded_new (config, clock);
  g_signal_connect (bench.broker, "delivered", G_CALLBACK (on_delivered), &bench);
  amps_broker_set_consuming (bench.broker, TRUE);
  amps_broker_start (bench.broker);
  while (amps_broker_get_state (bench.broker) != AMPS_BROKER_CONSUMING)
    g_main_context_iteration (NULL, TRUE);

  began = g_get_monotonic_time ();
  for (unsigned int i = 0; i < N_AT_ONCE; i++)
    begin_publication (&bench);
  while (bench.n_delivered < N_JOBS)
    g_main_context_iteration (NULL, TRUE);
  amps_broker_stop_async (bench.broker, NULL, on_stopped, &stopped);
  while (!stopped)
    g_main_context_iteration (NULL, TRUE);
  seconds = (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC;

  printf ("%d jobs published, delivered and acknowledged at synchronous=%s: %.0f jobs/s; "
          "one fdatasync there: %.0f µs\n",
          N_JOBS, synchronous, N_JOBS / seconds, measure_fsync ());
  g_object_unref (bench.broker);
  g_unlink (path);
  return 0;
}
