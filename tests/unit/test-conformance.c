/* SPDX-License-Identifier: MIT */
#include "delivery/amps-conformance.h"
#include "log-recorder.h"

#include <string.h>

static unsigned int
count (const char *log, const char *text)
{
  unsigned int n = 0;

  for (const char *at = strstr (log, text); at != NULL; at = strstr (at + 1, text))
    n++;
  return n;
}

/* A million events with the same fault are one line in the log. */
static void
test_warns_once_of_each_kind (void)
{
  g_autoptr (AmpsMetrics) metrics = amps_metrics_new ();
  g_autoptr (AmpsEventFaults) first = NULL;
  g_autoptr (AmpsEventFaults) second = NULL;
  g_autofree char *log = NULL;

  amps_event_faults_add (&first, AMPS_EVENT_FAULT_NAME, "correlationId", 13);
  amps_event_faults_add (&second, AMPS_EVENT_FAULT_NAME, "otherName", 9);
  amps_event_faults_add (&second, AMPS_EVENT_FAULT_FORMAT, "time", 4);

  log_recorder_start ();
  amps_conformance_note (metrics, NULL);
  for (int i = 0; i < 100; i++)
    {
      amps_conformance_note (metrics, first);
      amps_conformance_note (metrics, second);
    }
  log = log_recorder_take ();

  g_assert_cmpuint (count (log, "An event breaks"), ==, 2);
  g_assert_nonnull (strstr (log, "“correlationId”"));
  g_assert_nonnull (strstr (log, "“time”"));
  g_assert_nonnull (strstr (log, "EVENT_VALIDATION"));
  g_assert_null (strstr (log, "otherName"));
  g_assert_cmpuint (amps_metrics_get_counter (metrics, AMPS_COUNTER_EVENTS_NONCONFORMING), ==, 200);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/warns-once-of-each-kind", test_warns_once_of_each_kind);
  return g_test_run ();
}
