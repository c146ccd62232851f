/* SPDX-License-Identifier: MIT */
#include "amps-amqp-copying.h"

#include "base/amps-error.h"

/**
 * amps_amqp_copying_is_needed:
 * @settings: say what becomes of dead letters
 * @delivery: what is to be settled
 * @kind: how
 * @can_publish: whether copies can be made now
 *
 * Returns: whether a copy must be confirmed before @delivery is acknowledged
 */
gboolean
amps_amqp_copying_is_needed (const AmpsAmqpSettings *settings, const AmpsDelivery *delivery,
                             AmpsSettlementKind kind, gboolean can_publish)
{
  switch (kind)
    {
    case AMPS_SETTLE_RETRY:
      return TRUE;
    case AMPS_SETTLE_DEAD_LETTER:
      return settings->dead_letter_queue != NULL;
    case AMPS_SETTLE_REQUEUE:
      return can_publish && !delivery->incomplete &&
             delivery->returns + 1 >= AMPS_AMQP_MAX_REQUEUES;
    case AMPS_SETTLE_REQUEUE_FAILED:
      /* Only a copy can tell the next one how often it has failed. */
      return can_publish && !delivery->incomplete;
    case AMPS_SETTLE_ACKNOWLEDGE:
    default:
      return FALSE;
    }
}

/**
 * amps_amqp_copying_is_possible:
 * @delivery: what is to be copied
 * @problem: (nullable): why nothing can be published now
 * @error: return location: %AMPS_ERROR_TOO_LARGE or %AMPS_ERROR_UNAVAILABLE
 *
 * A body that was too large to be kept can't be copied, ever. Its message stays
 * unsettled until somebody takes care of it.
 *
 * Returns: whether a copy can be made now
 */
gboolean
amps_amqp_copying_is_possible (const AmpsDelivery *delivery, const char *problem, GError **error)
{
  if (delivery->incomplete)
    g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_TOO_LARGE,
                         "a message has more than the 128 MiB that AMPS copies; take it out of the "
                         "queue with another client, or run AMPS with DEAD_LETTER_MODE=broker and "
                         "a dead-letter policy on the queue");
  else if (problem != NULL)
    g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, problem);

  return !delivery->incomplete && problem == NULL;
}
