/* SPDX-License-Identifier: MIT */
#pragma once

#include "config/amps-config.h"
#include "workload/amps-answer.h"

G_BEGIN_DECLS

/**
 * AmpsVerdictKind:
 * @AMPS_VERDICT_ACCEPTED: the workload has it; the outcome comes by the API
 * @AMPS_VERDICT_DONE: the answer is the outcome: acknowledge
 * @AMPS_VERDICT_RETRY: it failed, and may work another time
 * @AMPS_VERDICT_RESCHEDULED: the workload wants it another time
 * @AMPS_VERDICT_REJECTED: it will never work
 * @AMPS_VERDICT_UNREACHED: the workload has not seen it, or not by itself
 *
 * What the workload's answer to a POST says of a job.
 */
typedef enum {
  AMPS_VERDICT_ACCEPTED,
  AMPS_VERDICT_DONE,
  AMPS_VERDICT_RETRY,
  AMPS_VERDICT_RESCHEDULED,
  AMPS_VERDICT_REJECTED,
  AMPS_VERDICT_UNREACHED,
} AmpsVerdictKind;

/**
 * AmpsVerdict:
 * @kind: what is said
 * @blames: whether a retry counts as an attempt
 * @retry_after: µs that the workload asks to wait; -1 when it does not
 * @reason: (nullable): a static word of docs/reference/dead-letters.md for a rejection
 * @detail: (nullable): the cause, for dead letters; may hold the text of an answer
 * @summary: (nullable): the cause without that text, for logs; %NULL if @detail has none
 * @event: (nullable): what is to be published before the job is acknowledged
 * @timed_out: there was no answer in time
 * @refused_with: a status that a server gives at a wrong address, too; else 0
 *
 * What the workload's answer means for a job. Whoever made it owns what it
 * points to.
 */
typedef struct {
  AmpsVerdictKind kind;
  gboolean blames;
  gint64 retry_after;
  const char *reason;
  const char *detail;
  const char *summary;
  GBytes *event;
  gboolean timed_out;
  unsigned int refused_with;
} AmpsVerdict;

AmpsVerdict amps_verdict_from_answer (const AmpsAnswer *answer, AmpsWorkloadMode mode);
const char *amps_verdict_kind_to_string (AmpsVerdictKind kind);
char *amps_verdict_describe_answer (const AmpsAnswer *answer);
char *amps_verdict_summarize_answer (const AmpsAnswer *answer);

G_END_DECLS
