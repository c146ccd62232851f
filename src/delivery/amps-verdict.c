/* SPDX-License-Identifier: MIT */
#include "amps-verdict.h"

typedef struct {
  AmpsVerdictKind kind;
  gboolean blames;
} Cell;

#define ACCEPTED                                                                                   \
  {                                                                                                \
    AMPS_VERDICT_ACCEPTED, FALSE                                                                   \
  }
#define DONE                                                                                       \
  {                                                                                                \
    AMPS_VERDICT_DONE, FALSE                                                                       \
  }
#define FAILED                                                                                     \
  {                                                                                                \
    AMPS_VERDICT_RETRY, TRUE                                                                       \
  }
#define NOT_ITS_FAULT                                                                              \
  {                                                                                                \
    AMPS_VERDICT_RETRY, FALSE                                                                      \
  }
#define REJECTED                                                                                   \
  {                                                                                                \
    AMPS_VERDICT_REJECTED, FALSE                                                                   \
  }
#define UNREACHED                                                                                  \
  {                                                                                                \
    AMPS_VERDICT_UNREACHED, FALSE                                                                  \
  }

/* The table of docs/reference/api.md. The first row that fits counts. */
static const struct {
  unsigned int first_status;
  unsigned int last_status;
  Cell async;
  Cell sync;
} by_status[] = {
  { 202, 202, ACCEPTED, ACCEPTED },
  { 200, 299, ACCEPTED, DONE },
  { 409, 409, ACCEPTED, FAILED },
  { 408, 408, FAILED, FAILED },
  { 425, 425, FAILED, FAILED },
  { 429, 429, NOT_ITS_FAULT, NOT_ITS_FAULT },
  { 503, 503, NOT_ITS_FAULT, NOT_ITS_FAULT },
  { 500, 599, FAILED, FAILED },
  { 0, G_MAXUINT, REJECTED, REJECTED },
};

static const Cell without_status[] = {
  [AMPS_ANSWER_UNREACHABLE] = UNREACHED,
  [AMPS_ANSWER_LOST] = FAILED,
  [AMPS_ANSWER_TIMED_OUT] = FAILED,
};

static Cell
look_up (const AmpsAnswer *answer, AmpsWorkloadMode mode)
{
  unsigned int row = 0;

  if (answer->kind != AMPS_ANSWER_STATUS)
    return without_status[answer->kind];

  while (answer->status < by_status[row].first_status ||
         answer->status > by_status[row].last_status)
    row++;

  return mode == AMPS_WORKLOAD_MODE_SYNC ? by_status[row].sync : by_status[row].async;
}

/* Those that say nothing of the job if the address is wrong. */
static gboolean
may_be_address (unsigned int status)
{
  static const unsigned int statuses[] = { 401, 403, 404, 405, 407, 421, 501 };

  for (unsigned int i = 0; i < G_N_ELEMENTS (statuses); i++)
    {
      if (status == statuses[i])
        return TRUE;
    }

  return status >= 300 && status <= 399;
}

/**
 * amps_verdict_from_answer:
 * @answer: the workload's answer, or that there was none
 * @mode: what answers mean
 *
 * Returns: what it means for the job; the detail is left to the caller, see
 *   [func@Amps.Verdict.describe_answer]
 */
AmpsVerdict
amps_verdict_from_answer (const AmpsAnswer *answer, AmpsWorkloadMode mode)
{
  Cell cell = look_up (answer, mode);
  AmpsVerdict verdict = {
    .kind = cell.kind,
    .blames = cell.blames,
    .retry_after = answer->retry_after,
    .reason = "status",
    .timed_out = answer->kind == AMPS_ANSWER_TIMED_OUT,
    .refused_with = may_be_address (answer->status) ? answer->status : 0,
  };

  if (cell.kind == AMPS_VERDICT_DONE)
    {
      verdict.event = answer->event;
      /* The job would fail in the same way each time. */
      if (answer->problem != NULL)
        {
          verdict.kind = AMPS_VERDICT_REJECTED;
          verdict.reason = "rejected";
          verdict.detail = answer->problem->message;
        }
    }

  return verdict;
}

/**
 * amps_verdict_kind_to_string:
 * @kind: what is said
 *
 * Returns: (transfer none): its name for logs
 */
const char *
amps_verdict_kind_to_string (AmpsVerdictKind kind)
{
  static const char *const names[] = {
    [AMPS_VERDICT_ACCEPTED] = "accepted", [AMPS_VERDICT_DONE] = "done",
    [AMPS_VERDICT_RETRY] = "failed",      [AMPS_VERDICT_RESCHEDULED] = "rescheduled",
    [AMPS_VERDICT_REJECTED] = "rejected", [AMPS_VERDICT_UNREACHED] = "not reached",
  };

  return names[kind];
}

static char *
verdict_describe (const AmpsAnswer *answer, const char *detail)
{
  const char *colon = detail != NULL ? ": " : "";

  if (detail == NULL)
    detail = "";

  switch (answer->kind)
    {
    case AMPS_ANSWER_STATUS:
      return g_strdup_printf ("the workload answered %u%s%s", answer->status, colon, detail);
    case AMPS_ANSWER_UNREACHABLE:
      return g_strdup_printf ("the workload can't be reached%s%s", colon, detail);
    case AMPS_ANSWER_LOST:
      return g_strdup_printf ("the connection to the workload was lost%s%s", colon, detail);
    case AMPS_ANSWER_TIMED_OUT:
      return g_strdup_printf ("the workload did not answer in time%s%s", colon, detail);
    default:
      g_return_val_if_reached (NULL);
    }
}

/**
 * amps_verdict_describe_answer:
 * @answer: an answer that did not please
 *
 * Returns: (transfer full): what it was, for dead letters
 */
char *
amps_verdict_describe_answer (const AmpsAnswer *answer)
{
  return verdict_describe (answer, answer->detail);
}

/**
 * amps_verdict_summarize_answer:
 * @answer: an answer that did not please
 *
 * Returns: (transfer full): what it was, for logs: nothing of its text
 */
char *
amps_verdict_summarize_answer (const AmpsAnswer *answer)
{
  if (answer->kind == AMPS_ANSWER_STATUS)
    return g_strdup_printf ("the workload answered %u with %" G_GSIZE_FORMAT " bytes",
                            answer->status, answer->length);
  if (answer->kind == AMPS_ANSWER_TIMED_OUT)
    return verdict_describe (
        answer, "let it answer 202 first and then work, or raise WORKLOAD_RESPONSE_TIMEOUT");

  return verdict_describe (answer, answer->detail);
}
