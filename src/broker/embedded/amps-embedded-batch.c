/* SPDX-License-Identifier: MIT */
#include "amps-embedded-batch.h"

#include "base/amps-error.h"

static gboolean
embedded_batch_apply (AmpsEmbeddedCommand *command, AmpsEmbeddedStore *store,
                      const AmpsEmbeddedLease *lease, const char *dead_letters, gint64 now,
                      GError **error)
{
  if (command->kind == AMPS_EMBEDDED_COMMAND_PUBLISH)
    return amps_embedded_store_publish (store, command->queue, command->body, now, error);

  /* The job may be held again by now, in another epoch. */
  if (command->epoch != lease->epoch)
    return TRUE;

  return amps_embedded_store_settle (store, command->job, lease->owner, &command->settlement,
                                     dead_letters, now, &command->settled, error);
}

/* What is refused for good fails alone: those beside it are not to blame. */
static gboolean
embedded_batch_is_refused (const AmpsEmbeddedCommand *command, const GError *error)
{
  return command->id != 0 && (g_error_matches (error, AMPS_ERROR, AMPS_ERROR_TOO_LARGE) ||
                              g_error_matches (error, AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED));
}

/**
 * amps_embedded_batch_apply:
 * @batch: commands
 * @store: the file, in a transaction
 * @lease: what is held
 * @dead_letters: (nullable): the queue of dead letters; %NULL to discard them
 * @now: µs since 1970
 * @error: return location
 *
 * Returns: whether all is done, but for what is refused for good
 */
gboolean
amps_embedded_batch_apply (GQueue *batch, AmpsEmbeddedStore *store, const AmpsEmbeddedLease *lease,
                           const char *dead_letters, gint64 now, GError **error)
{
  for (GList *l = batch->head; l != NULL; l = l->next)
    {
      AmpsEmbeddedCommand *command = l->data;

      g_clear_error (&command->refusal);
      if (embedded_batch_apply (command, store, lease, dead_letters, now, &command->refusal) ||
          embedded_batch_is_refused (command, command->refusal))
        continue;

      g_propagate_error (error, g_steal_pointer (&command->refusal));
      return FALSE;
    }

  return TRUE;
}

/**
 * amps_embedded_batch_count:
 * @batch: commands that were applied
 * @lease: what is held
 *
 * Takes what was settled off @lease.
 */
void
amps_embedded_batch_count (const GQueue *batch, AmpsEmbeddedLease *lease)
{
  for (const GList *l = batch->head; l != NULL; l = l->next)
    {
      const AmpsEmbeddedCommand *command = l->data;

      if (command->kind != AMPS_EMBEDDED_COMMAND_SETTLE || command->refusal != NULL)
        continue;
      if (command->settled != AMPS_SETTLED_NOT)
        lease->n_held--;
      else if (command->epoch == lease->epoch)
        amps_embedded_lease_doubt (lease);
    }
}

/**
 * amps_embedded_batch_is_news:
 * @batch: commands
 *
 * Returns: whether other processes may want what comes of them, which is so of all
 *   but an acknowledgement
 */
gboolean
amps_embedded_batch_is_news (const GQueue *batch)
{
  for (const GList *l = batch->head; l != NULL; l = l->next)
    {
      const AmpsEmbeddedCommand *command = l->data;

      if (command->kind == AMPS_EMBEDDED_COMMAND_PUBLISH ||
          command->settlement.kind != AMPS_SETTLE_ACKNOWLEDGE)
        return TRUE;
    }

  return FALSE;
}

static void
answer (const AmpsEmbeddedCommand *command, AmpsMailbox *events, GError *error)
{
  AmpsEmbeddedEvent *event = amps_embedded_event_new (AMPS_EMBEDDED_EVENT_DONE, command->id, error);

  event->settled = command->settled;
  amps_mailbox_send (events, &event->mail);
}

/**
 * amps_embedded_batch_answer:
 * @batch: commands that are committed
 * @events: of the main thread
 *
 * Tells those who wait, and empties @batch.
 */
void
amps_embedded_batch_answer (GQueue *batch, AmpsMailbox *events)
{
  AmpsEmbeddedCommand *command;

  while ((command = g_queue_pop_head (batch)) != NULL)
    {
      g_autoptr (GError) error = g_steal_pointer (&command->refusal);

      if (error == NULL && command->kind == AMPS_EMBEDDED_COMMAND_SETTLE &&
          command->settled == AMPS_SETTLED_NOT)
        error =
            g_error_new_literal (AMPS_ERROR, AMPS_ERROR_DETACHED, "the lease on the job had ended");
      if (command->id != 0)
        answer (command, events, g_steal_pointer (&error));
      amps_embedded_command_free (command);
    }
}

/**
 * amps_embedded_batch_fail:
 * @batch: commands that could not be committed
 * @events: of the main thread
 * @error: why
 *
 * Publications are told that they failed. Settlements nobody may forget stay in @batch;
 * those that somebody waits for, he tries again.
 */
void
amps_embedded_batch_fail (GQueue *batch, AmpsMailbox *events, const GError *error)
{
  GList *next;

  for (GList *l = batch->head; l != NULL; l = next)
    {
      AmpsEmbeddedCommand *command = l->data;

      next = l->next;
      if (command->id == 0)
        continue;

      answer (command, events, g_error_copy (error));
      amps_embedded_command_free (command);
      g_queue_delete_link (batch, l);
    }
}
