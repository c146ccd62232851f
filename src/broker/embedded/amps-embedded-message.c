/* SPDX-License-Identifier: MIT */
#include "amps-embedded-message.h"

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
  g_free (self);
}

/**
 * amps_embedded_event_new:
 * @kind: what happened
 * @id: of the command that is done
 * @job: (transfer full) (nullable): what was claimed
 * @error: (transfer full) (nullable): what went wrong
 *
 * Returns: (transfer full): an event
 */
AmpsEmbeddedEvent *
amps_embedded_event_new (AmpsEmbeddedEventKind kind, guint64 id, AmpsStoredJob *job, GError *error)
{
  AmpsEmbeddedEvent *self = g_new0 (AmpsEmbeddedEvent, 1);

  self->kind = kind;
  self->id = id;
  self->job = job;
  self->error = error;
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

  g_clear_pointer (&self->job, amps_stored_job_free);
  g_clear_error (&self->error);
  g_free (self);
}
