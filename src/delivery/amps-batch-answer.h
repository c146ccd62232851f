/* SPDX-License-Identifier: MIT */
#pragma once

#include "jobs/amps-job.h"

G_BEGIN_DECLS

/**
 * AmpsBatchFailure:
 * @reason: (nullable): why, for people
 * @reschedule: whether the job shall come again
 *
 * What the answer to a batch says of one of its jobs.
 */
typedef struct {
  char *reason;
  gboolean reschedule;
} AmpsBatchFailure;

GHashTable *amps_batch_answer_parse (GBytes *body, GPtrArray *jobs, GError **error);

G_END_DECLS
