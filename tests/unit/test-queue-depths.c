/* SPDX-License-Identifier: MIT */
#include "metrics/amps-queue-depths.h"

#define HEADER                                                                                     \
  "# HELP amps_queue_messages Messages that wait in a queue.\n"                                    \
  "# TYPE amps_queue_messages gauge\n"

static void
assert_text (const AmpsQueueDepths *depths, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);

  amps_queue_depths_append (depths, text);
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_unknown (void)
{
  g_autoptr (AmpsQueueDepths) depths = amps_queue_depths_new ();

  assert_text (NULL, HEADER);
  assert_text (depths, HEADER);
}

/* A name occurs once, or Prometheus would take none of the metrics. */
static void
test_sum (void)
{
  g_autoptr (AmpsQueueDepths) depths = amps_queue_depths_new ();

  amps_queue_depths_add (depths, "mail", 7);
  amps_queue_depths_add (depths, "mail.retry", 1);
  amps_queue_depths_add (depths, "mail.retry", 0);
  amps_queue_depths_add (depths, "mail.retry", 4);
  assert_text (depths, HEADER "amps_queue_messages{queue=\"mail\"} 7\n"
                              "amps_queue_messages{queue=\"mail.retry\"} 5\n");
}

static void
test_get (void)
{
  g_autoptr (AmpsQueueDepths) depths = amps_queue_depths_new ();
  guint64 n_messages = 0;

  amps_queue_depths_add (depths, "mail", 7);
  g_assert_true (amps_queue_depths_get (depths, "mail", &n_messages));
  g_assert_cmpuint (n_messages, ==, 7);
  g_assert_false (amps_queue_depths_get (depths, "mail.dead", &n_messages));
  g_assert_false (amps_queue_depths_get (NULL, "mail", &n_messages));
}

static void
test_escape (void)
{
  g_autoptr (AmpsQueueDepths) depths = amps_queue_depths_new ();

  amps_queue_depths_add (depths, "a \"b\" \\ ä\nc \xff", 1);
  assert_text (depths,
               HEADER "amps_queue_messages{queue=\"a \\\"b\\\" \\\\ ä\\nc \xef\xbf\xbd\"} 1\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/queue-depths/unknown", test_unknown);
  g_test_add_func ("/queue-depths/sum", test_sum);
  g_test_add_func ("/queue-depths/get", test_get);
  g_test_add_func ("/queue-depths/escape", test_escape);
  return g_test_run ();
}
