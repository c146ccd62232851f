/* SPDX-License-Identifier: MIT */
#include "amps-dispatcher.h"

#include "amps-lost-jobs.h"
#include "amps-receiver.h"
#include "amps-releaser.h"
#include "amps-sender.h"
#include "amps-settler.h"
#include "base/amps-error.h"
#include "base/amps-log.h"

struct _AmpsDispatcher {
  GObject parent_instance;

  AmpsConfig *config;       /* (owned) */
  AmpsClock *clock;         /* (owned) */
  AmpsBroker *broker;       /* (owned) */
  AmpsWorkload *workload;   /* (owned) */
  AmpsManifest *manifest;   /* (owned) */
  AmpsMetrics *metrics;     /* (owned) */
  AmpsLifecycle *lifecycle; /* (owned) */
  AmpsRefusals *refusals;   /* (owned) */
  AmpsSender *sender;       /* (owned) */
  AmpsSettler *settler;     /* (owned) */
  AmpsPublisher *publisher; /* (owned) */
  AmpsDecider *decider;     /* (owned) */
  AmpsReceiver *receiver;   /* (owned) */

  AmpsReleaser *releaser; /* (owned) */
  AmpsLostJobs *lost;     /* (owned) (nullable) */
  AmpsConsumerGate *gate; /* (owned) */
};

G_DEFINE_FINAL_TYPE (AmpsDispatcher, amps_dispatcher, G_TYPE_OBJECT)

typedef enum {
  SIGNAL_EMPTIED,
  N_SIGNALS,
} AmpsDispatcherSignal;

static unsigned int signals[N_SIGNALS];

static void
amps_dispatcher_dispose (GObject *object)
{
  AmpsDispatcher *self = AMPS_DISPATCHER (object);

  if (self->sender != NULL)
    g_object_run_dispose (G_OBJECT (self->sender));
  g_clear_object (&self->lost);
  g_clear_object (&self->releaser);
  g_clear_object (&self->receiver);
  g_clear_object (&self->gate);
  g_clear_object (&self->decider);
  g_clear_object (&self->sender);
  g_clear_object (&self->settler);
  g_clear_object (&self->publisher);

  G_OBJECT_CLASS (amps_dispatcher_parent_class)->dispose (object);
}

static void
amps_dispatcher_finalize (GObject *object)
{
  AmpsDispatcher *self = AMPS_DISPATCHER (object);

  g_object_unref (self->refusals);
  g_object_unref (self->lifecycle);
  g_object_unref (self->metrics);
  g_object_unref (self->manifest);
  g_object_unref (self->workload);
  g_object_unref (self->broker);
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_dispatcher_parent_class)->finalize (object);
}

static void
amps_dispatcher_class_init (AmpsDispatcherClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = amps_dispatcher_dispose;
  object_class->finalize = amps_dispatcher_finalize;

  /**
   * AmpsDispatcher::emptied:
   * @self: a dispatcher
   *
   * The last job in flight has ended, and all settlements are confirmed.
   */
  signals[SIGNAL_EMPTIED] = g_signal_new ("emptied", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
amps_dispatcher_init (AmpsDispatcher *self G_GNUC_UNUSED)
{
}

static void
dispatcher_on_finished (AmpsSettler *settler G_GNUC_UNUSED, AmpsJob *job G_GNUC_UNUSED,
                        AmpsJob *next G_GNUC_UNUSED, AmpsDispatcher *self)
{
  if (amps_dispatcher_is_empty (self))
    g_signal_emit (self, signals[SIGNAL_EMPTIED], 0);
}

/* Before anything is given back. */
static void
dispatcher_on_state_changed (AmpsDispatcher *self)
{
  if (amps_lifecycle_is_draining (self->lifecycle))
    amps_log (INFO, DRAINING, "Draining: %u jobs in flight",
              amps_manifest_get_n_jobs (self->manifest));
}

static void
on_problem (AmpsSettler *settler, GParamSpec *pspec G_GNUC_UNUSED, AmpsDispatcher *self)
{
  amps_consumer_gate_set_problem (self->gate, amps_settler_get_problem (settler));
}

/**
 * amps_dispatcher_new:
 * @config: the settings
 * @clock: what time is measured by
 * @broker: where jobs come from, and are settled
 * @workload: where they are sent
 * @manifest: where they are meanwhile
 * @metrics: what counts them
 * @tracer: (nullable): who records what happens to them
 *
 * Returns: (transfer full): a dispatcher that has not begun yet
 */
AmpsDispatcher *
amps_dispatcher_new (AmpsConfig *config, AmpsClock *clock, AmpsBroker *broker,
                     AmpsWorkload *workload, AmpsManifest *manifest, AmpsMetrics *metrics,
                     AmpsTracer *tracer)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_BROKER (broker), NULL);
  g_return_val_if_fail (AMPS_IS_WORKLOAD (workload), NULL);
  g_return_val_if_fail (AMPS_IS_MANIFEST (manifest), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);
  g_return_val_if_fail (tracer == NULL || AMPS_IS_TRACER (tracer), NULL);

  AmpsDispatcher *self = g_object_new (AMPS_TYPE_DISPATCHER, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->broker = g_object_ref (broker);
  self->workload = g_object_ref (workload);
  self->manifest = g_object_ref (manifest);
  self->metrics = g_object_ref (metrics);
  amps_manifest_set_timeouts (manifest, amps_config_get_job_timeout (config),
                              amps_config_get_heartbeat_timeout (config));
  self->lifecycle = amps_lifecycle_new ();
  self->refusals = amps_refusals_new (config, clock, workload);
  self->gate = amps_consumer_gate_new (broker, workload, metrics, self->lifecycle, self->refusals);
  self->sender = amps_sender_new (config, clock, workload, manifest, metrics, self->lifecycle,
                                  self->refusals, tracer);
  self->settler = amps_settler_new (clock, broker, manifest, metrics, self->lifecycle);
  self->publisher = amps_publisher_new (config, broker, metrics, tracer);
  self->decider =
      amps_decider_new (config, clock, broker, manifest, metrics, self->sender, self->settler,
                        self->publisher, self->lifecycle, self->refusals, tracer);

  self->receiver = amps_receiver_new (config, clock, broker, manifest, metrics, self->sender,
                                      self->settler, self->lifecycle);
  self->releaser =
      amps_releaser_new (clock, workload, manifest, self->sender, self->decider, self->lifecycle);

  if (amps_config_get_workload_restart (config) == AMPS_WORKLOAD_RESTART_EXPIRE)
    self->lost = amps_lost_jobs_new (clock, workload, manifest, self->decider);

  g_signal_connect_object (self->settler, "finished", G_CALLBACK (dispatcher_on_finished), self,
                           G_CONNECT_AFTER);
  g_signal_connect_object (self->settler, "notify::problem", G_CALLBACK (on_problem), self, 0);
  g_signal_connect_object (self->lifecycle, "notify::state",
                           G_CALLBACK (dispatcher_on_state_changed), self, G_CONNECT_SWAPPED);
  return self;
}

/**
 * amps_dispatcher_start:
 * @self: a dispatcher
 *
 * Connects to both sides and takes jobs.
 */
void
amps_dispatcher_start (AmpsDispatcher *self)
{
  amps_metrics_set_gauge (self->metrics, AMPS_GAUGE_CONCURRENCY_LIMIT,
                          amps_config_get_max_concurrency (self->config));
  amps_workload_start (self->workload);
  amps_broker_start (self->broker);
}

/**
 * amps_dispatcher_set_max_concurrency:
 * @self: a dispatcher
 * @max_concurrency: how many jobs may be in the workload, 1 to 65535
 *
 * Takes effect at once; no job is given back for it.
 */
void
amps_dispatcher_set_max_concurrency (AmpsDispatcher *self, unsigned int max_concurrency)
{
  amps_metrics_set_gauge (self->metrics, AMPS_GAUGE_CONCURRENCY_LIMIT, max_concurrency);
  amps_broker_set_prefetch (self->broker, max_concurrency);
  amps_sender_set_max_concurrency (self->sender, max_concurrency);
}

/**
 * amps_dispatcher_is_empty:
 * @self: a dispatcher
 *
 * Returns: whether no job is in flight, and no dead letter of what is no job
 */
gboolean
amps_dispatcher_is_empty (AmpsDispatcher *self)
{
  return amps_manifest_get_n_jobs (self->manifest) == 0 &&
         amps_settler_get_n_pending (self->settler) == 0;
}

/**
 * amps_dispatcher_get_lifecycle:
 * @self: a dispatcher
 *
 * Returns: (transfer none): what pauses, drains and stops it
 */
AmpsLifecycle *
amps_dispatcher_get_lifecycle (AmpsDispatcher *self)
{
  return self->lifecycle;
}

/**
 * amps_dispatcher_get_gate:
 * @self: a dispatcher
 *
 * Returns: (transfer none): what knows whether messages are taken, and why not
 */
AmpsConsumerGate *
amps_dispatcher_get_gate (AmpsDispatcher *self)
{
  return self->gate;
}

/**
 * amps_dispatcher_get_decider:
 * @self: a dispatcher
 *
 * Returns: (transfer none): what decides jobs, for whoever calls the API
 */
AmpsDecider *
amps_dispatcher_get_decider (AmpsDispatcher *self)
{
  return self->decider;
}

/**
 * amps_dispatcher_get_publisher:
 * @self: a dispatcher
 *
 * Returns: (transfer none): what publishes events
 */
AmpsPublisher *
amps_dispatcher_get_publisher (AmpsDispatcher *self)
{
  return self->publisher;
}

/**
 * amps_dispatcher_get_workload:
 * @self: a dispatcher
 *
 * Returns: (transfer none): where it sends jobs
 */
AmpsWorkload *
amps_dispatcher_get_workload (AmpsDispatcher *self)
{
  return self->workload;
}

/**
 * amps_dispatcher_get_manifest:
 * @self: a dispatcher
 *
 * Returns: (transfer none): the jobs in flight
 */
AmpsManifest *
amps_dispatcher_get_manifest (AmpsDispatcher *self)
{
  return self->manifest;
}

/**
 * amps_dispatcher_get_broker:
 * @self: a dispatcher
 *
 * Returns: (transfer none): where jobs come from
 */
AmpsBroker *
amps_dispatcher_get_broker (AmpsDispatcher *self)
{
  return self->broker;
}
