/* SPDX-License-Identifier: MIT */
#include "dispatcher-fixture.h"

#include "broker/amps-broker-factory.h"
#include "log-recorder.h"

static void
accept_all (SoupServerMessage *message G_GNUC_UNUSED, const char *path G_GNUC_UNUSED,
            gpointer user_data G_GNUC_UNUSED)
{
}

static void
on_post (SoupServerMessage *message, const char *path G_GNUC_UNUSED, gpointer user_data)
{
  DispatcherFixture *f = user_data;

  SoupMessageBody *body = soup_server_message_get_request_body (message);

  if (soup_server_message_get_method (message) == SOUP_METHOD_GET)
    {
      soup_server_message_set_status (message, f->get_status, NULL);
      return;
    }

  f->n_posts++;
  g_string_append_len (f->bodies, body->data, body->length);
  g_string_append_c (f->bodies, '\n');
  if (f->status != 0)
    {
      soup_server_message_set_status (message, f->status, NULL);
      if (f->answer != NULL)
        soup_server_message_set_response (message,
                                          strstr (f->answer, "specversion") != NULL
                                              ? "application/cloudevents+json"
                                              : "application/json",
                                          SOUP_MEMORY_STATIC, f->answer, strlen (f->answer));
      return;
    }

  g_set_object (&f->held, message);
  amps_http_listener_pause (f->listener, message);
}

void
iterate_until_posted (DispatcherFixture *f, unsigned int n_posts)
{
  while (f->n_posts < n_posts)
    g_main_context_iteration (NULL, TRUE);
  iterate_until_idle ();
}

static AmpsConfig *
create_config (DispatcherFixture *f, const char *settings)
{
  static const char *const none[] = { NULL };
  g_autofree char *text =
      g_strdup_printf ("BROKER_SUBJECT=jobs\nRETRY_MIN_BACKOFF=10s\nDEAD_LETTER_QUEUE=dead\n"
                       "WORKLOAD_ADDRESS=http://127.0.0.1:%d\n"
                       "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:%d\n"
                       "OTEL_SDK_DISABLED=true\n%s",
                       amps_http_listener_get_port (f->listener),
                       amps_http_listener_get_port (f->listener), settings != NULL ? settings : "");
  g_auto (GStrv) environment = g_strsplit (text, "\n", -1);
  g_autoptr (GError) error = NULL;
  AmpsConfig *config =
      amps_config_new_full (AMPS_CONFIG_SERVICE, (const char *const *) environment, NULL, none,
                            amps_broker_factory_get_backends (), &error);

  g_assert_no_error (error);
  return config;
}

static void
set_up (DispatcherFixture *f, gconstpointer settings)
{
  static const AmpsHttpListenerFuncs funcs = { accept_all, on_post, NULL };
  g_autoptr (GError) error = NULL;

  f->real_clock = amps_clock_new ();
  f->listener = amps_http_listener_new (f->real_clock, 100, 10000, &funcs, f);
  f->bodies = g_string_new (NULL);
  amps_http_listener_listen (f->listener, 0, &error);
  g_assert_no_error (error);
  f->status = 202;
  f->get_status = 204;

  f->clock = fake_clock_new ();
  f->broker = fake_broker_new ();
  f->config = create_config (f, settings);
  f->metrics = amps_metrics_new ();
  f->manifest = amps_manifest_new (f->clock, 100);
  f->tracer = amps_tracer_new (f->config, f->clock, f->metrics);
  f->workload = amps_workload_new (f->config, f->clock, f->metrics);
  f->dispatcher = amps_dispatcher_new (f->config, f->clock, AMPS_BROKER (f->broker), f->workload,
                                       f->manifest, f->metrics, f->tracer);
  f->lifecycle = amps_dispatcher_get_lifecycle (f->dispatcher);
  f->gate = amps_dispatcher_get_gate (f->dispatcher);
  f->decider = amps_dispatcher_get_decider (f->dispatcher);
  f->publisher = amps_dispatcher_get_publisher (f->dispatcher);
  amps_dispatcher_start (f->dispatcher);
  while (!amps_consumer_gate_is_ready (f->gate))
    g_main_context_iteration (NULL, TRUE);
  g_free (fake_broker_take_log (f->broker));
}

static void
tear_down (DispatcherFixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_free (log_recorder_take ());
  if (f->held != NULL)
    amps_http_listener_unpause (f->listener, f->held);
  g_clear_object (&f->held);
  iterate_until_idle ();
  g_assert_finalize_object (f->dispatcher);
  g_assert_finalize_object (f->workload);
  if (f->tracer != NULL)
    g_assert_finalize_object (f->tracer);
  amps_http_listener_stop (f->listener);
  iterate_until_idle ();
  g_assert_finalize_object (f->listener);
  g_assert_finalize_object (f->manifest);
  g_assert_finalize_object (f->broker);
  g_object_unref (f->config);
  g_object_unref (f->metrics);
  g_assert_finalize_object (f->clock);
  g_assert_finalize_object (f->real_clock);
  g_string_free (f->bodies, TRUE);
}

void
deliver (DispatcherFixture *f, AmpsJob *job)
{
  g_autoptr (AmpsJob) owned = job;

  fake_broker_deliver (f->broker, owned);
}

void
run (DispatcherFixture *f, const char *id)
{
  unsigned int n_posts = f->n_posts + 1;

  deliver (f, make_job (id, id, 0));
  iterate_until_posted (f, n_posts);
}

void
assert_told (DispatcherFixture *f, const char *expected)
{
  g_autofree char *log = NULL;

  iterate_until_idle ();
  log = fake_broker_take_log (f->broker);
  g_assert_cmpstr (log, ==, expected);
}

/* @expected: what is not 0 of amps_job_outcomes_total, as in "rejected 1 expired 2 " */
void
assert_outcomes (DispatcherFixture *f, const char *expected)
{
  g_autoptr (GString) found = g_string_new (NULL);

  for (unsigned int i = 0; i < AMPS_N_OUTCOMES; i++)
    {
      guint64 count = amps_metrics_get_outcomes (f->metrics, i);

      if (count > 0)
        g_string_append_printf (found, "%s %" G_GUINT64_FORMAT " ", amps_outcome_to_string (i),
                                count);
    }
  g_assert_cmpstr (found->str, ==, expected);
}

void
assert_metric (DispatcherFixture *f, const char *line)
{
  g_autofree char *text = amps_metrics_format (f->metrics, AMPS_METRICS_PROMETHEUS);
  g_autofree char *whole = g_strdup_printf ("\n%s\n", line);

  if (strstr (text, whole) == NULL)
    g_error ("no line “%s” in:\n%s", line, text);
}

int
run_dispatcher_tests (int *argc, char ***argv, const DispatcherTest *tests, unsigned int n_tests)
{
  g_test_init (argc, argv, NULL);
  log_recorder_start ();
  for (unsigned int i = 0; i < n_tests; i++)
    g_test_add (tests[i].path, DispatcherFixture, tests[i].settings, set_up, tests[i].test,
                tear_down);
  return g_test_run ();
}
