/* SPDX-License-Identifier: MIT */
#include "amps-broker.h"

/* What a broker is asked for, beside settling its deliveries. */

/**
 * amps_broker_publish_async:
 * @self: a broker
 * @queue: the queue that shall get the event, at most 255 bytes
 * @message_id: (nullable): the event's id
 * @trace: (nullable): the trace context that goes with it
 * @body: the event
 * @cancellable: (nullable): stops waiting, not publishing
 * @callback: called when the broker has confirmed it, or it failed
 * @user_data: passed to @callback
 */
void
amps_broker_publish_async (AmpsBroker *self, const char *queue, const char *message_id,
                           AmpsTraceHeaders *trace, GBytes *body, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (AMPS_IS_BROKER (self));
  g_return_if_fail (queue != NULL && body != NULL);

  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, amps_broker_publish_async);
  AMPS_BROKER_GET_CLASS (self)->publish_async (self, queue, message_id, trace, body, task);
}

/**
 * amps_broker_publish_finish:
 * @self: a broker
 * @result: what the callback got
 * @error: return location: %AMPS_ERROR_UNROUTABLE, %AMPS_ERROR_NOT_PERMITTED or
 *   %AMPS_ERROR_TOO_LARGE if the broker refuses it for good, else
 *   %AMPS_ERROR_UNAVAILABLE; with that it may have been published nevertheless
 *
 * Returns: whether the event is safe with the broker
 */
gboolean
amps_broker_publish_finish (AmpsBroker *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * amps_broker_count_messages_async:
 * @self: a broker
 * @cancellable: (nullable): stops waiting
 * @callback: called when they are counted, or it failed
 * @user_data: passed to @callback
 *
 * Counts the messages that wait: those of the subject and those among its dead letters
 * that are ready under the names of these queues, and those that are to be tried again
 * later under the subject's name and `.retry`.
 */
void
amps_broker_count_messages_async (AmpsBroker *self, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (AMPS_IS_BROKER (self));

  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, amps_broker_count_messages_async);
  AMPS_BROKER_GET_CLASS (self)->count_messages_async (self, task);
}

/**
 * amps_broker_count_messages_finish:
 * @self: a broker
 * @result: what the callback got
 * @error: return location: %AMPS_ERROR_UNAVAILABLE
 *
 * Returns: (transfer full) (nullable): how many there are
 */
AmpsQueueDepths *
amps_broker_count_messages_finish (AmpsBroker *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * amps_broker_stop_async:
 * @self: a broker
 * @cancellable: (nullable): stops waiting
 * @callback: called when all is sent and closed
 * @user_data: passed to @callback
 *
 * Sends what is still to be sent and disconnects. What is unsettled goes back
 * to the queue. A stopped broker stays stopped.
 */
void
amps_broker_stop_async (AmpsBroker *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_return_if_fail (AMPS_IS_BROKER (self));

  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, amps_broker_stop_async);
  AMPS_BROKER_GET_CLASS (self)->stop_async (self, task);
}

/**
 * amps_broker_stop_finish:
 * @self: a broker
 * @result: what the callback got
 * @error: return location
 *
 * Returns: whether all that was to be sent had been sent
 */
gboolean
amps_broker_stop_finish (AmpsBroker *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
