/* SPDX-License-Identifier: MIT */
#include "amps-embedded-message.h"

#include "base/amps-error.h"

/**
 * amps_embedded_command_new:
 * @kind: what is wanted
 * @id: told when it is committed; 0 when nobody waits
 *
 * Returns: (transfer full): a command, to be filled in
 */
AmpsEmbeddedCommand *
amps_embedded_command_new (AmpsEmbeddedCommandKind kind, guint64 id)
{
  AmpsEmbeddedCommand *self = g_new0 (AmpsEmbeddedCommand, 1);

  self->kind = kind;
  self->id = id;
  return self;
}

/**
 * amps_embedded_command_free:
 * @command: (transfer full): a command
 */
void
amps_embedded_command_free (gpointer command)
{
  AmpsEmbeddedCommand *self = command;

  g_free (self->queue);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_free (self->settlement.detail);
  g_clear_error (&self->refusal);
  g_free (self);
}

/**
 * amps_embedded_event_new:
 * @kind: what happened
 * @id: of the command that is done; or how many jobs are lost
 * @error: (transfer full) (nullable): what went wrong
 *
 * Returns: (transfer full): an event
 */
AmpsEmbeddedEvent *
amps_embedded_event_new (AmpsEmbeddedEventKind kind, guint64 id, GError *error)
{
  AmpsEmbeddedEvent *self = g_new0 (AmpsEmbeddedEvent, 1);

  self->kind = kind;
  self->id = id;
  self->error = error;
  return self;
}

static AmpsCloudEvent *
check_body (GBytes *body, gsize max_body_size, AmpsEventValidation validation, GError **error)
{
  gsize length;
  const char *json = g_bytes_get_data (body, &length);

  if (length <= max_body_size)
    return amps_cloud_event_scan (json, length, validation, error);

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_TOO_LARGE,
               "it has %zu bytes, and MAX_BODY_SIZE is %zu", length, max_body_size);
  return NULL;
}

/**
 * amps_embedded_event_new_job:
 * @job: what was claimed
 * @lease_end: boot µs: until when
 * @max_body_size: more bytes are not looked at
 * @validation: what an event must be
 *
 * For the worker's thread: all that reads the body is done here, since a large one
 * would keep the main loop.
 *
 * Returns: (transfer full): an event that says so
 */
AmpsEmbeddedEvent *
amps_embedded_event_new_job (const AmpsStoredJob *job, gint64 lease_end, gsize max_body_size,
                             AmpsEventValidation validation)
{
  AmpsEmbeddedEvent *self = amps_embedded_event_new (AMPS_EMBEDDED_EVENT_JOB, 0, NULL);

  self->lease_end = lease_end;
  self->delivery = amps_delivery_new (g_bytes_ref (job->body));
  self->delivery->tag = (guint64) job->id;
  self->delivery->redelivered = job->handed_out > 1;
  self->delivery->attempt = MAX (job->attempt, 1);
  self->delivery->returns = job->returns;
  self->delivery->first_received = job->first_received;
  self->delivery->copy = job->retry;
  self->found = check_body (job->body, max_body_size, validation, &self->error);
  return self;
}

/**
 * amps_embedded_event_free:
 * @event: (transfer full): an event
 */
void
amps_embedded_event_free (gpointer event)
{
  AmpsEmbeddedEvent *self = event;

  g_clear_pointer (&self->delivery, amps_delivery_unref);
  g_clear_pointer (&self->found, amps_cloud_event_free);
  g_clear_pointer (&self->depths, amps_queue_depths_free);
  g_clear_error (&self->error);
  g_free (self);
}
