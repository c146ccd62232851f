/* SPDX-License-Identifier: MIT */
/* What the path of a job costs between a broker that costs nothing and a workload
 * in another process: through AMPS, or through bare libsoup, which is the least
 * that anything built on it can cost. */
#include "broker/amps-broker-factory.h"
#include "delivery/amps-dispatcher.h"
#include "event/amps-cloudevent.h"
#include "fake-broker.h"
#include "latencies.h"
#include "peak.h"
#include "server/amps-server.h"

#include <libsoup/soup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int api_port;
static int workload_port;
static int n_jobs = 10000;
static int in_flight = 20;
static int rate;
static gboolean sync_mode;
static int collector;

static const GOptionEntry options[] = {
  { "api", 0, 0, G_OPTION_ARG_INT, &api_port, "Where acknowledgements are taken", "PORT" },
  { "workload", 0, 0, G_OPTION_ARG_INT, &workload_port, "Where jobs are POSTed", "PORT" },
  { "jobs", 0, 0, G_OPTION_ARG_INT, &n_jobs, "How many", "N" },
  { "in-flight", 0, 0, G_OPTION_ARG_INT, &in_flight, "How many at once", "N" },
  { "rate", 0, 0, G_OPTION_ARG_INT, &rate, "POST so many a second (bare)", "N" },
  { "sync", 0, 0, G_OPTION_ARG_NONE, &sync_mode, "The answer to a POST ends the job", NULL },
  { "collector", 0, 0, G_OPTION_ARG_INT, &collector, "Where traces are sent (amps)", "PORT" },
  { NULL },
};

static gint64
get_ns (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static char *
make_event (int number)
{
  g_autofree char *text = g_strnfill (130, 'x');

  return g_strdup_printf ("{\"specversion\":\"1.0\",\"id\":\"bench-%d\",\"source\":\"/bench\","
                          "\"type\":\"bench.job\",\"data\":{" LATENCIES_SENT "%" G_GINT64_FORMAT
                          ",\"text\":\"%s\"}}",
                          number, get_ns (CLOCK_MONOTONIC), text);
}

static void
run (GMainLoop *loop, void (*begin) (gpointer), gpointer user_data)
{
  gint64 begun = g_get_monotonic_time ();
  gint64 cpu_begun = get_ns (CLOCK_PROCESS_CPUTIME_ID);

  begin (user_data);
  g_main_loop_run (loop);
  printf ("{\"per_second\":%.1f,\"cpu_us\":%.2f,\"peak_kib\":%" G_GINT64_FORMAT "}\n",
          n_jobs * 1e6 / (double) (g_get_monotonic_time () - begun),
          (double) (get_ns (CLOCK_PROCESS_CPUTIME_ID) - cpu_begun) / 1e3 / n_jobs, peak_get_kib ());
}

/* Bare libsoup */

typedef struct {
  GMainLoop *loop;
  SoupServer *server;
  GUri *uri;
  GQueue idle; /* of Slot */
  int n_begun;
  int n_ended;
} Bare;

typedef struct {
  Bare *bare;
  SoupSession *session; /* with one connection, as AMPS has it */
  SoupMessage *message;
  gboolean answered;
} Slot;

static void post (Slot *slot);

static void
end_job (Bare *bare)
{
  if (++bare->n_ended == n_jobs)
    g_main_loop_quit (bare->loop);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Slot *slot = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) body = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  char end[1];

  g_assert_no_error (error);
  /* Else libsoup takes the body of a 204 to end with the connection, and makes another. */
  soup_message_headers_set_encoding (soup_message_get_response_headers (slot->message),
                                     SOUP_ENCODING_NONE);
  g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (body), end, sizeof end, NULL,
                                            &error);
  g_assert_no_error (error);
  g_clear_object (&slot->message);
  if (sync_mode)
    end_job (slot->bare);
  if (rate == 0 && slot->bare->n_begun < n_jobs)
    post (slot);
  else
    g_queue_push_head (&slot->bare->idle, slot);
}

static void
post (Slot *slot)
{
  Bare *bare = slot->bare;
  char *event = make_event (bare->n_begun++);
  g_autoptr (GBytes) body = g_bytes_new_take (event, strlen (event));

  slot->message = soup_message_new_from_uri (SOUP_METHOD_POST, bare->uri);
  soup_message_set_flags (slot->message, SOUP_MESSAGE_IDEMPOTENT | SOUP_MESSAGE_NO_REDIRECT);
  soup_message_headers_append (soup_message_get_request_headers (slot->message), "Amps-Job-Id",
                               "x");
  soup_message_set_request_body_from_bytes (slot->message, "application/json", body);
  soup_session_send_async (slot->session, slot->message, G_PRIORITY_DEFAULT, NULL, on_answer, slot);
}

static void
on_acknowledge (SoupServer *server G_GNUC_UNUSED, SoupServerMessage *message,
                const char *path G_GNUC_UNUSED, GHashTable *query G_GNUC_UNUSED, gpointer user_data)
{
  Bare *bare = user_data;

  soup_server_message_set_status (message, SOUP_STATUS_ACCEPTED, NULL);
  end_job (bare);
}

static gboolean
post_another (gpointer user_data)
{
  Bare *bare = user_data;
  Slot *slot = g_queue_pop_head (&bare->idle);

  if (slot == NULL)
    {
      slot = g_new0 (Slot, 1);
      slot->bare = bare;
      slot->session = g_object_new (SOUP_TYPE_SESSION, "max-conns", 1, "max-conns-per-host", 1,
                                    "proxy-resolver", NULL, NULL);
    }
  post (slot);
  return bare->n_begun < n_jobs;
}

static void
begin_bare (gpointer user_data)
{
  if (rate != 0)
    g_timeout_add (1000 / (unsigned int) rate, post_another, user_data);
  else
    for (int i = 0; i < MIN (in_flight, n_jobs); i++)
      post_another (user_data);
}

static void
run_bare (GMainLoop *loop)
{
  Bare bare = { .loop = loop, .idle = G_QUEUE_INIT };
  g_autoptr (GError) error = NULL;
  g_autofree char *address = g_strdup_printf ("http://127.0.0.1:%d/", workload_port);

  bare.uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  bare.server = soup_server_new (NULL, NULL);
  soup_server_add_handler (bare.server, NULL, on_acknowledge, &bare, NULL);
  soup_server_listen_local (bare.server, (unsigned int) api_port, SOUP_SERVER_LISTEN_IPV4_ONLY,
                            &error);
  g_assert_no_error (error);
  run (loop, begin_bare, &bare);
}

/* AMPS */

static AmpsConfig *
create_config (void)
{
  static const char *const none[] = { NULL };
  g_autofree char *text =
      g_strdup_printf ("BROKER_SUBJECT=bench\nMETRICS_ENABLED=false\nPORT=%d\n"
                       "WORKLOAD_ADDRESS=http://127.0.0.1:%d\n"
                       "WORKLOAD_MODE=%s\n"
                       "MAX_CONCURRENCY=%d\n"
                       "OTEL_SDK_DISABLED=%s\n"
                       "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:%d",
                       api_port, workload_port, sync_mode ? "sync" : "async", in_flight,
                       collector == 0 ? "true" : "false", collector != 0 ? collector : 1);
  g_auto (GStrv) environment = g_strsplit (text, "\n", -1);
  g_autoptr (GError) error = NULL;
  AmpsConfig *config =
      amps_config_new_full (AMPS_CONFIG_SERVICE, (const char *const *) environment, NULL, none,
                            amps_broker_factory_get_backends (), &error);

  g_assert_no_error (error);
  return config;
}

static void
deliver (AmpsBroker *broker, int number)
{
  char *event = make_event (number);
  g_autoptr (GError) error = NULL;
  AmpsCloudEvent *scanned =
      amps_cloud_event_scan (event, strlen (event), AMPS_EVENT_VALIDATION_LENIENT, &error);
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new_take (event, strlen (event)));
  g_autoptr (AmpsJob) job = NULL;

  g_assert_no_error (error);
  delivery->epoch = amps_broker_get_epoch (broker);
  delivery->tag = (guint64) number + 1;
  delivery->received = g_get_monotonic_time ();
  job = amps_job_new (delivery, scanned);
  fake_broker_deliver (FAKE_BROKER (broker), job);
}

/* AMPS lets no more than MAX_CONCURRENCY of them into the workload. */
static void
begin_amps (gpointer user_data)
{
  for (int i = 0; i < n_jobs; i++)
    deliver (user_data, i);
}

static void
on_flushed (GObject *source G_GNUC_UNUSED, GAsyncResult *result G_GNUC_UNUSED, gpointer user_data)
{
  g_main_loop_quit (user_data);
}

static void
run_amps (GMainLoop *loop)
{
  g_autoptr (AmpsConfig) config = create_config ();
  g_autoptr (AmpsClock) clock = amps_clock_new ();
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();
  g_autoptr (AmpsManifest) manifest = amps_manifest_new (clock, 10000);
  g_autoptr (AmpsBroker) broker = AMPS_BROKER (fake_broker_new ());
  g_autoptr (AmpsTracer) tracer = amps_tracer_new (config, clock, metrics);
  g_autoptr (AmpsWorkload) workload = amps_workload_new (config, clock, metrics);
  g_autoptr (AmpsDispatcher) dispatcher =
      amps_dispatcher_new (config, clock, broker, workload, manifest, metrics, tracer);
  g_autoptr (AmpsServer) server = amps_server_new (config, clock, dispatcher, metrics);
  g_autoptr (GError) error = NULL;

  amps_server_start (server, &error);
  g_assert_no_error (error);
  amps_dispatcher_start (dispatcher);
  while (!amps_workload_get_available (workload))
    g_main_context_iteration (NULL, TRUE);

  g_signal_connect_swapped (dispatcher, "emptied", G_CALLBACK (g_main_loop_quit), loop);
  run (loop, begin_amps, broker);
  if (tracer != NULL)
    {
      amps_tracer_flush_async (tracer, on_flushed, loop);
      g_main_loop_run (loop);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("amps|bare");
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;

  g_setenv ("SOUP_FORCE_HTTP1", "1", TRUE);
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 2)
    {
      g_printerr ("path: %s\n", error != NULL ? error->message : "say “amps” or “bare”");
      return EXIT_FAILURE;
    }

  if (g_str_equal (argv[1], "bare"))
    run_bare (loop);
  else
    run_amps (loop);
  return EXIT_SUCCESS;
}
