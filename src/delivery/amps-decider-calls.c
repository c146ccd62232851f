/* SPDX-License-Identifier: MIT */
#include "amps-decider-private.h"

#include "base/amps-error.h"

/* What the API asks of a job, by its identifier. */

/* @job: (out) (nullable) (transfer full): the job, if it is decided now and not before
 *
 * Returns: whether it has that outcome */
static gboolean
decider_take (AmpsDecider *self, const char *identifier, AmpsOutcome outcome, AmpsJob **job,
              GError **error)
{
  return amps_decider_check_lease (self, identifier, error) &&
         amps_manifest_take (self->manifest, identifier, outcome, job, error);
}

/**
 * amps_decider_acknowledge:
 * @self: a decider
 * @identifier: an event's id, or an `Amps-Job-Id` of its latest POST
 * @error: return location, as of [method@Amps.Manifest.take]
 *
 * Returns: whether the job is acknowledged, now or before
 */
gboolean
amps_decider_acknowledge (AmpsDecider *self, const char *identifier, GError **error)
{
  g_autoptr (AmpsJob) job = NULL;

  if (!decider_take (self, identifier, AMPS_OUTCOME_ACKNOWLEDGED, &job, error))
    return FALSE;

  if (job != NULL)
    amps_decider_end_acknowledged (self, job);
  return TRUE;
}

/**
 * amps_decider_reject:
 * @self: a decider
 * @identifier: an event's id, or an `Amps-Job-Id` of its latest POST
 * @reason: (nullable): why, for people
 * @error: return location, as of [method@Amps.Manifest.take]
 *
 * Returns: whether the job is rejected for good, now or before
 */
gboolean
amps_decider_reject (AmpsDecider *self, const char *identifier, const char *reason, GError **error)
{
  g_autoptr (AmpsJob) job = NULL;

  if (!decider_take (self, identifier, AMPS_OUTCOME_REJECTED, &job, error))
    return FALSE;

  if (job != NULL)
    amps_decider_end_rejected (self, job, reason);
  return TRUE;
}

/**
 * amps_decider_reschedule:
 * @self: a decider
 * @identifier: an event's id, or an `Amps-Job-Id` of its latest POST
 * @delay: µs it shall wait; 0 for none
 * @error: return location, as of [method@Amps.Manifest.take]
 *
 * Returns: whether the job is given back, now or before
 */
gboolean
amps_decider_reschedule (AmpsDecider *self, const char *identifier, gint64 delay, GError **error)
{
  g_autoptr (AmpsJob) job = NULL;

  if (!decider_take (self, identifier, AMPS_OUTCOME_RESCHEDULED, &job, error))
    return FALSE;

  if (job != NULL)
    amps_decider_end_rescheduled (self, job, delay);
  return TRUE;
}

/**
 * amps_decider_heartbeat:
 * @self: a decider
 * @identifier: an event's id, or an `Amps-Job-Id` of its latest POST
 * @extend: µs that the workload wants from now; 0 for what the settings say
 * @deadline: (out): monotonic µs when the job expires; 0 for never
 * @error: return location: %AMPS_ERROR_NOT_FOUND
 *
 * Lets the deadline of a job start anew.
 *
 * Returns: whether the job is still the workload's
 */
gboolean
amps_decider_heartbeat (AmpsDecider *self, const char *identifier, gint64 extend, gint64 *deadline,
                        GError **error)
{
  return amps_decider_check_lease (self, identifier, error) &&
         amps_manifest_heartbeat (self->manifest, identifier, extend, deadline, error);
}

/* Acknowledgements that publish something first. @confirmed need not be published again. */
static void
publish_for (AmpsDecider *self, GPtrArray *events, AmpsTraceHeaders *trace, GHashTable *confirmed,
             GTask *task, GAsyncReadyCallback callback)
{
  amps_publisher_publish_async (self->publisher, events, trace, confirmed,
                                g_task_get_cancellable (task), callback, task);
}

static void
decider_on_published (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  AmpsDecider *self = AMPS_DECIDER (g_task_get_source_object (task));
  AmpsJob *job = AMPS_JOB (g_task_get_task_data (task));
  g_autoptr (GError) error = NULL;
  gboolean published = amps_publisher_publish_finish (AMPS_PUBLISHER (source), result, &error);

  amps_manifest_stop_deciding (self->manifest, job);
  if (published && !amps_decider_check_lease (self, amps_job_get_id (job), &error))
    published = FALSE;
  if (published && amps_manifest_decide (self->manifest, job, AMPS_OUTCOME_ACKNOWLEDGED))
    amps_decider_end_acknowledged (self, job);
  else if (amps_lifecycle_is_hurried (self->lifecycle) ||
           (amps_job_get_state (job) == AMPS_JOB_WAITING && !amps_decider_may_wait (self, job)))
    amps_decider_release (self, job);
  else
    amps_sender_send (self->sender);

  if (!published)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  g_task_return_boolean (task, TRUE);
}

/* What is published for a job that was given up. */
typedef struct {
  GHashTable *confirmed; /* (owned) of GBytes: not to be published again */
  gboolean busy;
} Late;

/* More of those that failed are forgotten. */
#define MAX_LATE 1000

static void
late_free (gpointer data)
{
  Late *late = data;

  g_hash_table_unref (late->confirmed);
  g_free (late);
}

static gboolean
is_idle (gpointer id G_GNUC_UNUSED, gpointer late, gpointer user_data G_GNUC_UNUSED)
{
  return !((Late *) late)->busy;
}

/**
 * amps_decider_new_late:
 *
 * Returns: (transfer full): for AmpsDecider.late
 */
GHashTable *
amps_decider_new_late (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, late_free);
}

static Late *
ensure_late (AmpsDecider *self, const char *id)
{
  Late *late = g_hash_table_lookup (self->late, id);

  if (late != NULL)
    return late;

  if (g_hash_table_size (self->late) >= MAX_LATE)
    g_hash_table_foreach_remove (self->late, is_idle, NULL);
  late = g_new0 (Late, 1);
  late->confirmed =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  g_hash_table_insert (self->late, g_strdup (id), late);
  return late;
}

/* The job may be here again meanwhile. */
static void
on_published_late (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  AmpsDecider *self = AMPS_DECIDER (g_task_get_source_object (task));
  const char *id = g_task_get_task_data (task);
  g_autoptr (AmpsJob) job = NULL;
  GError *error = NULL;

  ensure_late (self, id)->busy = FALSE;
  if (!amps_publisher_publish_finish (AMPS_PUBLISHER (source), result, &error) ||
      !amps_manifest_take (self->manifest, id, AMPS_OUTCOME_ACKNOWLEDGED, &job, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  g_hash_table_remove (self->late, id);
  if (job != NULL)
    amps_decider_end_acknowledged (self, job);
  g_task_return_boolean (task, TRUE);
}

/* Nothing of the job @id is here that could be reserved, so this is. */
static void
publish_late (AmpsDecider *self, const char *id, GPtrArray *events, AmpsTraceHeaders *trace,
              GTask *task)
{
  Late *late = ensure_late (self, id);

  if (late->busy)
    {
      g_task_return_new_error (task, AMPS_ERROR, AMPS_ERROR_BUSY,
                               "job “%s” is being acknowledged together with a publication", id);
      g_object_unref (task);
      return;
    }

  late->busy = TRUE;
  g_task_set_task_data (task, g_strdup (id), g_free);
  publish_for (self, events, trace, late->confirmed, task, on_published_late);
}

/**
 * amps_decider_acknowledge_async:
 * @self: a decider
 * @identifier: an event's id, or an `Amps-Job-Id` of its latest POST
 * @events: (element-type GBytes): events in structured mode
 * @trace: (nullable): the trace context that goes with them, instead of the job's
 * @cancellable: (nullable): stops waiting, not publishing
 * @callback: called when the job is acknowledged, or something failed
 * @user_data: passed to @callback
 *
 * Publishes @events and then, when all are confirmed, acknowledges the job,
 * which is reserved meanwhile. Called again after a failure it does not publish
 * again what was confirmed.
 */
void
amps_decider_acknowledge_async (AmpsDecider *self, const char *identifier, GPtrArray *events,
                                AmpsTraceHeaders *trace, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (AmpsJob) job = NULL;
  g_autoptr (GError) error = NULL;
  const char *given_up;
  g_autoptr (AmpsTraceHeaders) context = NULL;
  GHashTable *confirmed;

  g_task_set_source_tag (task, amps_decider_acknowledge_async);
  if (!amps_decider_check_lease (self, identifier, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  given_up = amps_manifest_get_given_up (self->manifest, identifier);
  if (given_up != NULL)
    {
      publish_late (self, given_up, events, trace, g_steal_pointer (&task));
      return;
    }

  if (!amps_manifest_begin_deciding (self->manifest, identifier, &job, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  if (job == NULL)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }

  confirmed = amps_job_get_confirmed (job);
  context = trace != NULL ? amps_trace_headers_ref (trace) : amps_job_dup_trace (job);
  g_task_set_task_data (task, g_steal_pointer (&job), g_object_unref);
  publish_for (self, events, context, confirmed, g_steal_pointer (&task), decider_on_published);
}

/**
 * amps_decider_acknowledge_finish:
 * @self: a decider
 * @result: what the callback got
 * @error: return location, as of [method@Amps.Manifest.take] and
 *   [method@Amps.Publisher.publish_finish]
 *
 * Returns: whether the events are safe with the broker and the job acknowledged
 */
gboolean
amps_decider_acknowledge_finish (AmpsDecider *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
