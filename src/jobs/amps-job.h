/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-delivery.h"
#include "amps-outcome.h"
#include "amps-run-trace.h"
#include "event/amps-cloudevent.h"

G_BEGIN_DECLS

/**
 * AmpsJobState:
 * @AMPS_JOB_WAITING: delivered, not POSTed (or, after a failure, not POSTed again) yet
 * @AMPS_JOB_POSTING: the POST is under way
 * @AMPS_JOB_RUNNING: the workload has accepted it
 * @AMPS_JOB_DECIDING: an outcome is being made sure of; may still fall back to running
 * @AMPS_JOB_DECIDED: the outcome stands; the broker is being told
 *
 * Where a job is on its way.
 */
typedef enum {
  AMPS_JOB_WAITING,
  AMPS_JOB_POSTING,
  AMPS_JOB_RUNNING,
  AMPS_JOB_DECIDING,
  AMPS_JOB_DECIDED,
} AmpsJobState;

/**
 * AmpsJob:
 *
 * One event on its way through the workload, and the delivery that is settled
 * when it has ended. [class@Amps.Manifest] alone moves it from state to state.
 */
#define AMPS_TYPE_JOB (amps_job_get_type ())
G_DECLARE_FINAL_TYPE (AmpsJob, amps_job, AMPS, JOB, GObject)

AmpsJob *amps_job_new (AmpsDelivery *delivery, AmpsCloudEvent *event);
AmpsJob *amps_job_new_malformed (AmpsDelivery *delivery, GError *problem);

const char *amps_job_get_id (AmpsJob *self);
const char *amps_job_get_source (AmpsJob *self);
const char *amps_job_get_event_type (AmpsJob *self);
const char *amps_job_get_traceparent (AmpsJob *self);
const char *amps_job_get_tracestate (AmpsJob *self);
void amps_job_take_trace (AmpsJob *self, AmpsRunTrace *trace);
const AmpsRunTrace *amps_job_get_trace (AmpsJob *self);
gboolean amps_job_find_trace_context (AmpsJob *self, AmpsTraceContext *context);
AmpsTraceHeaders *amps_job_dup_trace (AmpsJob *self);
const AmpsEventFaults *amps_job_get_faults (AmpsJob *self);
GBytes *amps_job_get_body (AmpsJob *self);
const GError *amps_job_get_problem (AmpsJob *self);

const char *amps_job_get_run_id (AmpsJob *self);
AmpsDelivery *amps_job_get_delivery (AmpsJob *self);
gboolean amps_job_is_detached (AmpsJob *self);
unsigned int amps_job_get_attempt (AmpsJob *self);
const char *amps_job_get_detail (AmpsJob *self);
AmpsJobState amps_job_get_state (AmpsJob *self);
gboolean amps_job_is_in_workload (AmpsJob *self);
AmpsOutcome amps_job_get_outcome (AmpsJob *self);
gboolean amps_job_has_succeeded (AmpsJob *self);
GHashTable *amps_job_get_confirmed (AmpsJob *self);
gint64 amps_job_get_began (AmpsJob *self);
guint64 amps_job_get_number (AmpsJob *self);
gint64 amps_job_get_since (AmpsJob *self);
gint64 amps_job_get_deadline (AmpsJob *self);
gint64 amps_job_get_heartbeat (AmpsJob *self);
unsigned int amps_job_get_n_heartbeats (AmpsJob *self);

gboolean amps_job_adopt_duplicate (AmpsJob *self);
GPtrArray *amps_job_steal_duplicates (AmpsJob *self);
AmpsJob *amps_job_pop_follower (AmpsJob *self);

const char *amps_job_state_to_string (AmpsJobState state);

G_END_DECLS
