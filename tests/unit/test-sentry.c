/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sentry/amps-sentry.h"

#include "base/amps-log.h"
#include "fake-clock.h"
#include "log-recorder.h"
#include "raw-server.h"

#include <string.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define FLUSH AMPS_SECONDS (20)

typedef struct {
  AmpsClock *clock;
  AmpsConfig *config;
  AmpsMetrics *metrics;
  AmpsSentry *sentry;
  RawServer *server;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const none[] = { NULL };
  g_autofree char *text = NULL;
  g_auto (GStrv) environment = NULL;
  g_autoptr (GError) error = NULL;

  f->server = raw_server_new (NULL);
  raw_server_reply (f->server, OK);
  text = g_strdup_printf ("BROKER_SUBJECT=jobs\nWORKER_ID=me\nENVIRONMENT=test\n"
                          "SENTRY_DSN=http://c0ffee@127.0.0.1:%u/42",
                          raw_server_get_port (f->server));
  environment = g_strsplit (text, "\n", -1);
  f->clock = fake_clock_new ();
  f->metrics = amps_metrics_new ();
  f->config = amps_config_new ((const char *const *) environment, NULL, none, &error);
  g_assert_no_error (error);
  f->sentry = amps_sentry_new (f->config, f->clock, f->metrics);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  if (f->sentry != NULL)
    g_assert_finalize_object (f->sentry);
  /* Nobody listens any more. */
  amps_log (WARNING, JOBS_UNSETTLED, "too late");
  g_clear_pointer (&f->server, raw_server_free);
  g_object_unref (f->config);
  g_object_unref (f->metrics);
  g_object_unref (f->clock);
  g_free (log_recorder_take ());
}

static void
assert_counted (Fixture *f, const char *result, unsigned int count)
{
  g_autofree char *text = amps_metrics_format (f->metrics, AMPS_METRICS_PROMETHEUS);
  g_autofree char *line =
      g_strdup_printf ("\namps_error_reports_total{result=\"%s\"} %u\n", result, count);

  if (strstr (text, line) == NULL)
    g_error ("no line “%s” in:\n%s", line, text);
}

static void
test_request (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *request = NULL;

  amps_log (INFO, STOPPING, "nothing wrong");
  amps_log (WARNING, DRAIN_TIMEOUT, "too slow");
  amps_sentry_flush (f->sentry, FLUSH);
  assert_counted (f, "sent", 1);
  g_assert_cmpuint (raw_server_get_n_requests (f->server), ==, 1);
  request = raw_server_dup_last_request (f->server);
  g_assert_true (g_str_has_prefix (request, "POST /api/42/envelope/ HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request, "Content-Type: application/x-sentry-envelope\r\n"));
  g_assert_nonnull (
      strstr (request, "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=amps/" AMPS_VERSION
                       ", sentry_key=c0ffee\r\n"));
}

static gpointer
log_from_thread (gpointer data G_GNUC_UNUSED)
{
  amps_log (WARNING, BROKER_FAILED, "from another thread");
  return NULL;
}

static void
test_thread (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_thread_join (g_thread_new ("logger", log_from_thread, NULL));
  amps_sentry_flush (f->sentry, FLUSH);
  assert_counted (f, "sent", 1);
}

/* Its own limit keeps a flood from Sentry. */
static void
test_flood (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  for (int i = 0; i < 1000; i++)
    amps_log (WARNING, JOB_REJECTED, "flood");
  amps_sentry_flush (f->sentry, FLUSH);
  assert_counted (f, "sent", 5);
  assert_counted (f, "limited", 995);
}

static void
test_server_limit (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  raw_server_reply (f->server, "HTTP/1.1 429 Slow down\r\nRetry-After: 100\r\n"
                               "Content-Length: 0\r\n\r\n");
  amps_log (WARNING, DRAIN_TIMEOUT, "one");
  amps_log (WARNING, JOBS_UNSETTLED, "two");
  amps_sentry_flush (f->sentry, FLUSH);
  assert_counted (f, "limited", 2);
  g_assert_cmpuint (raw_server_get_n_requests (f->server), ==, 1);
}

/* A fault of Sentry is logged, and not reported. */
static void
test_failure (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *logged = NULL;

  raw_server_reply (f->server, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
  amps_log (WARNING, DRAIN_TIMEOUT, "one");
  amps_sentry_flush (f->sentry, FLUSH);
  assert_counted (f, "failed", 1);
  g_assert_cmpuint (raw_server_get_n_requests (f->server), ==, 1);
  logged = log_recorder_take ();
  g_assert_cmpstr (logged, ==, "one\nErrors can't be reported to Sentry: it answered 403\n");
}

static void
test_nobody_there (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *logged = NULL;

  g_clear_pointer (&f->server, raw_server_free);
  amps_log (WARNING, DRAIN_TIMEOUT, "one");
  amps_sentry_flush (f->sentry, FLUSH);
  assert_counted (f, "failed", 1);
  logged = log_recorder_take ();
  g_assert_nonnull (strstr (logged, "Errors can't be reported to Sentry: "));
  g_assert_null (strstr (logged, "c0ffee"));
}

/* A server that does not answer keeps nobody, and no more than some reports. */
static void
test_silence (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  gint64 begin = g_get_monotonic_time ();

  raw_server_hold (f->server, TRUE);
  for (unsigned int event = 0; event < AMPS_N_LOG_EVENTS; event++)
    amps_log_write (G_LOG_LEVEL_WARNING, event, &(AmpsLogPlace){ __FILE__, "1", __func__, FALSE },
                    "x");
  amps_sentry_flush (f->sentry, AMPS_SECONDS (1) / 2);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, AMPS_SECONDS (10));
  /* One was on its way, 30 waited; the report of a fault of Sentry is not one. */
  assert_counted (f, "dropped", AMPS_N_LOG_EVENTS - 1 - 30);
  raw_server_hold (f->server, FALSE);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/sentry/request", test_request }, { "/sentry/thread", test_thread },
    { "/sentry/flood", test_flood },     { "/sentry/server-limit", test_server_limit },
    { "/sentry/failure", test_failure }, { "/sentry/nobody-there", test_nobody_there },
    { "/sentry/silence", test_silence },
  };

  g_test_init (&argc, &argv, NULL);
  log_recorder_start ();
  for (unsigned int i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
