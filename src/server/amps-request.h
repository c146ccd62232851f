/* SPDX-License-Identifier: MIT */
#pragma once

#include "event/amps-cloudevent.h"

G_BEGIN_DECLS

/**
 * AmpsRequest:
 * @identifiers: which jobs it is about; at least one
 * @is_list: whether they came as a list, even of one
 * @reschedule: whether the jobs go back to the queue
 * @delay: µs to wait before they run again
 * @extend: µs that a heartbeat asks for; 0 for what the settings say
 * @reason: (nullable): why a job is rejected, cut if it is long
 * @publish: (nullable) (element-type GBytes): events to publish first
 *
 * The body of a call of the job API.
 */
typedef struct {
  GPtrArray *identifiers;
  gboolean is_list;
  gboolean reschedule;
  gint64 delay;
  gint64 extend;
  char *reason;
  GPtrArray *publish;
} AmpsRequest;

AmpsRequest *amps_request_parse (GBytes *body, AmpsEventValidation validation, GError **error);
void amps_request_free (AmpsRequest *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsRequest, amps_request_free)

G_END_DECLS
