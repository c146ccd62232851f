/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsSettlementKind:
 * @AMPS_SETTLE_ACKNOWLEDGE: done; the broker may forget it
 * @AMPS_SETTLE_REQUEUE: back to the queue at once, the job is not to blame
 * @AMPS_SETTLE_REQUEUE_FAILED: back to the queue at once after a failure of its own
 * @AMPS_SETTLE_RETRY: back to the queue after a delay, counted or not
 * @AMPS_SETTLE_DEAD_LETTER: to the dead letters
 */
typedef enum {
  AMPS_SETTLE_ACKNOWLEDGE,
  AMPS_SETTLE_REQUEUE,
  AMPS_SETTLE_REQUEUE_FAILED,
  AMPS_SETTLE_RETRY,
  AMPS_SETTLE_DEAD_LETTER,
} AmpsSettlementKind;

/**
 * AmpsSettlement:
 * @kind: what the broker is to do with the delivery
 * @delay: µs to wait, for a retry
 * @attempt: the attempt that the next delivery is, for a retry
 * @reason: (nullable): a static word such as `rejected`, for copies
 * @detail: (nullable): the last cause, for people
 * @copy: number of the copy, if one is made: the same for each try to make it; 0 for none
 *
 * How a delivery is settled. The function that passes it on says who owns @detail.
 */
typedef struct {
  AmpsSettlementKind kind;
  gint64 delay;
  unsigned int attempt;
  const char *reason;
  char *detail;
  guint64 copy;
} AmpsSettlement;

/**
 * AmpsSettled:
 * @AMPS_SETTLED_NOT: nothing was done, or it was not done in time
 * @AMPS_SETTLED_ACKNOWLEDGED: the broker has forgotten the message
 * @AMPS_SETTLED_REQUEUED: it is in its queue again, itself or as a copy that counts as itself
 * @AMPS_SETTLED_MOVED: it is safe elsewhere: to be delivered after a delay, or among the dead
 *   letters. One is enough of equal messages
 * @AMPS_SETTLED_REJECTED: it was left to what the broker does with rejected messages, which may
 *   be to discard them
 *
 * What a broker has done with a delivery.
 */
typedef enum {
  AMPS_SETTLED_NOT,
  AMPS_SETTLED_ACKNOWLEDGED,
  AMPS_SETTLED_REQUEUED,
  AMPS_SETTLED_MOVED,
  AMPS_SETTLED_REJECTED,
} AmpsSettled;

G_END_DECLS
