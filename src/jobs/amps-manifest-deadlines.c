/* SPDX-License-Identifier: MIT */
#include "amps-manifest-private.h"

#include "amps-job-private.h"
#include "base/amps-error.h"

/* When jobs expire, and what puts that off. */

/**
 * amps_manifest_set_timeouts:
 * @self: a manifest
 * @job_timeout: µs that a job may take; 0 for any
 * @heartbeat_timeout: µs that may pass between two signs of life; 0 for any
 *
 * To be called before the first job is added.
 */
void
amps_manifest_set_timeouts (AmpsManifest *self, gint64 job_timeout, gint64 heartbeat_timeout)
{
  self->job_timeout = job_timeout;
  self->heartbeat_timeout = heartbeat_timeout;
}

/**
 * amps_manifest_get_new_deadline:
 * @self: a manifest
 * @extend: µs that the workload wants from now; 0 for what the timeouts say
 *
 * Returns: monotonic µs when a job expires that shows life now; 0 for never
 */
gint64
amps_manifest_get_new_deadline (AmpsManifest *self, gint64 extend)
{
  gint64 timeout = extend;

  if (timeout == 0)
    timeout = self->job_timeout;
  if (extend == 0 && self->heartbeat_timeout > 0 &&
      (timeout == 0 || self->heartbeat_timeout < timeout))
    timeout = self->heartbeat_timeout;

  return timeout > 0 ? amps_clock_get_monotonic_time (self->clock) + timeout : 0;
}

/* µs; 0 without a deadline. */
gint64
amps_manifest_get_time_left (AmpsManifest *self, gint64 deadline)
{
  return deadline != 0 ? MAX (deadline - amps_clock_get_monotonic_time (self->clock), 1) : 0;
}

/**
 * amps_manifest_set_deadline:
 * @self: a manifest
 * @job: a job
 * @deadline: monotonic µs when it expires; 0 for never
 *
 * While @job is being decided, that is how much time it has left after it.
 */
void
amps_manifest_set_deadline (AmpsManifest *self, AmpsJob *job, gint64 deadline)
{
  if (job->state == AMPS_JOB_DECIDING)
    {
      job->remaining = amps_manifest_get_time_left (self, deadline);
      return;
    }

  if (job->deadline_entry != NULL)
    amps_timer_queue_remove (self->deadlines, g_steal_pointer (&job->deadline_entry));

  job->deadline = deadline;
  if (deadline != 0)
    job->deadline_entry = amps_timer_queue_add (self->deadlines, deadline, job);
}

/**
 * amps_manifest_heartbeat:
 * @self: a manifest
 * @identifier: an event's id, or an `Amps-Job-Id` of its latest POST
 * @extend: µs that the workload wants from now; 0 for what the timeouts say
 * @deadline: (out): monotonic µs when the job expires; 0 for never
 * @error: return location: %AMPS_ERROR_NOT_FOUND
 *
 * Says that the workload still works on a job, whose deadline starts anew.
 *
 * Returns: whether the job is still the workload's
 */
gboolean
amps_manifest_heartbeat (AmpsManifest *self, const char *identifier, gint64 extend,
                         gint64 *deadline, GError **error)
{
  AmpsJob *job = amps_manifest_lookup (self, identifier);

  if (job == NULL || !amps_job_is_in_workload (job))
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_NOT_FOUND,
                   "no job “%s” is running; stop working on it", identifier);
      return FALSE;
    }

  *deadline = amps_manifest_get_new_deadline (self, extend);
  job->heartbeat = amps_clock_get_monotonic_time (self->clock);
  job->n_heartbeats++;
  amps_manifest_set_deadline (self, job, *deadline);
  return TRUE;
}
