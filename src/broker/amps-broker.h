/* SPDX-License-Identifier: MIT */
#pragma once

#include "event/amps-trace-headers.h"
#include "jobs/amps-job.h"
#include "jobs/amps-settlement.h"
#include "metrics/amps-queue-depths.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsBrokerState:
 * @AMPS_BROKER_DISCONNECTED: no connection; one is tried for again and again
 * @AMPS_BROKER_CONNECTED: connected; not consuming because nobody asked for it
 * @AMPS_BROKER_WAITING_FOR_QUEUE: connected; the subject does not exist (yet)
 * @AMPS_BROKER_CONSUMING: messages arrive as they come
 */
typedef enum {
  AMPS_BROKER_DISCONNECTED,
  AMPS_BROKER_CONNECTED,
  AMPS_BROKER_WAITING_FOR_QUEUE,
  AMPS_BROKER_CONSUMING,
} AmpsBrokerState;

#define AMPS_TYPE_BROKER (amps_broker_get_type ())
G_DECLARE_DERIVABLE_TYPE (AmpsBroker, amps_broker, AMPS, BROKER, GObject)

/**
 * AmpsBrokerClass:
 * @start: begin to connect, and go on trying until stopped
 * @set_consuming: want messages, or want no more of them; those handed out stay out
 * @set_prefetch: how many deliveries may be unsettled at once
 * @settle_async: say what became of a delivery of the living epoch; the task, which may be
 *   %NULL, returns an AmpsSettled by g_task_return_int()
 * @publish_async: hand in an event, persistent, to the queue named by its type, with a trace
 *   context if there is one and the backend has a place for it
 * @count_messages_async: find out how many messages wait in the subject, among its dead
 *   letters and to be tried again; the task returns an AmpsQueueDepths
 * @stop_async: send what is still to be sent, then disconnect; not to be started again
 * @check_lease: (nullable): if deliveries are leased, end the epoch if its leases are over by
 *   the clock
 * @is_stuck: (nullable): whether a thread of its hangs in a piece of work
 *
 * What a backend does. All are called in the main thread and never block it.
 */
struct _AmpsBrokerClass {
  GObjectClass parent_class;

  void (*start) (AmpsBroker *self);
  void (*set_consuming) (AmpsBroker *self, gboolean consuming);
  void (*set_prefetch) (AmpsBroker *self, unsigned int prefetch);
  void (*settle_async) (AmpsBroker *self, AmpsDelivery *delivery, const AmpsSettlement *settlement,
                        GTask *task);
  void (*publish_async) (AmpsBroker *self, const char *queue, const char *message_id,
                         AmpsTraceHeaders *trace, GBytes *body, GTask *task);
  void (*count_messages_async) (AmpsBroker *self, GTask *task);
  void (*stop_async) (AmpsBroker *self, GTask *task);
  void (*check_lease) (AmpsBroker *self);
  gboolean (*is_stuck) (AmpsBroker *self);

  gpointer padding[8];
};

void amps_broker_start (AmpsBroker *self);
void amps_broker_set_consuming (AmpsBroker *self, gboolean consuming);
gboolean amps_broker_get_consuming (AmpsBroker *self);
void amps_broker_set_prefetch (AmpsBroker *self, unsigned int prefetch);

void amps_broker_settle (AmpsBroker *self, AmpsDelivery *delivery, AmpsSettlementKind kind);
void amps_broker_settle_async (AmpsBroker *self, AmpsDelivery *delivery,
                               const AmpsSettlement *settlement, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
AmpsSettled amps_broker_settle_finish (AmpsBroker *self, GAsyncResult *result, GError **error);

void amps_broker_publish_async (AmpsBroker *self, const char *queue, const char *message_id,
                                AmpsTraceHeaders *trace, GBytes *body, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
gboolean amps_broker_publish_finish (AmpsBroker *self, GAsyncResult *result, GError **error);

void amps_broker_count_messages_async (AmpsBroker *self, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
AmpsQueueDepths *amps_broker_count_messages_finish (AmpsBroker *self, GAsyncResult *result,
                                                    GError **error);

void amps_broker_stop_async (AmpsBroker *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean amps_broker_stop_finish (AmpsBroker *self, GAsyncResult *result, GError **error);

AmpsBrokerState amps_broker_get_state (AmpsBroker *self);
const char *amps_broker_get_state_detail (AmpsBroker *self);
gboolean amps_broker_get_blocked (AmpsBroker *self);
gboolean amps_broker_get_full (AmpsBroker *self);
unsigned int amps_broker_get_epoch (AmpsBroker *self);
gboolean amps_broker_is_alive (AmpsBroker *self, const AmpsDelivery *delivery);
gboolean amps_broker_has_leases (AmpsBroker *self);
gboolean amps_broker_is_leased (AmpsBroker *self, const AmpsDelivery *delivery);
gboolean amps_broker_is_stuck (AmpsBroker *self);

/* For subclasses: the only ways to change what the above tell. */
void amps_broker_begin_epoch (AmpsBroker *self);
void amps_broker_end_epoch (AmpsBroker *self);
void amps_broker_change_state (AmpsBroker *self, AmpsBrokerState state, const char *detail);
void amps_broker_change_full (AmpsBroker *self, gboolean full);
void amps_broker_change_blocked (AmpsBroker *self, gboolean blocked);
void amps_broker_deliver (AmpsBroker *self, AmpsJob *job);

const char *amps_broker_state_to_string (AmpsBrokerState state);

G_END_DECLS
