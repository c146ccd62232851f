/* SPDX-License-Identifier: MIT */
#include "fake-clock.h"
#include "log-recorder.h"
#include "main-loop.h"
#include "raw-server.h"
#include "telemetry/amps-span-exporter.h"

#include <string.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

typedef struct {
  AmpsClock *clock;
  AmpsMetrics *metrics;
  RawServer *collector;
  AmpsConfig *config;
  AmpsSpanExporter *exporter;
  gboolean flushed;
} Fixture;

static void
set_up (Fixture *f, gconstpointer settings)
{
  static const char *const none[] = { NULL };
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autofree char *text = g_strconcat ("BROKER_SUBJECT=jobs\n", (const char *) settings, NULL);
  g_auto (GStrv) environment = g_strsplit (text, "\n", -1);
  g_autoptr (GError) error = NULL;
  g_autofree char *url = NULL;

  f->clock = fake_clock_new ();
  f->metrics = amps_metrics_new ();
  f->collector = raw_server_new (address);
  raw_server_reply (f->collector, OK);
  f->config = amps_config_new ((const char *const *) environment, NULL, none, &error);
  g_assert_no_error (error);
  url = g_strdup_printf ("http://127.0.0.1:%u/v1/traces", raw_server_get_port (f->collector));
  f->exporter = amps_span_exporter_new (f->config, f->clock, f->metrics, url);
}

/* A request that is under way holds it until its answer is here. */
static void
let_exporter_go (AmpsSpanExporter *exporter)
{
  gint64 end = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  gpointer kept = exporter;

  g_object_add_weak_pointer (G_OBJECT (exporter), &kept);
  g_object_unref (exporter);
  while (kept != NULL && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, FALSE);
  g_assert_null (kept);
}

static void
tear_down (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_free (log_recorder_take ());
  raw_server_hold (f->collector, FALSE);
  let_exporter_go (f->exporter);
  g_assert_finalize_object (f->config);
  g_assert_finalize_object (f->metrics);
  g_assert_finalize_object (f->clock);
  raw_server_free (f->collector);
}

static void
add (Fixture *f, unsigned int n_spans)
{
  AmpsSpan span = { .operation = "test", .kind = AMPS_SPAN_CLIENT, .begun = 1, .ended = 2 };

  amps_trace_context_begin (&span.context, NULL);
  for (unsigned int i = 0; i < n_spans; i++)
    amps_span_exporter_add (f->exporter, &span);
}

/* Lets everything happen until the collector has got so many requests, and some more time. */
static void
assert_n_requests (Fixture *f, unsigned int expected)
{
  gint64 end = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  while (raw_server_get_n_requests (f->collector) < expected && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, FALSE);
  iterate_until_idle ();
  g_assert_cmpuint (raw_server_get_n_requests (f->collector), ==, expected);
}

/* Lets everything happen until so many spans are counted in all. */
static void
assert_counted (Fixture *f, guint64 exported, guint64 dropped)
{
  gint64 end = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  guint64 n_exported, n_dropped;

  do
    {
      g_main_context_iteration (NULL, FALSE);
      n_exported = amps_metrics_get_counter (f->metrics, AMPS_COUNTER_SPANS_EXPORTED);
      n_dropped = amps_metrics_get_counter (f->metrics, AMPS_COUNTER_SPANS_DROPPED);
    }
  while (n_exported + n_dropped < exported + dropped && g_get_monotonic_time () < end);
  g_assert_cmpuint (n_exported, ==, exported);
  g_assert_cmpuint (n_dropped, ==, dropped);
}

static unsigned int
count (const char *text, const char *part)
{
  unsigned int n = 0;

  for (text = strstr (text, part); text != NULL; text = strstr (text + 1, part))
    n++;
  return n;
}

static void
test_batches (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *request = NULL;

  /* A few wait for more. */
  add (f, 2);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (4999));
  assert_n_requests (f, 0);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (1));
  assert_n_requests (f, 1);
  assert_counted (f, 2, 0);
  request = raw_server_dup_last_request (f->collector);
  g_assert_true (g_str_has_prefix (request, "POST /v1/traces HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request, "\r\nContent-Type: application/json\r\n"));
  g_assert_nonnull (strstr (request, "\r\nUser-Agent: AMPS/"));
  g_assert_cmpuint (count (request, "\"spanId\""), ==, 2);

  /* As many as fit are sent at once, and what is left has its time. */
  add (f, AMPS_SPAN_EXPORTER_BATCH + 1);
  fake_clock_advance (f->clock, 0);
  assert_n_requests (f, 2);
  assert_counted (f, 2 + AMPS_SPAN_EXPORTER_BATCH, 0);
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  assert_n_requests (f, 3);
  assert_counted (f, 3 + AMPS_SPAN_EXPORTER_BATCH, 0);
  g_assert_cmpuint (raw_server_get_n_connections (f->collector), ==, 1);
}

static void
test_nothing (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  fake_clock_advance (f->clock, AMPS_SECONDS (3600));
  assert_n_requests (f, 0);
  g_assert_cmpuint (raw_server_get_n_connections (f->collector), ==, 0);
}

/* A collector that takes nothing costs no more memory than that. */
static void
test_bound (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  raw_server_hold (f->collector, TRUE);
  add (f, AMPS_SPAN_EXPORTER_BATCH);
  fake_clock_advance (f->clock, 0);
  assert_n_requests (f, 1);
  add (f, AMPS_SPAN_EXPORTER_MAX_HELD);
  assert_counted (f, 0, AMPS_SPAN_EXPORTER_BATCH);

  raw_server_hold (f->collector, FALSE);
  assert_n_requests (f, 4);
  fake_clock_advance (f->clock, 0);
  assert_n_requests (f, 4);
  assert_counted (f, AMPS_SPAN_EXPORTER_MAX_HELD, AMPS_SPAN_EXPORTER_BATCH);
  add (f, 1);
  assert_counted (f, AMPS_SPAN_EXPORTER_MAX_HELD, AMPS_SPAN_EXPORTER_BATCH);
}

static void
send_one (Fixture *f, const char *reply)
{
  raw_server_reply (f->collector, reply);
  add (f, 1);
  fake_clock_advance (f->clock, AMPS_SECONDS (5));
  assert_n_requests (f, 1);
}

/* An answer that says nothing else to the outside, in time before the clock goes on. */
static void
let_answer_come (void)
{
  for (unsigned int i = 0; i < 6; i++)
    iterate_until_idle ();
}

static void
test_retry_after (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  send_one (f, "HTTP/1.1 429 No\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n");
  let_answer_come ();
  raw_server_reply (f->collector, OK);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (59999));
  assert_n_requests (f, 1);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (1));
  assert_n_requests (f, 2);
  assert_counted (f, 1, 0);
}

/* However long that is, it ends. */
static void
test_retries (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *log = NULL;

  send_one (f, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
  for (unsigned int i = 2; i <= 5; i++)
    {
      let_answer_come ();
      fake_clock_advance (f->clock, AMPS_SECONDS (30));
      assert_n_requests (f, i);
    }
  assert_counted (f, 0, 1);
  fake_clock_advance (f->clock, AMPS_SECONDS (3600));
  assert_n_requests (f, 5);
  log = log_recorder_take ();
  g_assert_nonnull (strstr (log, "Traces could not be sent: the collector answered 503"));
}

static void
test_refused (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *log = NULL;

  send_one (f, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
  assert_counted (f, 0, 1);
  fake_clock_advance (f->clock, AMPS_SECONDS (3600));
  assert_n_requests (f, 1);
  log = log_recorder_take ();
  g_assert_nonnull (strstr (log, "the collector answered 401"));
}

static void
test_partial (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  add (f, 2);
  send_one (f, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
               "{\"partialSuccess\":{\"rejectedSpans\":\"2\"}}");
  assert_counted (f, 1, 2);
}

/* Half of an answer, or one without an end. */
static void
test_bad_answers (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *filler = g_strnfill (64 * 1024, ' ');
  g_autofree char *large =
      g_strconcat ("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n", filler, NULL);

  send_one (f, large);
  assert_counted (f, 1, 0);
}

static void
test_timeout (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *log = NULL;

  raw_server_hold (f->collector, TRUE);
  send_one (f, OK);
  fake_clock_advance (f->clock, AMPS_MILLISECONDS (2000));
  iterate_until_idle ();
  log = log_recorder_take ();
  g_assert_nonnull (strstr (log, "Traces could not be sent: no answer in time"));
  raw_server_hold (f->collector, FALSE);
  fake_clock_advance (f->clock, AMPS_SECONDS (1));
  assert_n_requests (f, 2);
  assert_counted (f, 1, 0);
}

static void
test_headers (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  g_autofree char *request = NULL;

  send_one (f, OK);
  request = raw_server_dup_last_request (f->collector);
  g_assert_nonnull (strstr (request, "\r\nAuthorization: Basic dTpw\r\n"));
  g_assert_nonnull (strstr (request, "\r\nx-tenant: a b\r\n"));
}

static void
on_flushed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true (amps_span_exporter_flush_finish (AMPS_SPAN_EXPORTER (source), result, NULL));
  f->flushed = TRUE;
}

static void
test_flush (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  add (f, AMPS_SPAN_EXPORTER_BATCH + 1);
  amps_span_exporter_flush_async (f->exporter, on_flushed, f);
  assert_n_requests (f, 2);
  g_assert_true (f->flushed);
  assert_counted (f, AMPS_SPAN_EXPORTER_BATCH + 1, 0);
}

static void
test_flush_nothing (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  amps_span_exporter_flush_async (f->exporter, on_flushed, f);
  iterate_until_idle ();
  g_assert_true (f->flushed);
}

/* The process ends, whatever the collector does. */
static void
test_flush_in_vain (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  raw_server_hold (f->collector, TRUE);
  add (f, 3);
  amps_span_exporter_flush_async (f->exporter, on_flushed, f);
  assert_n_requests (f, 1);
  g_assert_false (f->flushed);
  fake_clock_advance (f->clock, AMPS_SECONDS (3));
  iterate_until_idle ();
  g_assert_true (f->flushed);
  assert_counted (f, 0, 3);
}

/* Nothing is tried again then. */
static void
test_flush_refused (Fixture *f, gconstpointer settings G_GNUC_UNUSED)
{
  raw_server_reply (f->collector, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
  add (f, 3);
  amps_span_exporter_flush_async (f->exporter, on_flushed, f);
  assert_n_requests (f, 1);
  g_assert_true (f->flushed);
  assert_counted (f, 0, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  log_recorder_start ();

#define ADD_WITH(name, test, settings)                                                             \
  g_test_add ("/span-exporter/" name, Fixture, settings, set_up, test, tear_down)
#define ADD(name, test) ADD_WITH (name, test, "")
  ADD ("batches", test_batches);
  ADD ("nothing", test_nothing);
  ADD ("bound", test_bound);
  ADD ("retry-after", test_retry_after);
  ADD ("retries", test_retries);
  ADD ("refused", test_refused);
  ADD ("partial", test_partial);
  ADD ("bad-answers", test_bad_answers);
  ADD_WITH ("timeout", test_timeout, "OTEL_EXPORTER_OTLP_TIMEOUT=2000");
  ADD_WITH ("headers", test_headers,
            "OTEL_EXPORTER_OTLP_HEADERS=Authorization=Basic%20dTpw,x-tenant=a%20b");
  ADD ("flush", test_flush);
  ADD ("flush-nothing", test_flush_nothing);
  ADD ("flush-in-vain", test_flush_in_vain);
  ADD ("flush-refused", test_flush_refused);
  return g_test_run ();
}
