/* SPDX-License-Identifier: MIT */
#include "amps-outcome.h"

#include "base/amps-error.h"

/**
 * amps_outcome_to_string:
 * @outcome: an outcome
 *
 * Returns: (transfer none): its name for logs, answers and labels
 */
const char *
amps_outcome_to_string (AmpsOutcome outcome)
{
  static const char *const names[AMPS_N_OUTCOMES] = {
    [AMPS_OUTCOME_NONE] = "none",         [AMPS_OUTCOME_ACKNOWLEDGED] = "acknowledged",
    [AMPS_OUTCOME_REJECTED] = "rejected", [AMPS_OUTCOME_RESCHEDULED] = "rescheduled",
    [AMPS_OUTCOME_RETRIED] = "retried",   [AMPS_OUTCOME_EXPIRED] = "expired",
    [AMPS_OUTCOME_RELEASED] = "released", [AMPS_OUTCOME_MALFORMED] = "malformed",
  };

  return names[outcome];
}

/**
 * amps_outcome_is_given_up:
 * @outcome: how a job ended
 *
 * Returns: whether it is tried again, and an acknowledgement that comes late still
 *   counts
 */
gboolean
amps_outcome_is_given_up (AmpsOutcome outcome)
{
  return outcome == AMPS_OUTCOME_RETRIED || outcome == AMPS_OUTCOME_EXPIRED;
}

static gboolean
is_remembered (AmpsOutcome outcome)
{
  return outcome == AMPS_OUTCOME_ACKNOWLEDGED || outcome == AMPS_OUTCOME_REJECTED ||
         outcome == AMPS_OUTCOME_RESCHEDULED;
}

/**
 * amps_outcome_check:
 * @identifier: what a job was called by
 * @decided: how it ended
 * @wanted: how the caller wants it to end
 * @error: return location: %AMPS_ERROR_NOT_FOUND or %AMPS_ERROR_CONFLICT
 *
 * Calls are idempotent: the same decision again is as good as the first
 * (docs/promises.md#calls-may-be-repeated).
 *
 * Returns: whether it ended as wanted
 */
gboolean
amps_outcome_check (const char *identifier, AmpsOutcome decided, AmpsOutcome wanted, GError **error)
{
  if (!is_remembered (decided))
    g_set_error (error, AMPS_ERROR, AMPS_ERROR_NOT_FOUND,
                 "no job “%s” is in flight; it may have expired or been given back", identifier);
  else if (decided != wanted)
    g_set_error (error, AMPS_ERROR, AMPS_ERROR_CONFLICT, "job “%s” is already %s", identifier,
                 amps_outcome_to_string (decided));

  return decided == wanted;
}
