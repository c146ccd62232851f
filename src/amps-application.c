/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-application.h"

#include "amps-descriptor-limit.h"
#include "amps-service-manager.h"
#include "amps-signals.h"
#include "base/amps-log.h"
#include "broker/amps-broker-factory.h"
#include "dbus/amps-dbus-service.h"
#include "delivery/amps-dispatcher.h"
#include "delivery/amps-queue-gauge.h"
#include "sentry/amps-sentry.h"
#include "server/amps-server.h"

#include <glib-unix.h>
#include <signal.h>

/* How many jobs are remembered after their end, so that calls can be repeated, and enough
 * for all that one connection can have in doubt. */
#define MIN_REMEMBERED 10000

/* Descriptors beside those of the jobs: the API's connections and what else is open. */
#define OTHER_DESCRIPTORS 1200

/* How long the broker may take for the last settlements. */
#define FLUSH_TIMEOUT AMPS_SECONDS (5)

/* How long it may take to close what is open then, even if it hangs. */
#define CLOSE_TIMEOUT AMPS_SECONDS (10)

/* How long Sentry may take for the last reports. */
#define REPORT_TIMEOUT AMPS_SECONDS (2)

struct _AmpsApplication {
  GObject parent_instance;

  AmpsConfig *config;          /* (owned) */
  AmpsClock *clock;            /* (owned) */
  AmpsMetrics *metrics;        /* (owned) */
  AmpsSentry *sentry;          /* (owned) (nullable) without SENTRY_DSN */
  AmpsManifest *manifest;      /* (owned) */
  AmpsTracer *tracer;          /* (owned) (nullable) without traces */
  AmpsBroker *broker;          /* (owned) */
  AmpsWorkload *workload;      /* (owned) */
  AmpsDispatcher *dispatcher;  /* (owned) */
  AmpsLifecycle *lifecycle;    /* (owned) */
  AmpsServer *server;          /* (owned) */
  AmpsQueueGauge *queues;      /* (owned) (nullable) without metrics */
  AmpsDBusService *service;    /* (owned) (nullable) without D-Bus */
  AmpsServiceManager *manager; /* (owned) */
  GMainLoop *loop;             /* (owned) */

  GSource *drain_deadline; /* (owned) when jobs in flight are given back */
  GSource *flush_deadline; /* (owned) when the broker is left, whatever it was not told */
};

G_DEFINE_FINAL_TYPE (AmpsApplication, amps_application, G_TYPE_OBJECT)

static void
amps_application_finalize (GObject *object)
{
  AmpsApplication *self = AMPS_APPLICATION (object);

  amps_timer_free (self->drain_deadline);
  amps_timer_free (self->flush_deadline);
  g_clear_object (&self->manager);
  g_clear_object (&self->service);
  g_clear_object (&self->queues);
  g_clear_object (&self->server);
  g_clear_object (&self->dispatcher);
  g_clear_object (&self->lifecycle);
  g_clear_object (&self->workload);
  g_clear_object (&self->broker);
  g_clear_object (&self->tracer);
  g_clear_object (&self->manifest);
  /* Only now nobody else logs anything. */
  if (self->sentry != NULL)
    amps_sentry_flush (self->sentry, REPORT_TIMEOUT);
  g_clear_object (&self->sentry);
  g_clear_object (&self->metrics);
  g_clear_object (&self->clock);
  g_clear_object (&self->config);
  g_main_loop_unref (self->loop);

  G_OBJECT_CLASS (amps_application_parent_class)->finalize (object);
}

static void
amps_application_class_init (AmpsApplicationClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_application_finalize;
}

static void
amps_application_init (AmpsApplication *self)
{
  self->loop = g_main_loop_new (NULL, FALSE);
}

/* Shutdown: drain, give back the rest, flush, close. */

static void
on_flushed (GObject *source G_GNUC_UNUSED, GAsyncResult *result G_GNUC_UNUSED, gpointer user_data)
{
  g_autoptr (AmpsApplication) self = AMPS_APPLICATION (user_data);

  g_main_loop_quit (self->loop);
}

static void
on_broker_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (AmpsApplication) self = AMPS_APPLICATION (user_data);
  g_autoptr (GError) error = NULL;

  if (!amps_broker_stop_finish (AMPS_BROKER (source), result, &error))
    amps_log (WARNING, FLUSH_FAILED, "Not everything was written to the broker: %s",
              error->message);

  if (self->tracer != NULL)
    amps_tracer_flush_async (self->tracer, on_flushed, g_object_ref (self));
  else
    g_main_loop_quit (self->loop);
}

static void
close_broker (AmpsApplication *self)
{
  if (!amps_lifecycle_end (self->lifecycle))
    return;

  if (self->queues != NULL)
    g_object_run_dispose (G_OBJECT (self->queues));
  amps_timer_set_due (self->drain_deadline, -1);
  amps_timer_set_due (self->flush_deadline, -1);
  amps_broker_stop_async (self->broker, NULL, on_broker_stopped, g_object_ref (self));
}

static void
release_rest (AmpsApplication *self)
{
  amps_timer_set_due (self->drain_deadline, -1);
  amps_timer_set_due (self->flush_deadline,
                      amps_clock_get_monotonic_time (self->clock) + FLUSH_TIMEOUT);
  amps_lifecycle_hurry (self->lifecycle);
  if (amps_dispatcher_is_empty (self->dispatcher))
    close_broker (self);
}

static gboolean
on_drain_deadline (gpointer user_data)
{
  AmpsApplication *self = AMPS_APPLICATION (user_data);

  amps_log (WARNING, DRAIN_TIMEOUT, "DRAIN_TIMEOUT is over: giving back %u jobs",
            amps_manifest_get_n_jobs (self->manifest));
  release_rest (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_flush_deadline (gpointer user_data)
{
  AmpsApplication *self = AMPS_APPLICATION (user_data);

  amps_log (WARNING, JOBS_UNSETTLED, "%u jobs could not be settled; the broker redelivers them",
            amps_manifest_get_n_jobs (self->manifest));
  close_broker (self);
  return G_SOURCE_CONTINUE;
}

static void
on_emptied (AmpsDispatcher *dispatcher G_GNUC_UNUSED, AmpsApplication *self)
{
  if (amps_lifecycle_is_stopping (self->lifecycle))
    close_broker (self);
}

static gboolean
on_stop_signal (gpointer user_data)
{
  AmpsApplication *self = AMPS_APPLICATION (user_data);

  if (amps_lifecycle_is_stopping (self->lifecycle))
    {
      amps_log (INFO, STOPPING_AT_ONCE, "A second signal: giving back all jobs");
      release_rest (self);
      return G_SOURCE_CONTINUE;
    }

  amps_log (INFO, STOPPING, "Stopping");
  amps_service_manager_stop (self->manager, amps_config_get_drain_timeout (self->config) +
                                                FLUSH_TIMEOUT + CLOSE_TIMEOUT + REPORT_TIMEOUT);
  amps_timer_set_due (self->drain_deadline, amps_clock_get_monotonic_time (self->clock) +
                                                amps_config_get_drain_timeout (self->config));
  amps_lifecycle_stop (self->lifecycle);
  if (amps_dispatcher_is_empty (self->dispatcher))
    close_broker (self);

  return G_SOURCE_CONTINUE;
}

static gboolean
on_reload_signal (gpointer user_data)
{
  AmpsApplication *self = AMPS_APPLICATION (user_data);
  g_autoptr (GError) error = NULL;

  amps_service_manager_begin_reload (self->manager);
  if (amps_config_reload_secrets (self->config, &error))
    amps_log (INFO, SECRETS_READ, "Read the secrets again");
  else
    amps_log (WARNING, SECRETS_KEPT, "Kept the old secrets: %s", error->message);
  amps_service_manager_end_reload (self->manager);

  return G_SOURCE_CONTINUE;
}

static AmpsDeadLetters *
create_dead_letters (gpointer user_data, GError **error)
{
  AmpsApplication *self = AMPS_APPLICATION (user_data);

  return amps_broker_factory_create_dead_letters (self->config, self->clock, error);
}

/**
 * amps_application_new:
 * @config: the settings
 *
 * Returns: (transfer full): AMPS, put together but not started
 */
AmpsApplication *
amps_application_new (AmpsConfig *config)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);

  AmpsApplication *self = g_object_new (AMPS_TYPE_APPLICATION, NULL);
  g_auto (GStrv) environment = g_get_environ ();
  unsigned int remembered = MAX (MIN_REMEMBERED, 2 * amps_config_get_max_concurrency (config));

  self->config = g_object_ref (config);
  self->clock = amps_clock_new ();
  self->metrics = amps_metrics_new ();
  if (amps_config_get_sentry_dsn (config) != NULL)
    self->sentry = amps_sentry_new (config, self->clock, self->metrics);
  self->manifest = amps_manifest_new (self->clock, remembered);
  self->broker = amps_broker_factory_create (config, self->clock);
  self->tracer = amps_tracer_new (config, self->clock, self->metrics);
  self->workload = amps_workload_new (config, self->clock, self->metrics);
  self->dispatcher = amps_dispatcher_new (config, self->clock, self->broker, self->workload,
                                          self->manifest, self->metrics, self->tracer);
  self->lifecycle = g_object_ref (amps_dispatcher_get_lifecycle (self->dispatcher));
  self->server = amps_server_new (config, self->clock, self->dispatcher, self->metrics);
  amps_server_offer_dead_letters (self->server, create_dead_letters, self);
  if (amps_config_get_metrics_enabled (config))
    self->queues = amps_queue_gauge_new (self->clock, self->broker, self->metrics);
  if (!g_str_equal (amps_config_get_dbus_bus (config), "none"))
    self->service = amps_dbus_service_new (config, self->clock, self->dispatcher, self->metrics);
  self->manager =
      amps_service_manager_new ((const char *const *) environment, self->clock, self->dispatcher);

  self->drain_deadline = amps_clock_attach_timer (self->clock, "drain", on_drain_deadline, self);
  self->flush_deadline = amps_clock_attach_timer (self->clock, "flush", on_flush_deadline, self);
  g_signal_connect_object (self->dispatcher, "emptied", G_CALLBACK (on_emptied), self, 0);
  return self;
}

/* Each job may hold a connection to the workload, and eight of those a context. */
static void
prepare_descriptors (AmpsApplication *self)
{
  guint64 limit = amps_descriptor_limit_raise_limit ();
  guint64 n_jobs = amps_config_get_max_concurrency (self->config);
  guint64 needed = n_jobs + n_jobs / 4 + OTHER_DESCRIPTORS;

  if (limit < needed)
    amps_log (WARNING, FILE_LIMIT_LOW,
              "Only %" G_GUINT64_FORMAT " files and connections may be open at once, and "
              "MAX_CONCURRENCY=%u may need %" G_GUINT64_FORMAT ": raise the hard limit "
              "(ulimit -Hn, LimitNOFILE=, --ulimit nofile=) or lower MAX_CONCURRENCY",
              limit, amps_config_get_max_concurrency (self->config), needed);
}

static void
log_settings (AmpsApplication *self)
{
  g_autofree char *settings = amps_config_summarise (self->config);
  g_autofree char *text =
      g_strdup_printf ("AMPS %s starts with these settings:%s", AMPS_VERSION, settings);
  const char *const *warnings = amps_config_get_warnings (self->config);

  amps_log_lines (INFO, SETTINGS, text);
  for (; *warnings != NULL; warnings++)
    amps_log (WARNING, SETTING_WARNING, "%s", *warnings);
}

/**
 * amps_application_run:
 * @self: an application
 * @error: return location
 *
 * Serves until a signal ends it. Signals are to be held before, by amps_signals_hold(),
 * and are held after.
 *
 * Returns: whether it could start
 */
gboolean
amps_application_run (AmpsApplication *self, GError **error)
{
  unsigned int sources[] = {
    g_unix_signal_add (SIGTERM, on_stop_signal, self),
    g_unix_signal_add (SIGINT, on_stop_signal, self),
    g_unix_signal_add (SIGHUP, on_reload_signal, self),
  };
  gboolean started = amps_server_start (self->server, error);

  amps_signals_let_through ();
  log_settings (self);
  prepare_descriptors (self);
  if (started)
    {
      amps_dispatcher_start (self->dispatcher);
      if (self->service != NULL)
        amps_dbus_service_start (self->service);
      amps_service_manager_start (self->manager);
      g_main_loop_run (self->loop);
      amps_server_stop (self->server);
    }

  /* One that comes after the handlers are gone must not end the process as if it had failed. */
  amps_signals_hold ();
  for (unsigned int i = 0; i < G_N_ELEMENTS (sources); i++)
    g_source_remove (sources[i]);
  return started;
}
