/* SPDX-License-Identifier: MIT */
#include "amps-broker.h"

/**
 * amps_broker_state_to_string:
 * @state: a state
 *
 * Returns: (transfer none): its name for logs and answers
 */
const char *
amps_broker_state_to_string (AmpsBrokerState state)
{
  static const char *const names[] = {
    [AMPS_BROKER_DISCONNECTED] = "disconnected",
    [AMPS_BROKER_CONNECTED] = "connected",
    [AMPS_BROKER_WAITING_FOR_QUEUE] = "waiting-for-queue",
    [AMPS_BROKER_CONSUMING] = "consuming",
  };

  return names[state];
}
