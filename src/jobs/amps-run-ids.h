/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-job.h"

G_BEGIN_DECLS

/**
 * AmpsRunIds:
 *
 * What the runs of jobs are called: an opaque id for each POST, which no other
 * run here or in another process shares.
 */
typedef struct _AmpsRunIds AmpsRunIds;

AmpsRunIds *amps_run_ids_new (void);
void amps_run_ids_free (AmpsRunIds *self);
void amps_run_ids_begin (AmpsRunIds *self, AmpsJob *job);
void amps_run_ids_forget (AmpsRunIds *self, AmpsJob *job);
gint64 amps_run_ids_parse (AmpsRunIds *self, const char *identifier);
AmpsJob *amps_run_ids_lookup (AmpsRunIds *self, const char *identifier);

G_END_DECLS
