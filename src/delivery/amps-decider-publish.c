/* SPDX-License-Identifier: MIT */
#include "amps-decider-private.h"

#include "amps-publication.h"
#include "base/amps-error.h"

/* What is published, and acknowledgements that publish something first. */

/* @trace: (nullable): what the caller says of it
 * @confirmed: (nullable): what need not be published again */
static void
decider_publish_publish (AmpsDecider *self, GPtrArray *events, AmpsTraceHeaders *trace,
                         GHashTable *confirmed, GTask *task, GAsyncReadyCallback callback)
{
  amps_publication_start (self->broker, self->metrics, self->tracer, self->config, events, trace,
                          confirmed, g_task_get_cancellable (task), callback, task);
}

static void
on_published_alone (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GError) error = NULL;

  if (amps_publication_finish (result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

/**
 * amps_decider_publish_async:
 * @self: a decider
 * @events: (element-type GBytes): events in structured mode
 * @trace: (nullable): the trace context that goes with each of them
 * @cancellable: (nullable): stops waiting, not publishing
 * @callback: called when all are confirmed, or have failed
 * @user_data: passed to @callback
 *
 * Publishes @events without deciding any job.
 */
void
amps_decider_publish_async (AmpsDecider *self, GPtrArray *events, AmpsTraceHeaders *trace,
                            GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, amps_decider_publish_async);
  decider_publish_publish (self, events, trace, NULL, task, on_published_alone);
}

/**
 * amps_decider_publish_finish:
 * @self: a decider
 * @result: what the callback got
 * @error: return location: %AMPS_ERROR_INVALID_EVENT, or as of
 *   [method@Amps.Broker.publish_finish] and, for an acknowledgement, of
 *   [method@Amps.Manifest.take]
 *
 * Ends [method@Amps.Decider.publish_async] and [method@Amps.Decider.acknowledge_async].
 *
 * Returns: whether all events are safe with the broker, and the job acknowledged
 */
gboolean
amps_decider_publish_finish (AmpsDecider *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
decider_publish_on_published (GObject *source G_GNUC_UNUSED, GAsyncResult *result,
                              gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  AmpsDecider *self = AMPS_DECIDER (g_task_get_source_object (task));
  AmpsJob *job = AMPS_JOB (g_task_get_task_data (task));
  g_autoptr (GError) error = NULL;
  gboolean published = amps_publication_finish (result, &error);

  amps_manifest_stop_deciding (self->manifest, job);
  if (published && !amps_decider_check_lease (self, amps_job_get_id (job), &error))
    published = FALSE;
  if (published && amps_manifest_decide (self->manifest, job, AMPS_OUTCOME_ACKNOWLEDGED))
    amps_decider_acknowledge (self, job);
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

/* For the decider. */
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
on_published_late (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  AmpsDecider *self = AMPS_DECIDER (g_task_get_source_object (task));
  const char *id = g_task_get_task_data (task);
  g_autoptr (AmpsJob) job = NULL;
  GError *error = NULL;

  ensure_late (self, id)->busy = FALSE;
  if (!amps_publication_finish (result, &error) ||
      !amps_manifest_take (self->manifest, id, AMPS_OUTCOME_ACKNOWLEDGED, &job, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  g_hash_table_remove (self->late, id);
  if (job != NULL)
    amps_decider_acknowledge (self, job);
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
  decider_publish_publish (self, events, trace, late->confirmed, task, on_published_late);
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
  decider_publish_publish (self, events, context, confirmed, g_steal_pointer (&task),
                           decider_publish_on_published);
}
