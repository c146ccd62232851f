/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsEventFault:
 * @AMPS_EVENT_FAULT_NAME: a name that attributes may not have
 * @AMPS_EVENT_FAULT_TWICE: a member that is there twice
 * @AMPS_EVENT_FAULT_TYPE: a value of a type that attributes may not have
 * @AMPS_EVENT_FAULT_CHARACTER: text with a character that it may not hold
 * @AMPS_EVENT_FAULT_FORMAT: text that is not what its attribute asks for
 * @AMPS_EVENT_FAULT_VERSION: a `specversion` other than 1.0
 * @AMPS_EVENT_FAULT_BASE64: `data_base64` that is not base64
 * @AMPS_EVENT_FAULT_BOTH: `data` beside `data_base64`
 *
 * What CloudEvents 1.0.2 forbids, but does not keep AMPS from delivering an event.
 */
typedef enum {
  AMPS_EVENT_FAULT_NAME,
  AMPS_EVENT_FAULT_TWICE,
  AMPS_EVENT_FAULT_TYPE,
  AMPS_EVENT_FAULT_CHARACTER,
  AMPS_EVENT_FAULT_FORMAT,
  AMPS_EVENT_FAULT_VERSION,
  AMPS_EVENT_FAULT_BASE64,
  AMPS_EVENT_FAULT_BOTH,
} AmpsEventFault;
#define AMPS_N_EVENT_FAULTS (AMPS_EVENT_FAULT_BOTH + 1)

/**
 * AmpsEventFaults:
 *
 * The faults of one event.
 */
typedef struct _AmpsEventFaults AmpsEventFaults;

void amps_event_faults_add (AmpsEventFaults **self, AmpsEventFault fault, const char *name,
                            gsize length);
const char *amps_event_faults_get_example (const AmpsEventFaults *self, AmpsEventFault fault);
void amps_event_faults_free (AmpsEventFaults *self);

const char *amps_event_fault_to_string (AmpsEventFault fault);
char *amps_event_name_to_readable (const char *name, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsEventFaults, amps_event_faults_free)

G_END_DECLS
