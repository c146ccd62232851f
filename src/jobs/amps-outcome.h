/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsOutcome:
 * @AMPS_OUTCOME_NONE: not decided yet
 * @AMPS_OUTCOME_ACKNOWLEDGED: done
 * @AMPS_OUTCOME_REJECTED: refused for good: dead letter
 * @AMPS_OUTCOME_RESCHEDULED: given back by the workload's wish
 * @AMPS_OUTCOME_RETRIED: failed; runs again later
 * @AMPS_OUTCOME_EXPIRED: its time ran out; runs again later
 * @AMPS_OUTCOME_RELEASED: given back through no fault of its own
 * @AMPS_OUTCOME_MALFORMED: not a CloudEvent: dead letter
 *
 * How a job ended; also the label of `amps_job_outcomes_total`.
 */
typedef enum {
  AMPS_OUTCOME_NONE,
  AMPS_OUTCOME_ACKNOWLEDGED,
  AMPS_OUTCOME_REJECTED,
  AMPS_OUTCOME_RESCHEDULED,
  AMPS_OUTCOME_RETRIED,
  AMPS_OUTCOME_EXPIRED,
  AMPS_OUTCOME_RELEASED,
  AMPS_OUTCOME_MALFORMED,
} AmpsOutcome;
#define AMPS_N_OUTCOMES (AMPS_OUTCOME_MALFORMED + 1)

const char *amps_outcome_to_string (AmpsOutcome outcome);
gboolean amps_outcome_is_given_up (AmpsOutcome outcome);
gboolean amps_outcome_check (const char *identifier, AmpsOutcome decided, AmpsOutcome wanted,
                             GError **error);

G_END_DECLS
