/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsDispatcherState:
 * @AMPS_DISPATCHER_STARTING: not ready yet for the first time
 * @AMPS_DISPATCHER_RUNNING: takes jobs, or would if broker and workload were there
 * @AMPS_DISPATCHER_PAUSED: takes no jobs until resumed
 * @AMPS_DISPATCHER_DRAINING: takes no jobs, finishes those in flight
 */
typedef enum {
  AMPS_DISPATCHER_STARTING,
  AMPS_DISPATCHER_RUNNING,
  AMPS_DISPATCHER_PAUSED,
  AMPS_DISPATCHER_DRAINING,
} AmpsDispatcherState;

const char *amps_dispatcher_state_to_string (AmpsDispatcherState state);

G_END_DECLS
