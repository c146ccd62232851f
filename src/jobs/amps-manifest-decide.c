/* SPDX-License-Identifier: MIT */
#include "amps-manifest-private.h"

#include "amps-job-private.h"
#include "base/amps-error.h"

/* How the outcome of a job is decided: by whoever comes first. */

/* The job that @identifier names, if only by a run that was given up. */
static AmpsJob *
manifest_decide_find (AmpsManifest *self, const char *identifier, const AmpsEarlierRun **earlier)
{
  AmpsJob *job = amps_manifest_lookup (self, identifier);

  *earlier = NULL;
  if (job != NULL && (job->state != AMPS_JOB_WAITING || g_str_equal (identifier, job->event->id)))
    return job;

  *earlier = amps_earlier_runs_find (self->earlier, amps_run_ids_parse (self->runs, identifier));
  if (*earlier == NULL)
    return job;

  job = g_hash_table_lookup (self->jobs, (*earlier)->id);
  return job != NULL && amps_earlier_run_is_of (*earlier, job) ? job : NULL;
}

static gboolean
fail_given_up (const char *identifier, GError **error)
{
  g_set_error (error, AMPS_ERROR, AMPS_ERROR_CONFLICT,
               "run “%s” was given up and its job is tried again: only an acknowledgement of it "
               "still counts",
               identifier);
  return FALSE;
}

static AmpsOutcome
find_finished (AmpsManifest *self, const char *identifier, const AmpsEarlierRun *earlier)
{
  if (earlier != NULL)
    return amps_finished_jobs_find_of_run (self->finished, earlier);

  return amps_finished_jobs_find (self->finished, identifier,
                                  amps_run_ids_parse (self->runs, identifier));
}

/**
 * amps_manifest_find:
 * @self: a manifest
 * @identifier: an event's id, or an `Amps-Job-Id` of any of its POSTs
 *
 * Returns: (transfer none) (nullable): the job in flight
 */
AmpsJob *
amps_manifest_find (AmpsManifest *self, const char *identifier)
{
  const AmpsEarlierRun *earlier;

  return manifest_decide_find (self, identifier, &earlier);
}

/**
 * amps_manifest_get_given_up:
 * @self: a manifest
 * @identifier: an event's id, or an `Amps-Job-Id` of any of its POSTs
 *
 * Finds out whether @identifier names a job that waits elsewhere to be tried again, so
 * that nothing can be reserved for an acknowledgement that still counts.
 *
 * Returns: (transfer none) (nullable): the event's id then
 */
const char *
amps_manifest_get_given_up (AmpsManifest *self, const char *identifier)
{
  const AmpsEarlierRun *earlier;
  AmpsJob *job = manifest_decide_find (self, identifier, &earlier);
  AmpsOutcome outcome = job != NULL ? job->outcome : find_finished (self, identifier, earlier);

  if (!amps_outcome_is_given_up (outcome))
    return NULL;
  if (job != NULL)
    return amps_job_get_id (job);
  return earlier != NULL ? earlier->id : identifier;
}

/* A job that is not in flight. */
static gboolean
check_finished (AmpsManifest *self, const char *identifier, const AmpsEarlierRun *earlier,
                AmpsOutcome wanted, GError **error)
{
  AmpsOutcome decided = find_finished (self, identifier, earlier);

  if (!amps_outcome_is_given_up (decided))
    return amps_outcome_check (identifier, decided, wanted, error);
  if (wanted == AMPS_OUTCOME_ACKNOWLEDGED &&
      amps_finished_jobs_succeed (self->finished, identifier, earlier))
    return TRUE;
  if (earlier != NULL)
    return fail_given_up (identifier, error);

  return amps_outcome_check (identifier, AMPS_OUTCOME_NONE, wanted, error);
}

/* A job whose outcome stands, though the broker may not know it yet. */
static gboolean
check_decided (AmpsJob *job, const char *identifier, AmpsOutcome wanted, GError **error)
{
  if (wanted == AMPS_OUTCOME_ACKNOWLEDGED && amps_outcome_is_given_up (job->outcome))
    {
      job->succeeded = TRUE;
      return TRUE;
    }

  return amps_outcome_check (identifier, job->outcome, wanted, error);
}

static gboolean
find_undecided (AmpsManifest *self, const char *identifier, AmpsOutcome wanted, AmpsJob **job,
                GError **error)
{
  const AmpsEarlierRun *earlier;
  AmpsJob *found = manifest_decide_find (self, identifier, &earlier);

  *job = NULL;
  if (found == NULL)
    return check_finished (self, identifier, earlier, wanted, error);

  if (earlier != NULL && wanted != AMPS_OUTCOME_ACKNOWLEDGED)
    return fail_given_up (identifier, error);

  if (found->state == AMPS_JOB_DECIDED)
    return check_decided (found, identifier, wanted, error);

  if (found->state == AMPS_JOB_DECIDING)
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_BUSY,
                   "job “%s” is being acknowledged together with a publication", identifier);
      return FALSE;
    }

  *job = g_object_ref (found);
  return TRUE;
}

/**
 * amps_manifest_take:
 * @self: a manifest
 * @identifier: an event's id, or an `Amps-Job-Id` of its latest POST
 * @outcome: what is to become of it
 * @job: (out) (transfer full) (nullable): the job; %NULL when it was decided in
 *   the same way before
 * @error: return location: %AMPS_ERROR_NOT_FOUND, %AMPS_ERROR_CONFLICT or
 *   %AMPS_ERROR_BUSY
 *
 * Decides a job and gives it to the caller, so that of several who race only
 * one can settle the delivery.
 *
 * Returns: whether the job is decided as wanted
 */
gboolean
amps_manifest_take (AmpsManifest *self, const char *identifier, AmpsOutcome outcome, AmpsJob **job,
                    GError **error)
{
  if (!find_undecided (self, identifier, outcome, job, error))
    return FALSE;

  if (*job != NULL)
    amps_manifest_decide (self, *job, outcome);
  return TRUE;
}

/**
 * amps_manifest_decide:
 * @self: a manifest
 * @job: a job
 * @outcome: what is to become of it
 *
 * Decides @job unless that has been done, or is just being done, by another.
 *
 * Returns: whether the caller is now the one who settles it
 */
gboolean
amps_manifest_decide (AmpsManifest *self, AmpsJob *job, AmpsOutcome outcome)
{
  if (job->state == AMPS_JOB_DECIDING || job->state == AMPS_JOB_DECIDED)
    return FALSE;

  amps_manifest_set_deadline (self, job, 0);
  amps_manifest_enter_state (self, job, AMPS_JOB_DECIDED);
  job->outcome = outcome;
  return TRUE;
}

/**
 * amps_manifest_begin_deciding:
 * @self: a manifest
 * @identifier: an event's id, or an `Amps-Job-Id` of its latest POST
 * @job: (out) (transfer full) (nullable): the job; %NULL when it was
 *   acknowledged before
 * @error: return location, as of [method@Amps.Manifest.take]
 *
 * Reserves a job for its acknowledgement, which depends on something that takes
 * time. Its deadline stands still, and rivals are told to come again.
 *
 * Returns: whether the job is reserved, or acknowledged
 */
gboolean
amps_manifest_begin_deciding (AmpsManifest *self, const char *identifier, AmpsJob **job,
                              GError **error)
{
  AmpsJob *found;

  if (!find_undecided (self, identifier, AMPS_OUTCOME_ACKNOWLEDGED, job, error))
    return FALSE;

  found = *job;
  if (found == NULL)
    return TRUE;

  found->remaining = amps_manifest_get_time_left (self, found->deadline);
  amps_manifest_set_deadline (self, found, 0);

  found->undecided = found->state;
  amps_manifest_enter_state (self, found, AMPS_JOB_DECIDING);
  return TRUE;
}

/**
 * amps_manifest_stop_deciding:
 * @self: a manifest
 * @job: a job that is being decided
 *
 * Puts @job back to where it was, with the time that it had left.
 */
void
amps_manifest_stop_deciding (AmpsManifest *self, AmpsJob *job)
{
  g_return_if_fail (job->state == AMPS_JOB_DECIDING);

  amps_manifest_enter_state (self, job, job->undecided);
  if (job->remaining != 0)
    amps_manifest_set_deadline (self, job,
                                amps_clock_get_monotonic_time (self->clock) + job->remaining);
}
