/* SPDX-License-Identifier: MIT */
#include "base/amps-log.h"
#include "jobs/amps-job-log.h"

#include "make-job.h"

#include <string.h>

/* A process has one log writer for life, so each case runs in a process of its own. */

static void
run (const char *path)
{
  g_test_trap_subprocess (path, 0, 0);
  g_test_trap_assert_passed ();
}

#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void
log_samples (void)
{
  g_autoptr (AmpsJob) job = make_job ("a\"b\\c", "{}", 1);
  g_autoptr (AmpsJob) traced = make_job ("traced", "{}", 1);
  g_autoptr (AmpsJob) recorded = make_job ("recorded", "{}", 1);
  AmpsRunTrace *trace = g_new0 (AmpsRunTrace, 1);
  g_autoptr (AmpsDelivery) broken = amps_delivery_new (g_bytes_new_static ("{", 1));
  g_autoptr (AmpsJob) malformed = amps_job_new_malformed (
      broken, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "broken"));

  amps_job_get_delivery (traced)->traceparent = g_strdup (TRACEPARENT);
  g_assert_true (amps_trace_context_parse (&trace->context, TRACEPARENT));
  amps_job_take_trace (recorded, trace);
  amps_log (MESSAGE, STOPPING, "started");
  amps_log_job (INFO, JOB_POSTED, job, NULL, "took %d", 1);
  amps_log_job (WARNING, JOB_EXPIRED, traced, "expired", "too late");
  amps_log_job (INFO, JOB_ATTACHED, recorded, NULL, "it runs");
  amps_log_job (WARNING, JOB_MALFORMED, malformed, NULL, "malformed");
  amps_log (INFO, BROKER_STATE, "%s", "first\nsecond\033[31m \377 \xe2\x80\xa8.");
  g_log_structured ("libsoup", G_LOG_LEVEL_INFO, "MESSAGE", "foreign");
  amps_log (DEBUG, JOB_RECEIVED, "verbose");
  g_log_structured ("GLib-GIO", G_LOG_LEVEL_DEBUG, "MESSAGE", "chatter");
  g_log ("dconf", G_LOG_LEVEL_DEBUG, "chatter");
  amps_log_lines (INFO, SETTINGS, "one\n  two=\033[31m\nthree");
  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "MESSAGE", "nameless");
}

static void
test_json_subprocess (void)
{
  amps_log_set_up (AMPS_LOG_JSON, FALSE, "orders");
  g_assert_false (amps_log_is_debug ());
  log_samples ();
}

static void
test_json (void)
{
  run ("/log/json/subprocess");
  g_test_trap_assert_stderr ("{\"ts\":\"20*T*:*:*.*Z\",\"level\":\"notice\","
                             "\"message\":\"started\",\"event\":\"stopping\"}\n*");
  g_test_trap_assert_stderr ("*,\"level\":\"info\",\"message\":\"took 1\",\"event\":\"job-posted\","
                             "\"job_id\":\"a\\\"b\\\\c\",\"queue\":\"orders\"}\n*");
  g_test_trap_assert_stderr ("*\"message\":\"too late\",\"event\":\"job-expired\","
                             "\"job_id\":\"traced\",\"queue\":\"orders\","
                             "\"reason\":\"expired\","
                             "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}\n*");
  g_test_trap_assert_stderr ("*\"message\":\"it runs\",\"event\":\"job-attached\","
                             "\"job_id\":\"recorded\",\"queue\":\"orders\","
                             "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\","
                             "\"span_id\":\"00f067aa0ba902b7\"}\n*");
  g_test_trap_assert_stderr ("*\"message\":\"malformed\",\"event\":\"job-malformed\","
                             "\"queue\":\"orders\"}\n*");
  g_test_trap_assert_stderr ("*\"first\\nsecond\\u001b[31m \xef\xbf\xbd \\u2028.\",\"event\":*");
  g_test_trap_assert_stderr ("*\"message\":\"foreign\",\"domain\":\"libsoup\","
                             "\"event\":\"library\"}\n*");
  g_test_trap_assert_stderr_unmatched ("*verbose*");
  g_test_trap_assert_stderr_unmatched ("*chatter*");
  g_test_trap_assert_stderr ("*\"level\":\"info\",\"message\":"
                             "\"one\\n  two=\\u001b[31m\\nthree\",\"event\":\"settings\"}\n*");
  g_test_trap_assert_stderr ("*\"message\":\"nameless\",\"event\":\"defect\"}\n*");
}

static void
test_text_subprocess (void)
{
  amps_log_set_up (AMPS_LOG_TEXT, TRUE, "orders");
  g_assert_true (amps_log_is_debug ());
  log_samples ();
}

static void
test_text (void)
{
  run ("/log/text/subprocess");
  g_test_trap_assert_stderr ("20*T*:*:*.*Z notice   started\n*");
  g_test_trap_assert_stderr ("* info     took 1 job_id=a\"b\\c\n*");
  g_test_trap_assert_stderr ("* warning  too late job_id=traced\n*");
  g_test_trap_assert_stderr ("*first\\nsecond\\u001b[31m \xef\xbf\xbd \\u2028.\n*");
  g_test_trap_assert_stderr ("*foreign domain=libsoup\n*");
  g_test_trap_assert_stderr ("* debug    verbose\n*");
  g_test_trap_assert_stderr_unmatched ("*chatter*");
  g_test_trap_assert_stderr ("*\n20*Z info     one\n20*Z info       two=\\u001b[31m\n"
                             "20*Z info     three\n*");
}

/* stderr is a pipe here: neither a terminal nor the journal. */
static void
test_auto_subprocess (void)
{
  amps_log_set_up (AMPS_LOG_AUTO, FALSE, "orders");
  amps_log (INFO, STOPPING, "started");
}

static void
test_auto (void)
{
  run ("/log/auto/subprocess");
  g_test_trap_assert_stderr ("{\"ts\":*\"message\":\"started\",*}\n");
}

#define N_THREADS 4
#define N_LINES 500

static gpointer
log_many (gpointer data G_GNUC_UNUSED)
{
  for (int i = 0; i < N_LINES; i++)
    amps_log (MESSAGE, STOPPING, "abcdefghijklmnopqrstuvwxyz");
  return NULL;
}

static void
test_threads_subprocess (void)
{
  GThread *threads[N_THREADS];

  amps_log_set_up (AMPS_LOG_JSON, FALSE, "orders");
  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("logger", log_many, NULL);
  for (int i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

static void
test_threads (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  const char *const command[] = { self, "-p", "/log/threads/subprocess", "--GTestSubprocess",
                                  NULL };
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  int n_lines = 0;

  g_spawn_sync (NULL, (char **) command, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                &output, NULL, &error);
  g_assert_no_error (error);

  g_auto (GStrv) lines = g_strsplit (output, "\n", -1);

  for (; lines[n_lines] != NULL && lines[n_lines][0] != '\0'; n_lines++)
    {
      g_assert_true (g_str_has_prefix (lines[n_lines], "{\"ts\":"));
      g_assert_true (g_str_has_suffix (lines[n_lines],
                                       "\"abcdefghijklmnopqrstuvwxyz\",\"event\":\"stopping\"}"));
    }
  g_assert_cmpint (n_lines, ==, N_THREADS * N_LINES);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/json", test_json);
  g_test_add_func ("/log/json/subprocess", test_json_subprocess);
  g_test_add_func ("/log/text", test_text);
  g_test_add_func ("/log/text/subprocess", test_text_subprocess);
  g_test_add_func ("/log/auto", test_auto);
  g_test_add_func ("/log/auto/subprocess", test_auto_subprocess);
  g_test_add_func ("/log/threads", test_threads);
  g_test_add_func ("/log/threads/subprocess", test_threads_subprocess);
  return g_test_run ();
}
