/* SPDX-License-Identifier: MIT */
#include "delivery/amps-consumer-gate.h"
#include "fake-broker.h"
#include "http-client.h"
#include "log-recorder.h"

#include <string.h>

typedef struct {
  AmpsClock *clock;
  FakeBroker *broker;
  AmpsConfig *config;
  AmpsMetrics *metrics;
  AmpsWorkload *workload;
  GSocketService *service; /* (nullable) what the workload's probe finds */
  guint16 port;
  AmpsLifecycle *lifecycle;
  AmpsRefusals *refusals;
  AmpsConsumerGate *gate;
} Fixture;

static void
start_workload (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  f->service = g_socket_service_new ();
  g_socket_listener_add_inet_port (G_SOCKET_LISTENER (f->service), f->port, NULL, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const none[] = { NULL };
  g_autofree char *address = NULL;
  g_autoptr (GError) error = NULL;
  const char *environment[] = { "BROKER_SUBJECT=jobs", NULL, NULL };

  f->port = find_free_port ();
  address = g_strdup_printf ("WORKLOAD_ADDRESS=http://127.0.0.1:%u", f->port);
  environment[1] = address;
  f->clock = amps_clock_new ();
  f->config = amps_config_new (environment, NULL, none, &error);
  g_assert_no_error (error);
  f->metrics = amps_metrics_new ();
  f->broker = fake_broker_new ();
  f->lifecycle = amps_lifecycle_new ();
  f->workload = amps_workload_new (f->config, f->clock, f->metrics);
  f->refusals = amps_refusals_new (f->config, f->clock, f->workload);
  f->gate = amps_consumer_gate_new (AMPS_BROKER (f->broker), f->workload, f->metrics, f->lifecycle,
                                    f->refusals);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_free (log_recorder_take ());
  if (f->service != NULL)
    g_socket_service_stop (f->service);
  g_clear_object (&f->service);
  g_assert_finalize_object (f->gate);
  g_assert_finalize_object (f->refusals);
  g_assert_finalize_object (f->lifecycle);
  g_object_run_dispose (G_OBJECT (f->workload));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_object_unref (f->workload);
  g_assert_finalize_object (f->broker);
  g_object_unref (f->metrics);
  g_object_unref (f->config);
  g_object_unref (f->clock);
}

static void
open_all (Fixture *f)
{
  start_workload (f);
  amps_broker_start (AMPS_BROKER (f->broker));
  amps_workload_start (f->workload);
  while (!amps_workload_get_available (f->workload))
    g_main_context_iteration (NULL, TRUE);
}

static void
assert_not_ready (Fixture *f, const char *why)
{
  g_auto (GStrv) obstacles = amps_consumer_gate_dup_obstacles (f->gate);
  g_autofree char *all = g_strjoinv ("; ", obstacles);

  g_assert_false (amps_consumer_gate_is_ready (f->gate));
  g_assert_nonnull (strstr (all, why));
}

static void
test_opens_with_broker_and_workload (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  assert_not_ready (f, "not been reached yet");
  g_assert_false (amps_broker_get_consuming (AMPS_BROKER (f->broker)));

  open_all (f);
  g_assert_true (amps_consumer_gate_is_ready (f->gate));
  g_assert_true (amps_broker_get_consuming (AMPS_BROKER (f->broker)));
  g_assert_cmpfloat (amps_metrics_get_gauge (f->metrics, AMPS_GAUGE_BROKER_CONNECTED), ==, 1);
}

/* Each of them is enough, and only without any is it open again. */
static void
test_reasons_add_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsBroker *broker = AMPS_BROKER (f->broker);

  open_all (f);
  amps_lifecycle_pause (f->lifecycle);
  assert_not_ready (f, "paused");
  amps_lifecycle_drain (f->lifecycle);
  assert_not_ready (f, "paused; draining");
  g_assert_false (amps_broker_get_consuming (broker));

  g_assert_true (amps_consumer_gate_is_paused (f->gate, AMPS_PAUSE_REQUESTED));
  g_assert_true (amps_consumer_gate_is_paused (f->gate, AMPS_PAUSE_DRAINING));
  g_assert_false (amps_consumer_gate_is_paused (f->gate, AMPS_PAUSE_WORKLOAD));

  g_assert_true (amps_lifecycle_resume (f->lifecycle, NULL));
  g_assert_true (amps_broker_get_consuming (broker));
  g_assert_true (amps_consumer_gate_is_ready (f->gate));
}

static void
test_broker_that_goes (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsBroker *broker = AMPS_BROKER (f->broker);

  open_all (f);

  amps_broker_change_blocked (broker, TRUE);
  g_assert_cmpfloat (amps_metrics_get_gauge (f->metrics, AMPS_GAUGE_BROKER_BLOCKED), ==, 1);
  amps_broker_end_epoch (broker);
  amps_broker_change_state (broker, AMPS_BROKER_DISCONNECTED, "the cable is out");
  assert_not_ready (f, "the cable is out");
  amps_lifecycle_pause (f->lifecycle);
  assert_not_ready (f, "paused; the cable is out");
  g_assert_true (amps_lifecycle_resume (f->lifecycle, NULL));
  g_assert_cmpfloat (amps_metrics_get_gauge (f->metrics, AMPS_GAUGE_BROKER_CONNECTED), ==, 0);
}

/* What is ready once has started, whatever comes later. */
static void
test_start (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_cmpstr (amps_lifecycle_get_state (f->lifecycle), ==, "starting");
  open_all (f);
  g_assert_cmpstr (amps_lifecycle_get_state (f->lifecycle), ==, "running");
  amps_broker_change_state (AMPS_BROKER (f->broker), AMPS_BROKER_DISCONNECTED, "the cable is out");
  g_assert_cmpstr (amps_lifecycle_get_state (f->lifecycle), ==, "running");
}

/* It is no pause, but somebody has to look. */
static void
test_problem (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  open_all (f);
  amps_consumer_gate_set_problem (f->gate, "no room for the dead");
  assert_not_ready (f, "no room for the dead");
  g_assert_true (amps_broker_get_consuming (AMPS_BROKER (f->broker)));
  amps_lifecycle_pause (f->lifecycle);
  assert_not_ready (f, "paused; no room for the dead");
  amps_consumer_gate_set_problem (f->gate, NULL);
  assert_not_ready (f, "paused");
  g_assert_true (amps_lifecycle_resume (f->lifecycle, NULL));
  g_assert_true (amps_consumer_gate_is_ready (f->gate));
}

/* To have as much as there is room for is no reason for anybody to look elsewhere. */
static void
test_full_broker (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsBroker *broker = AMPS_BROKER (f->broker);
  g_autofree char *metrics = NULL;

  open_all (f);
  amps_broker_change_full (broker, TRUE);
  metrics = amps_metrics_format (f->metrics, AMPS_METRICS_PROMETHEUS);
  g_assert_nonnull (strstr (metrics, "amps_consumer_paused{reason=\"memory\"} 1\n"));
  g_assert_true (amps_consumer_gate_is_ready (f->gate));
  g_assert_true (amps_broker_get_consuming (broker));

  amps_lifecycle_pause (f->lifecycle);
  assert_not_ready (f, "paused; the jobs in flight take up MAX_IN_FLIGHT_BYTES");
  amps_broker_change_full (broker, FALSE);
  assert_not_ready (f, "paused");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  log_recorder_start ();

#define ADD(name, test) g_test_add ("/consumer-gate/" name, Fixture, NULL, set_up, test, tear_down)
  ADD ("opens-with-broker-and-workload", test_opens_with_broker_and_workload);
  ADD ("reasons-add-up", test_reasons_add_up);
  ADD ("broker-that-goes", test_broker_that_goes);
  ADD ("problem", test_problem);
  ADD ("full-broker", test_full_broker);
  ADD ("start", test_start);
  return g_test_run ();
}
