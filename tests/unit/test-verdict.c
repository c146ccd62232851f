/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "delivery/amps-verdict.h"

#include <string.h>

/* The table of docs/reference/api.md, written down once more. */
static const struct {
  AmpsAnswerKind kind;
  unsigned int status;
  AmpsVerdictKind async;
  gboolean async_blames;
  AmpsVerdictKind sync;
  gboolean sync_blames;
} table[] = {
  { AMPS_ANSWER_STATUS, 200, AMPS_VERDICT_ACCEPTED, FALSE, AMPS_VERDICT_DONE, FALSE },
  { AMPS_ANSWER_STATUS, 201, AMPS_VERDICT_ACCEPTED, FALSE, AMPS_VERDICT_DONE, FALSE },
  { AMPS_ANSWER_STATUS, 202, AMPS_VERDICT_ACCEPTED, FALSE, AMPS_VERDICT_ACCEPTED, FALSE },
  { AMPS_ANSWER_STATUS, 204, AMPS_VERDICT_ACCEPTED, FALSE, AMPS_VERDICT_DONE, FALSE },
  { AMPS_ANSWER_STATUS, 299, AMPS_VERDICT_ACCEPTED, FALSE, AMPS_VERDICT_DONE, FALSE },
  { AMPS_ANSWER_STATUS, 301, AMPS_VERDICT_REJECTED, FALSE, AMPS_VERDICT_REJECTED, FALSE },
  { AMPS_ANSWER_STATUS, 400, AMPS_VERDICT_REJECTED, FALSE, AMPS_VERDICT_REJECTED, FALSE },
  { AMPS_ANSWER_STATUS, 404, AMPS_VERDICT_REJECTED, FALSE, AMPS_VERDICT_REJECTED, FALSE },
  { AMPS_ANSWER_STATUS, 408, AMPS_VERDICT_RETRY, TRUE, AMPS_VERDICT_RETRY, TRUE },
  { AMPS_ANSWER_STATUS, 409, AMPS_VERDICT_ACCEPTED, FALSE, AMPS_VERDICT_RETRY, TRUE },
  { AMPS_ANSWER_STATUS, 410, AMPS_VERDICT_REJECTED, FALSE, AMPS_VERDICT_REJECTED, FALSE },
  { AMPS_ANSWER_STATUS, 425, AMPS_VERDICT_RETRY, TRUE, AMPS_VERDICT_RETRY, TRUE },
  { AMPS_ANSWER_STATUS, 429, AMPS_VERDICT_RETRY, FALSE, AMPS_VERDICT_RETRY, FALSE },
  { AMPS_ANSWER_STATUS, 500, AMPS_VERDICT_RETRY, TRUE, AMPS_VERDICT_RETRY, TRUE },
  { AMPS_ANSWER_STATUS, 502, AMPS_VERDICT_RETRY, TRUE, AMPS_VERDICT_RETRY, TRUE },
  { AMPS_ANSWER_STATUS, 503, AMPS_VERDICT_RETRY, FALSE, AMPS_VERDICT_RETRY, FALSE },
  { AMPS_ANSWER_STATUS, 599, AMPS_VERDICT_RETRY, TRUE, AMPS_VERDICT_RETRY, TRUE },
  { AMPS_ANSWER_STATUS, 600, AMPS_VERDICT_REJECTED, FALSE, AMPS_VERDICT_REJECTED, FALSE },
  { AMPS_ANSWER_UNREACHABLE, 0, AMPS_VERDICT_UNREACHED, FALSE, AMPS_VERDICT_UNREACHED, FALSE },
  { AMPS_ANSWER_LOST, 0, AMPS_VERDICT_RETRY, TRUE, AMPS_VERDICT_RETRY, TRUE },
  { AMPS_ANSWER_TIMED_OUT, 0, AMPS_VERDICT_RETRY, TRUE, AMPS_VERDICT_RETRY, TRUE },
};

static void
test_table (void)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autoptr (AmpsAnswer) answer = amps_answer_new (table[i].kind, table[i].status);
      AmpsVerdict async = amps_verdict_from_answer (answer, AMPS_WORKLOAD_MODE_ASYNC);
      AmpsVerdict sync = amps_verdict_from_answer (answer, AMPS_WORKLOAD_MODE_SYNC);

      g_test_message ("kind %d, status %u", table[i].kind, table[i].status);
      g_assert_cmpint (async.kind, ==, table[i].async);
      g_assert_cmpint (async.blames, ==, table[i].async_blames);
      g_assert_cmpint (sync.kind, ==, table[i].sync);
      g_assert_cmpint (sync.blames, ==, table[i].sync_blames);
      g_assert_cmpint (sync.retry_after, ==, -1);
    }
}

static void
test_answers_with_events (void)
{
  g_autoptr (AmpsAnswer) good = amps_answer_new (AMPS_ANSWER_STATUS, 200);
  g_autoptr (AmpsAnswer) bad = amps_answer_new (AMPS_ANSWER_STATUS, 200);
  AmpsVerdict verdict;

  good->event = g_bytes_new_static ("{}", 2);
  verdict = amps_verdict_from_answer (good, AMPS_WORKLOAD_MODE_SYNC);
  g_assert_cmpint (verdict.kind, ==, AMPS_VERDICT_DONE);
  g_assert_true (verdict.event == good->event);

  bad->problem = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_INVALID_EVENT, "“id” is missing");
  verdict = amps_verdict_from_answer (bad, AMPS_WORKLOAD_MODE_SYNC);
  g_assert_cmpint (verdict.kind, ==, AMPS_VERDICT_REJECTED);
  g_assert_cmpstr (verdict.detail, ==, "“id” is missing");
}

static void
test_description (void)
{
  g_autoptr (AmpsAnswer) answer = amps_answer_new (AMPS_ANSWER_STATUS, 422);
  g_autofree char *bare = amps_verdict_describe_answer (answer);
  g_autofree char *full = NULL;
  g_autofree char *summary = NULL;
  g_autofree char *late = NULL;
  g_autoptr (AmpsAnswer) timeout = amps_answer_new (AMPS_ANSWER_TIMED_OUT, 0);

  g_assert_cmpstr (bare, ==, "the workload answered 422");
  answer->detail = g_strdup ("no such order");
  full = amps_verdict_describe_answer (answer);
  g_assert_cmpstr (full, ==, "the workload answered 422: no such order");

  /* What is logged shows nothing of its text. */
  answer->length = 13;
  summary = amps_verdict_summarize_answer (answer);
  g_assert_cmpstr (summary, ==, "the workload answered 422 with 13 bytes");
  late = amps_verdict_summarize_answer (timeout);
  g_assert_nonnull (strstr (late, "answer 202 first"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/verdict/table", test_table);
  g_test_add_func ("/verdict/answers-with-events", test_answers_with_events);
  g_test_add_func ("/verdict/description", test_description);
  return g_test_run ();
}
