/* SPDX-License-Identifier: MIT */
#include "amps-broker.h"

#include "base/amps-error.h"
#include "base/amps-log-throttle.h"
#include "base/amps-log.h"

typedef struct {
  AmpsBrokerState state;
  char *state_detail; /* (owned) for people; never a secret */
  gboolean consuming; /* wanted, not reached */
  gboolean blocked;
  gboolean full;
  unsigned int epoch; /* the latest; 0 before the first */
  gboolean epoch_alive;
  AmpsLogThrottle *problems; /* (owned) */
} AmpsBrokerPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (AmpsBroker, amps_broker, G_TYPE_OBJECT)

typedef enum {
  PROP_STATE = 1,
  PROP_BLOCKED,
  PROP_FULL,
  N_PROPS,
} AmpsBrokerProperty;

typedef enum {
  SIGNAL_BEGAN,
  SIGNAL_DELIVERED,
  SIGNAL_LOST,
  N_SIGNALS,
} AmpsBrokerSignal;

static GParamSpec *props[N_PROPS];
static unsigned int signals[N_SIGNALS];

static AmpsBrokerPrivate *
broker_get_private (AmpsBroker *self)
{
  return amps_broker_get_instance_private (self);
}

static void
amps_broker_get_property (GObject *object, unsigned int prop_id, GValue *value, GParamSpec *pspec)
{
  AmpsBroker *self = AMPS_BROKER (object);

  switch ((AmpsBrokerProperty) prop_id)
    {
    case PROP_STATE:
      g_value_set_uint (value, amps_broker_get_state (self));
      break;
    case PROP_BLOCKED:
      g_value_set_boolean (value, amps_broker_get_blocked (self));
      break;
    case PROP_FULL:
      g_value_set_boolean (value, amps_broker_get_full (self));
      break;
    case N_PROPS:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
amps_broker_finalize (GObject *object)
{
  AmpsBrokerPrivate *priv = broker_get_private (AMPS_BROKER (object));

  g_free (priv->state_detail);
  amps_log_throttle_free (priv->problems);

  G_OBJECT_CLASS (amps_broker_parent_class)->finalize (object);
}

static void
amps_broker_class_init (AmpsBrokerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = amps_broker_get_property;
  object_class->finalize = amps_broker_finalize;

  /**
   * AmpsBroker:state:
   *
   * An [enum@Amps.BrokerState]. Notified for a new detail, too.
   */
  props[PROP_STATE] =
      g_param_spec_uint ("state", NULL, NULL, 0, AMPS_BROKER_CONSUMING, AMPS_BROKER_DISCONNECTED,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * AmpsBroker:blocked:
   *
   * Whether the broker takes no publications for now, as in a memory alarm.
   */
  props[PROP_BLOCKED] = g_param_spec_boolean ("blocked", NULL, NULL, FALSE,
                                              G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * AmpsBroker:full:
   *
   * Whether no messages are taken for now, since those that were taken and are still
   * held have MAX_IN_FLIGHT_BYTES.
   */
  props[PROP_FULL] =
      g_param_spec_boolean ("full", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * AmpsBroker::began:
   * @self: a broker
   *
   * Messages can come, and what earlier epochs left unsettled comes again.
   */
  signals[SIGNAL_BEGAN] = g_signal_new ("began", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                        NULL, NULL, NULL, G_TYPE_NONE, 0);
  /**
   * AmpsBroker::delivered:
   * @self: a broker
   * @job: a job, with a problem instead of an event when it is malformed
   *
   * A message came. Whoever takes it must have it settled in the end.
   */
  signals[SIGNAL_DELIVERED] =
      g_signal_new ("delivered", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 1, AMPS_TYPE_JOB);
  /**
   * AmpsBroker::lost:
   * @self: a broker
   * @epoch: the epoch that ended
   *
   * The deliveries of @epoch that are not settled went back to the queue.
   */
  signals[SIGNAL_LOST] = g_signal_new ("lost", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                       NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
amps_broker_init (AmpsBroker *self)
{
  broker_get_private (self)->problems = amps_log_throttle_new ();
}

/**
 * amps_broker_start:
 * @self: a broker
 *
 * Connects, and connects again whenever the connection is lost, until stopped.
 */
void
amps_broker_start (AmpsBroker *self)
{
  g_return_if_fail (AMPS_IS_BROKER (self));

  AMPS_BROKER_GET_CLASS (self)->start (self);
}

/**
 * amps_broker_set_consuming:
 * @self: a broker
 * @consuming: whether messages are wanted
 *
 * Remembered across connections. Deliveries that are out stay valid, and some
 * may still arrive after consuming was stopped.
 */
void
amps_broker_set_consuming (AmpsBroker *self, gboolean consuming)
{
  g_return_if_fail (AMPS_IS_BROKER (self));

  AmpsBrokerPrivate *priv = broker_get_private (self);

  consuming = !!consuming;
  if (priv->consuming == consuming)
    return;

  priv->consuming = consuming;
  AMPS_BROKER_GET_CLASS (self)->set_consuming (self, consuming);
}

/**
 * amps_broker_get_consuming:
 * @self: a broker
 *
 * Returns: whether messages are wanted; for whether they come, see
 *   [method@Amps.Broker.get_state]
 */
gboolean
amps_broker_get_consuming (AmpsBroker *self)
{
  g_return_val_if_fail (AMPS_IS_BROKER (self), FALSE);

  return broker_get_private (self)->consuming;
}

/**
 * amps_broker_set_prefetch:
 * @self: a broker
 * @prefetch: how many deliveries may be unsettled at once, 1 to 65535
 */
void
amps_broker_set_prefetch (AmpsBroker *self, unsigned int prefetch)
{
  g_return_if_fail (AMPS_IS_BROKER (self));
  g_return_if_fail (prefetch > 0 && prefetch <= G_MAXUINT16);

  AMPS_BROKER_GET_CLASS (self)->set_prefetch (self, prefetch);
}

/**
 * amps_broker_settle:
 * @self: a broker
 * @delivery: a delivery of its
 * @kind: %AMPS_SETTLE_ACKNOWLEDGE, %AMPS_SETTLE_REQUEUE or %AMPS_SETTLE_REQUEUE_FAILED
 *
 * Settles @delivery when nothing can be done about a failure: it could only be
 * that the epoch ends first, which [signal@Amps.Broker::lost] tells.
 */
void
amps_broker_settle (AmpsBroker *self, AmpsDelivery *delivery, AmpsSettlementKind kind)
{
  AmpsSettlement settlement = { .kind = kind };

  amps_broker_settle_async (self, delivery, &settlement, NULL, NULL, NULL);
}

/**
 * amps_broker_settle_async:
 * @self: a broker
 * @delivery: a delivery of its
 * @settlement: what to do with it; only read during the call
 * @cancellable: (nullable): stops waiting, not settling
 * @callback: (nullable): called when done
 * @user_data: passed to @callback
 *
 * Settles @delivery. Where a copy is to be made the broker confirms it before
 * the delivery is acknowledged.
 */
void
amps_broker_settle_async (AmpsBroker *self, AmpsDelivery *delivery,
                          const AmpsSettlement *settlement, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (AMPS_IS_BROKER (self));
  g_return_if_fail (delivery != NULL && settlement != NULL);

  if (callback != NULL)
    {
      task = g_task_new (self, cancellable, callback, user_data);
      g_task_set_source_tag (task, amps_broker_settle_async);
    }

  if (amps_broker_is_alive (self, delivery))
    AMPS_BROKER_GET_CLASS (self)->settle_async (self, delivery, settlement,
                                                g_steal_pointer (&task));
  else if (task != NULL)
    g_task_return_new_error (task, AMPS_ERROR, AMPS_ERROR_DETACHED,
                             "the connection that delivered the message has died");
}

/**
 * amps_broker_settle_finish:
 * @self: a broker
 * @result: what the callback got
 * @error: return location
 *
 * Fails with %AMPS_ERROR_DETACHED when the message went back to the queue
 * before it could be settled. With the following ones it is still out, to be
 * settled again: %AMPS_ERROR_UNAVAILABLE when a copy was not confirmed,
 * %AMPS_ERROR_UNROUTABLE when no queue takes it, and %AMPS_ERROR_NOT_PERMITTED
 * when the queue for it may not be declared, or does not take it, or when AMPS may
 * not publish. %AMPS_ERROR_TOO_LARGE is of a dead letter that the broker refuses for
 * its size.
 *
 * Returns: what was done; %AMPS_SETTLED_NOT with @error set
 */
AmpsSettled
amps_broker_settle_finish (AmpsBroker *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), AMPS_SETTLED_NOT);

  gssize settled = g_task_propagate_int (G_TASK (result), error);

  return settled >= 0 ? (AmpsSettled) settled : AMPS_SETTLED_NOT;
}

/**
 * amps_broker_get_state:
 * @self: a broker
 *
 * Returns: how far it is
 */
AmpsBrokerState
amps_broker_get_state (AmpsBroker *self)
{
  g_return_val_if_fail (AMPS_IS_BROKER (self), AMPS_BROKER_DISCONNECTED);

  return broker_get_private (self)->state;
}

/**
 * amps_broker_get_state_detail:
 * @self: a broker
 *
 * Returns: (nullable): why it is no further, and what to do about it
 */
const char *
amps_broker_get_state_detail (AmpsBroker *self)
{
  g_return_val_if_fail (AMPS_IS_BROKER (self), NULL);

  return broker_get_private (self)->state_detail;
}

/**
 * amps_broker_get_blocked:
 * @self: a broker
 *
 * Returns: whether the broker takes no publications for now
 */
gboolean
amps_broker_get_blocked (AmpsBroker *self)
{
  g_return_val_if_fail (AMPS_IS_BROKER (self), FALSE);

  return broker_get_private (self)->blocked;
}

/**
 * amps_broker_get_full:
 * @self: a broker
 *
 * Returns: whether no messages are taken for now, since there is no room for them
 */
gboolean
amps_broker_get_full (AmpsBroker *self)
{
  g_return_val_if_fail (AMPS_IS_BROKER (self), FALSE);

  return broker_get_private (self)->full;
}

/**
 * amps_broker_get_epoch:
 * @self: a broker
 *
 * Returns: the latest generation of the consuming connection, 0 before the first
 */
unsigned int
amps_broker_get_epoch (AmpsBroker *self)
{
  g_return_val_if_fail (AMPS_IS_BROKER (self), 0);

  return broker_get_private (self)->epoch;
}

/**
 * amps_broker_is_alive:
 * @self: a broker
 * @delivery: a delivery of its
 *
 * Returns: whether @delivery can still be settled
 */
gboolean
amps_broker_is_alive (AmpsBroker *self, const AmpsDelivery *delivery)
{
  g_return_val_if_fail (AMPS_IS_BROKER (self), FALSE);

  AmpsBrokerPrivate *priv = broker_get_private (self);

  return priv->epoch_alive && delivery->epoch == priv->epoch;
}

/**
 * amps_broker_is_stuck:
 * @self: a broker
 *
 * A broker that is away, or slow, is no reason.
 *
 * Returns: whether a thread has been in one piece of work for longer than it can last,
 *   and so may never go on
 */
gboolean
amps_broker_is_stuck (AmpsBroker *self)
{
  g_return_val_if_fail (AMPS_IS_BROKER (self), FALSE);

  AmpsBrokerClass *klass = AMPS_BROKER_GET_CLASS (self);

  return klass->is_stuck != NULL && klass->is_stuck (self);
}

/**
 * amps_broker_begin_epoch: (skip)
 * @self: a broker
 *
 * For backends: deliveries can come, and only those of this epoch be settled.
 */
void
amps_broker_begin_epoch (AmpsBroker *self)
{
  AmpsBrokerPrivate *priv = broker_get_private (self);

  g_return_if_fail (AMPS_IS_BROKER (self));

  amps_broker_end_epoch (self);
  priv->epoch_alive = TRUE;
  priv->epoch++;
  g_signal_emit (self, signals[SIGNAL_BEGAN], 0);
}

/**
 * amps_broker_end_epoch: (skip)
 * @self: a broker
 *
 * For backends: what was delivered and not settled went back to the queue.
 */
void
amps_broker_end_epoch (AmpsBroker *self)
{
  AmpsBrokerPrivate *priv = broker_get_private (self);

  g_return_if_fail (AMPS_IS_BROKER (self));

  if (!priv->epoch_alive)
    return;

  priv->epoch_alive = FALSE;
  g_signal_emit (self, signals[SIGNAL_LOST], 0, priv->epoch);
}

/* Each try that fails comes here, so that it is counted. */
static void
broker_log_problem (AmpsBrokerPrivate *priv, const char *what, const char *detail)
{
  g_autofree char *text = amps_log_throttle_note (priv->problems, detail, g_get_monotonic_time ());

  if (text != NULL)
    amps_log (WARNING, BROKER_FAILED, "Broker %s: %s", what, text);
}

static void
log_change (AmpsBrokerPrivate *priv, AmpsBrokerState state, const char *detail)
{
  if (priv->state == AMPS_BROKER_DISCONNECTED && state != AMPS_BROKER_DISCONNECTED)
    amps_log (INFO, BROKER_CONNECTED, "Broker connected");

  if (detail != NULL)
    broker_log_problem (
        priv, state == AMPS_BROKER_CONNECTED ? "problem" : amps_broker_state_to_string (state),
        detail);
  else if (state == AMPS_BROKER_CONSUMING || state == AMPS_BROKER_DISCONNECTED)
    amps_log (INFO, BROKER_STATE, "Broker %s", amps_broker_state_to_string (state));

  /* A connection alone may be one that ends for the same reason as the last one. */
  if (state == AMPS_BROKER_CONSUMING || (state == AMPS_BROKER_CONNECTED && !priv->consuming))
    amps_log_throttle_end (priv->problems);
}

/**
 * amps_broker_change_state: (skip)
 * @self: a broker
 * @state: what it is now
 * @detail: (nullable): why, for people; never a secret
 *
 * For backends, after each try. Logs the change, or now and then that there is none.
 */
void
amps_broker_change_state (AmpsBroker *self, AmpsBrokerState state, const char *detail)
{
  AmpsBrokerPrivate *priv = broker_get_private (self);
  gboolean changed;

  g_return_if_fail (AMPS_IS_BROKER (self));

  changed = priv->state != state || g_strcmp0 (priv->state_detail, detail) != 0;
  if (changed || detail != NULL)
    log_change (priv, state, detail);
  if (!changed)
    return;

  priv->state = state;
  g_free (priv->state_detail);
  priv->state_detail = g_strdup (detail);

  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
}

/**
 * amps_broker_change_blocked: (skip)
 * @self: a broker
 * @blocked: whether the broker takes no publications for now
 *
 * For backends.
 */
void
amps_broker_change_blocked (AmpsBroker *self, gboolean blocked)
{
  AmpsBrokerPrivate *priv = broker_get_private (self);

  g_return_if_fail (AMPS_IS_BROKER (self));

  blocked = !!blocked;
  if (priv->blocked == blocked)
    return;

  priv->blocked = blocked;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_BLOCKED]);
}

/**
 * amps_broker_change_full: (skip)
 * @self: a broker
 * @full: whether no messages are taken for now, since there is no room for them
 *
 * For backends.
 */
void
amps_broker_change_full (AmpsBroker *self, gboolean full)
{
  AmpsBrokerPrivate *priv = broker_get_private (self);

  g_return_if_fail (AMPS_IS_BROKER (self));

  full = !!full;
  if (priv->full == full)
    return;

  priv->full = full;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_FULL]);
}

/**
 * amps_broker_deliver: (skip)
 * @self: a broker
 * @job: a job of the living epoch
 *
 * For backends: hands @job to whoever listens.
 */
void
amps_broker_deliver (AmpsBroker *self, AmpsJob *job)
{
  g_return_if_fail (AMPS_IS_BROKER (self));
  g_return_if_fail (AMPS_IS_JOB (job));

  g_signal_emit (self, signals[SIGNAL_DELIVERED], 0, job);
}
