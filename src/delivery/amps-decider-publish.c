/* SPDX-License-Identifier: MIT */
#include "amps-decider-private.h"

#include "amps-publication.h"
#include "core/amps-error.h"

/* Acknowledgements that publish something first. */

static void
on_published (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
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
  else if (amps_job_get_state (job) == AMPS_JOB_WAITING && !amps_decider_may_wait (self, job))
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

/* The job was given up meanwhile or before, and may be here again. */
static void
on_published_late (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  AmpsDecider *self = AMPS_DECIDER (g_task_get_source_object (task));
  g_autoptr (AmpsJob) job = NULL;
  GError *error = NULL;

  if (!amps_publication_finish (result, &error) ||
      !amps_manifest_take (self->manifest, g_task_get_task_data (task), AMPS_OUTCOME_ACKNOWLEDGED,
                           &job, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  if (job != NULL)
    amps_decider_acknowledge (self, job);
  g_task_return_boolean (task, TRUE);
}

/**
 * amps_decider_acknowledge_async:
 * @self: a decider
 * @identifier: an event's id, or an `Amps-Job-Id` of its latest POST
 * @events: (element-type GBytes): events in structured mode
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
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (AmpsJob) job = NULL;
  g_autoptr (GError) error = NULL;
  GHashTable *confirmed;

  g_task_set_source_tag (task, amps_decider_acknowledge_async);
  if (!amps_decider_check_lease (self, identifier, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  if (amps_manifest_is_given_up (self->manifest, identifier))
    {
      g_task_set_task_data (task, g_strdup (identifier), g_free);
      amps_publication_start (self->broker, self->metrics, events,
                              amps_config_get_event_validation (self->config), NULL, cancellable,
                              on_published_late, g_steal_pointer (&task));
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
  g_task_set_task_data (task, g_steal_pointer (&job), g_object_unref);
  amps_publication_start (self->broker, self->metrics, events,
                          amps_config_get_event_validation (self->config), confirmed, cancellable,
                          on_published, g_steal_pointer (&task));
}

/**
 * amps_decider_acknowledge_finish:
 * @self: a decider
 * @result: what the callback got
 * @error: return location, as of [method@Amps.Manifest.take] and
 *   [method@Amps.Broker.publish_finish]
 *
 * Returns: whether the events are safe with the broker and the job acknowledged
 */
gboolean
amps_decider_acknowledge_finish (AmpsDecider *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
