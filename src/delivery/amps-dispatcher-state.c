/* SPDX-License-Identifier: MIT */
#include "amps-dispatcher-state.h"

/**
 * amps_dispatcher_state_to_string:
 * @state: a state
 *
 * Returns: (transfer none): its name for logs and answers
 */
const char *
amps_dispatcher_state_to_string (AmpsDispatcherState state)
{
  static const char *const names[] = {
    [AMPS_DISPATCHER_STARTING] = "starting",
    [AMPS_DISPATCHER_RUNNING] = "running",
    [AMPS_DISPATCHER_PAUSED] = "paused",
    [AMPS_DISPATCHER_DRAINING] = "draining",
  };

  return names[state];
}
