/* SPDX-License-Identifier: MIT */
#include "telemetry/amps-span-exporter.h"
#include "workload/amps-pooled-session.h"
#include "workload/amps-probe.h"

#include <string.h>

/* Resets each connection as soon as it is made, before anybody else knows of it: what was
 * not accepted is reset when its listener is closed. */
typedef struct {
  GSocket *listener;
  AmpsConfig *config;
  AmpsEndpoint *endpoint;
  gulong hook;
  unsigned int n_reset;
  GError *error;
} Fixture;

static gboolean
on_any_event (GSignalInvocationHint *hint G_GNUC_UNUSED, unsigned int n_values G_GNUC_UNUSED,
              const GValue *values, gpointer user_data)
{
  Fixture *f = user_data;

  if (g_value_get_enum (&values[1]) == G_SOCKET_CLIENT_CONNECTED &&
      g_socket_close (f->listener, NULL))
    f->n_reset++;
  return TRUE;
}

static guint16
listen_somewhere (Fixture *f)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  f->listener =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, &error);
  g_assert_no_error (error);
  g_assert_true (g_socket_bind (f->listener, any, FALSE, &error));
  g_assert_true (g_socket_listen (f->listener, &error));
  address = g_socket_get_local_address (f->listener, &error);
  g_assert_no_error (error);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

static void
set_up (Fixture *f)
{
  static const char *const none[] = { NULL };
  g_autofree char *address =
      g_strdup_printf ("WORKLOAD_ADDRESS=https://127.0.0.1:%u", listen_somewhere (f));
  const char *const environment[] = { "BROKER_SUBJECT=jobs", address, NULL };
  g_autoptr (GError) error = NULL;

  f->config = amps_config_new (environment, NULL, none, &error);
  g_assert_no_error (error);
  f->endpoint = amps_endpoint_new (f->config);
  g_type_ensure (G_TYPE_SOCKET_CLIENT);
  g_type_class_unref (g_type_class_ref (G_TYPE_SOCKET_CLIENT));
  f->hook = g_signal_add_emission_hook (g_signal_lookup ("event", G_TYPE_SOCKET_CLIENT), 0,
                                        on_any_event, f, NULL);
}

/* What libsoup remembers of a host is freed in a turn of the main loop. */
static void
tear_down (Fixture *f)
{
  g_signal_remove_emission_hook (g_signal_lookup ("event", G_TYPE_SOCKET_CLIENT), f->hook);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (f->n_reset, ==, 1);
  g_clear_error (&f->error);
  g_object_unref (f->endpoint);
  g_object_unref (f->config);
  g_object_unref (f->listener);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_false (amps_endpoint_connect_finish (AMPS_ENDPOINT (source), result, &f->error));
}

static void
test_connect (Fixture *f)
{
  amps_endpoint_connect_async (f->endpoint, 5, NULL, on_connected, f);
  while (f->error == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (f->error, G_TLS_ERROR, G_TLS_ERROR_NOT_TLS);
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_null (soup_session_send_finish (SOUP_SESSION (source), result, &f->error));
}

static void
test_request (Fixture *f)
{
  AmpsPooledSession *session = amps_pooled_session_new (f->endpoint, NULL, NULL, 1, NULL);
  g_autoptr (SoupMessage) message = amps_endpoint_create_message (f->endpoint, "POST", NULL);

  amps_pooled_session_take_new (session);
  amps_pooled_session_send_async (session, message, NULL, on_sent, f);
  while (f->error == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (f->error, G_TLS_ERROR, G_TLS_ERROR_NOT_TLS);
  amps_pooled_session_give_back (session, message, 0);
  amps_pooled_session_free (session);
}

static void
test_probe (Fixture *f)
{
  g_autoptr (AmpsClock) clock = amps_clock_new ();
  g_autoptr (AmpsProbe) probe = amps_probe_new (clock, f->endpoint, "/ready");

  amps_probe_start (probe);
  while (strstr (amps_probe_get_reason (probe), "TLS handshake") == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_object_run_dispose (G_OBJECT (probe));
}

static void
on_flushed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  gboolean *flushed = user_data;

  *flushed = amps_span_exporter_flush_finish (AMPS_SPAN_EXPORTER (source), result, NULL);
}

static void
test_exporter (Fixture *f)
{
  AmpsSpan span = { .operation = "test", .kind = AMPS_SPAN_CLIENT, .begun = 1, .ended = 2 };
  g_autoptr (AmpsClock) clock = amps_clock_new ();
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();
  g_autoptr (AmpsSpanExporter) exporter = amps_span_exporter_new (
      f->config, clock, metrics, amps_config_get_workload_address (f->config));
  gboolean flushed = FALSE;

  amps_trace_context_begin (&span.context, NULL);
  amps_span_exporter_add (exporter, &span);
  amps_span_exporter_flush_async (exporter, on_flushed, &flushed);
  while (!flushed)
    g_main_context_iteration (NULL, TRUE);
}

/* Without g_test_init(): in a program that calls it glib-networking does not ask for the
 * peer's address. */
int
main (void)
{
  static const struct {
    const char *name;
    void (*run) (Fixture *f);
  } tests[] = { { "connect", test_connect },
                { "request", test_request },
                { "probe", test_probe },
                { "exporter", test_exporter } };

  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    {
      g_print ("1..0 # SKIP there is no glib-networking here\n");
      return 0;
    }

  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_print ("1..%" G_GSIZE_FORMAT "\n", G_N_ELEMENTS (tests));
  for (unsigned int i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      Fixture f = { 0 };

      set_up (&f);
      tests[i].run (&f);
      tear_down (&f);
      g_print ("ok %u /tls-peer/%s\n", i + 1, tests[i].name);
    }

  return 0;
}
