/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sentry/amps-sentry-report.h"

#include <json-glib/json-glib.h>
#include <string.h>

static const AmpsSentrySource source = { "production", "worker-1", "orders" };

/* The three lines of an envelope, parsed. */
typedef struct {
  JsonObject *header;
  JsonObject *item;
  JsonObject *event;
  JsonParser *parsers[3];
} Envelope;

static JsonObject *
parse (Envelope *envelope, unsigned int line, const char *text)
{
  g_autoptr (GError) error = NULL;

  envelope->parsers[line] = json_parser_new ();
  json_parser_load_from_data (envelope->parsers[line], text, -1, &error);
  g_assert_no_error (error);
  return json_node_get_object (json_parser_get_root (envelope->parsers[line]));
}

static void
open_envelope (Envelope *envelope, const AmpsLogLine *line, unsigned int n_silenced)
{
  g_autoptr (AmpsSentryReport) report = amps_sentry_report_new (line);
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  report->n_silenced = n_silenced;
  bytes = amps_sentry_report_to_envelope (report, &source);
  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  g_assert_cmpstr (lines[3], ==, "");
  envelope->header = parse (envelope, 0, lines[0]);
  envelope->item = parse (envelope, 1, lines[1]);
  envelope->event = parse (envelope, 2, lines[2]);
  g_assert_cmpint (json_object_get_int_member (envelope->item, "length"), ==, strlen (lines[2]));
}

static void
close_envelope (Envelope *envelope)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (envelope->parsers); i++)
    g_object_unref (envelope->parsers[i]);
}

static const char *
get (JsonObject *object, const char *name)
{
  return json_object_get_string_member (object, name);
}

static void
test_job (void)
{
  AmpsLogLine line = { .level = G_LOG_LEVEL_WARNING,
                       .event = AMPS_LOG_EVENT_JOB_EXPIRED,
                       .message = "line\none \xff",
                       .job_id = "job \"1\"",
                       .reason = "expired",
                       .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736" };
  Envelope envelope;
  JsonArray *fingerprint;
  JsonObject *tags, *extra;

  open_envelope (&envelope, &line, 3);
  g_assert_cmpstr (get (envelope.item, "type"), ==, "event");
  g_assert_cmpstr (get (envelope.event, "event_id"), ==, get (envelope.header, "event_id"));
  g_assert_cmpuint (strlen (get (envelope.event, "event_id")), ==, 32);
  g_assert_null (strchr (get (envelope.event, "event_id"), '-'));
  g_assert_cmpstr (get (envelope.event, "level"), ==, "warning");
  g_assert_cmpstr (get (envelope.event, "release"), ==, "amps@" AMPS_VERSION);
  g_assert_cmpstr (get (envelope.event, "environment"), ==, "production");
  g_assert_cmpstr (get (envelope.event, "server_name"), ==, "worker-1");
  g_assert_cmpstr (get (json_object_get_object_member (envelope.event, "logentry"), "formatted"),
                   ==, "line\none \xef\xbf\xbd");
  tags = json_object_get_object_member (envelope.event, "tags");
  g_assert_cmpstr (get (tags, "event"), ==, "job-expired");
  g_assert_cmpstr (get (tags, "queue"), ==, "orders");
  g_assert_cmpstr (get (tags, "reason"), ==, "expired");
  extra = json_object_get_object_member (envelope.event, "extra");
  g_assert_cmpstr (get (extra, "job_id"), ==, "job \"1\"");
  g_assert_cmpstr (get (extra, "trace_id"), ==, line.trace_id);
  g_assert_cmpint (json_object_get_int_member (extra, "not_reported_before"), ==, 3);
  fingerprint = json_object_get_array_member (envelope.event, "fingerprint");
  g_assert_cmpuint (json_array_get_length (fingerprint), ==, 2);
  g_assert_cmpstr (json_array_get_string_element (fingerprint, 0), ==, "job-expired");
  close_envelope (&envelope);
}

static void
test_levels (void)
{
  static const struct {
    GLogLevelFlags level;
    const char *name;
  } cases[] = {
    { G_LOG_LEVEL_WARNING, "warning" },
    { G_LOG_LEVEL_CRITICAL, "error" },
    { G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL, "fatal" },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      AmpsLogLine line = { .level = cases[i].level,
                           .event = AMPS_LOG_EVENT_DEFECT,
                           .message = "x" };
      Envelope envelope;

      open_envelope (&envelope, &line, 0);
      g_assert_cmpstr (get (envelope.event, "level"), ==, cases[i].name);
      g_assert_false (json_object_has_member (
          json_object_get_object_member (envelope.event, "extra"), "job_id"));
      close_envelope (&envelope);
    }
}

/* What a workload, a producer or a library says stays in the pod. */
static void
test_quotes (void)
{
  static const AmpsLogEvent events[] = { AMPS_LOG_EVENT_JOB_REJECTED, AMPS_LOG_EVENT_JOB_MALFORMED,
                                         AMPS_LOG_EVENT_JOB_FAILED,
                                         AMPS_LOG_EVENT_EVENT_NONCONFORMING,
                                         AMPS_LOG_EVENT_LIBRARY };

  for (unsigned int i = 0; i < G_N_ELEMENTS (events); i++)
    {
      AmpsLogLine line = { .level = G_LOG_LEVEL_WARNING,
                           .event = events[i],
                           .message = "the customer's name" };
      Envelope envelope;

      open_envelope (&envelope, &line, 0);
      g_assert_cmpstr (
          get (json_object_get_object_member (envelope.event, "logentry"), "formatted"), ==,
          amps_log_event_to_string (events[i]));
      close_envelope (&envelope);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sentry-report/job", test_job);
  g_test_add_func ("/sentry-report/levels", test_levels);
  g_test_add_func ("/sentry-report/quotes", test_quotes);
  return g_test_run ();
}
