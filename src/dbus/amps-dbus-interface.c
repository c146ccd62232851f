/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-dbus-interface.h"

#include "amps-dbus-access.h"
#include "base/amps-error.h"
#include "base/amps-log.h"

#define PATH "/io/github/hotellistat/Amps1"
#define PROPERTIES "org.freedesktop.DBus.Properties"

#define CHANGES_INTERVAL AMPS_SECONDS (1)

struct _AmpsDBusInterface {
  AmpsDBusAmps1Skeleton parent_instance;

  AmpsConfig *config;         /* (owned) */
  AmpsClock *clock;           /* (owned) */
  AmpsDispatcher *dispatcher; /* (owned) */
  AmpsMetrics *metrics;       /* (owned) */
  GHashTable *told;           /* (owned) name → (owned) GVariant, as others know it */
  GSource *changes;           /* (owned) timer */
};

G_DEFINE_FINAL_TYPE (AmpsDBusInterface, amps_dbus_interface, AMPS_DBUS_TYPE_AMPS1_SKELETON)

/* Properties */

static GVariant *
get_version (AmpsDBusInterface *self G_GNUC_UNUSED)
{
  return g_variant_new_string (AMPS_VERSION);
}

static GVariant *
get_worker_id (AmpsDBusInterface *self)
{
  return g_variant_new_string (amps_config_get_worker_id (self->config));
}

static GVariant *
get_subject (AmpsDBusInterface *self)
{
  return g_variant_new_string (amps_config_get_subject (self->config));
}

static GVariant *
dbus_interface_get_state (AmpsDBusInterface *self)
{
  AmpsLifecycle *lifecycle = amps_dispatcher_get_lifecycle (self->dispatcher);

  return g_variant_new_string (amps_lifecycle_get_state (lifecycle));
}

static GVariant *
dbus_interface_get_obstacles (AmpsDBusInterface *self)
{
  AmpsConsumerGate *gate = amps_dispatcher_get_gate (self->dispatcher);
  g_auto (GStrv) obstacles = amps_consumer_gate_dup_obstacles (gate);

  return g_variant_new_strv ((const char *const *) obstacles, -1);
}

static GVariant *
get_broker_state (AmpsDBusInterface *self)
{
  AmpsBroker *broker = amps_dispatcher_get_broker (self->dispatcher);

  return g_variant_new_string (amps_broker_state_to_string (amps_broker_get_state (broker)));
}

static GVariant *
dbus_interface_get_workload_state (AmpsDBusInterface *self)
{
  AmpsWorkload *workload = amps_dispatcher_get_workload (self->dispatcher);

  return g_variant_new_string (amps_workload_get_available (workload) ? "available"
                                                                      : "unavailable");
}

static GVariant *
get_max_concurrency (AmpsDBusInterface *self)
{
  double limit = amps_metrics_get_gauge (self->metrics, AMPS_GAUGE_CONCURRENCY_LIMIT);

  return g_variant_new_uint32 ((guint32) limit);
}

static GVariant *
get_jobs_in_flight (AmpsDBusInterface *self)
{
  AmpsManifest *manifest = amps_dispatcher_get_manifest (self->dispatcher);

  return g_variant_new_uint32 (amps_manifest_get_n_jobs (manifest));
}

static GVariant *
get_counters (AmpsDBusInterface *self)
{
  static const struct {
    const char *name;
    AmpsCounter counter;
  } counters[] = {
    { "received", AMPS_COUNTER_MESSAGES_INSERTED },    { "settled", AMPS_COUNTER_MESSAGES_DELETED },
    { "published", AMPS_COUNTER_WORKLOADS_PUBLISHED }, { "discarded", AMPS_COUNTER_DISCARDED },
    { "reconnects", AMPS_COUNTER_BROKER_RECONNECTS },
  };
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{st}"));

  for (unsigned int i = 0; i < G_N_ELEMENTS (counters); i++)
    g_variant_builder_add (&builder, "{st}", counters[i].name,
                           amps_metrics_get_counter (self->metrics, counters[i].counter));
  for (AmpsOutcome i = AMPS_OUTCOME_NONE + 1; i < AMPS_N_OUTCOMES; i++)
    g_variant_builder_add (&builder, "{st}", amps_outcome_to_string (i),
                           amps_metrics_get_outcomes (self->metrics, i));

  return g_variant_builder_end (&builder);
}

static const struct {
  const char *name;
  GVariant *(*get) (AmpsDBusInterface *self);
  gboolean changes;
} properties[] = {
  { "Version", get_version, FALSE },
  { "WorkerId", get_worker_id, FALSE },
  { "Subject", get_subject, FALSE },
  { "State", dbus_interface_get_state, TRUE },
  { "Obstacles", dbus_interface_get_obstacles, TRUE },
  { "BrokerState", get_broker_state, TRUE },
  { "WorkloadState", dbus_interface_get_workload_state, TRUE },
  { "MaxConcurrency", get_max_concurrency, TRUE },
  { "JobsInFlight", get_jobs_in_flight, TRUE },
  { "Counters", get_counters, TRUE },
};

static GVariant *
get_property (GDBusConnection *connection G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
              const char *path G_GNUC_UNUSED, const char *interface G_GNUC_UNUSED, const char *name,
              GError **error, gpointer user_data)
{
  for (unsigned int i = 0; i < G_N_ELEMENTS (properties); i++)
    if (g_str_equal (properties[i].name, name))
      return g_variant_ref_sink (properties[i].get (AMPS_DBUS_INTERFACE (user_data)));

  g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_PROPERTY, "there is no “%s” here", name);
  return NULL;
}

static void
set_max_concurrency (AmpsDBusInterface *self, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) value = NULL;
  guint32 limit;

  g_variant_get (g_dbus_method_invocation_get_parameters (invocation), "(ssv)", NULL, NULL, &value);
  limit = g_variant_get_uint32 (value);
  if (limit < 1 || limit > G_MAXUINT16)
    {
      g_autoptr (GError) error =
          g_error_new (AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                       "MaxConcurrency must be a number from 1 to %d", G_MAXUINT16);

      amps_dbus_access_return_error (invocation, error);
      return;
    }

  amps_log (INFO, CONCURRENCY_CHANGED, "MaxConcurrency is %u now", limit);
  amps_dispatcher_set_max_concurrency (self->dispatcher, limit);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

/* Changes */

static void
tell_changes (AmpsDBusInterface *self, GVariant *changed)
{
  GDBusInterfaceSkeleton *skeleton = G_DBUS_INTERFACE_SKELETON (self);
  const char *path = g_dbus_interface_skeleton_get_object_path (skeleton);
  const char *interface = g_dbus_interface_skeleton_get_info (skeleton)->name;
  g_autoptr (GVariant) parameters =
      g_variant_ref_sink (g_variant_new ("(s@a{sv}as)", interface, changed, NULL));
  g_autolist (GDBusConnection) connections = g_dbus_interface_skeleton_get_connections (skeleton);

  for (GList *l = connections; l != NULL; l = l->next)
    g_dbus_connection_emit_signal (l->data, NULL, path, PROPERTIES, "PropertiesChanged", parameters,
                                   NULL);
}

static gboolean
on_changes (gpointer user_data)
{
  AmpsDBusInterface *self = user_data;
  g_auto (GVariantBuilder) changed = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  unsigned int n_changed = 0;

  for (unsigned int i = 0; i < G_N_ELEMENTS (properties); i++)
    {
      g_autoptr (GVariant) value = g_variant_ref_sink (properties[i].get (self));
      GVariant *told = g_hash_table_lookup (self->told, properties[i].name);

      if (!properties[i].changes || (told != NULL && g_variant_equal (told, value)))
        continue;

      g_variant_builder_add (&changed, "{sv}", properties[i].name, value);
      n_changed += told != NULL;
      g_hash_table_insert (self->told, (gpointer) properties[i].name, g_steal_pointer (&value));
    }

  if (n_changed > 0)
    tell_changes (self, g_variant_builder_end (&changed));
  amps_timer_set_due (self->changes,
                      amps_clock_get_monotonic_time (self->clock) + CHANGES_INTERVAL);
  return G_SOURCE_CONTINUE;
}

/* Calls */

static void
pass_on (GDBusMethodInvocation *invocation, GObject *target)
{
  GDBusInterfaceSkeleton *skeleton = G_DBUS_INTERFACE_SKELETON (target);
  const char *interface = g_dbus_method_invocation_get_interface_name (invocation);

  /* There is but one that can be written. */
  if (g_str_equal (interface, PROPERTIES))
    set_max_concurrency (AMPS_DBUS_INTERFACE (skeleton), invocation);
  else
    G_DBUS_INTERFACE_SKELETON_CLASS (amps_dbus_interface_parent_class)
        ->get_vtable (skeleton)
        ->method_call (g_dbus_method_invocation_get_connection (invocation),
                       g_dbus_method_invocation_get_sender (invocation),
                       g_dbus_method_invocation_get_object_path (invocation), interface,
                       g_dbus_method_invocation_get_method_name (invocation),
                       g_dbus_method_invocation_get_parameters (invocation), invocation, skeleton);
}

static void
on_call (GDBusConnection *connection G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
         const char *path G_GNUC_UNUSED, const char *interface G_GNUC_UNUSED, const char *method,
         GVariant *parameters G_GNUC_UNUSED, GDBusMethodInvocation *invocation, gpointer user_data)
{
  static const char *const reading[] = { "ListJobs", "GetJob", NULL };

  if (g_strv_contains (reading, method))
    pass_on (invocation, user_data);
  else
    amps_dbus_access_check (invocation, pass_on, user_data);
}

static GDBusInterfaceVTable *
amps_dbus_interface_get_vtable (GDBusInterfaceSkeleton *skeleton G_GNUC_UNUSED)
{
  /* Without a function to set them, writing is a call like others (see GDBusInterfaceVTable). */
  static GDBusInterfaceVTable vtable = { .method_call = on_call, .get_property = get_property };

  return &vtable;
}

static void
amps_dbus_interface_dispose (GObject *object)
{
  AmpsDBusInterface *self = AMPS_DBUS_INTERFACE (object);

  g_clear_pointer (&self->changes, amps_timer_free);

  G_OBJECT_CLASS (amps_dbus_interface_parent_class)->dispose (object);
}

static void
amps_dbus_interface_finalize (GObject *object)
{
  AmpsDBusInterface *self = AMPS_DBUS_INTERFACE (object);

  g_hash_table_unref (self->told);
  g_object_unref (self->metrics);
  g_object_unref (self->dispatcher);
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_dbus_interface_parent_class)->finalize (object);
}

static void
amps_dbus_interface_class_init (AmpsDBusInterfaceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = amps_dbus_interface_dispose;
  object_class->finalize = amps_dbus_interface_finalize;
  G_DBUS_INTERFACE_SKELETON_CLASS (klass)->get_vtable = amps_dbus_interface_get_vtable;
}

static void
amps_dbus_interface_init (AmpsDBusInterface *self)
{
  self->told =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_variant_unref);
}

/**
 * amps_dbus_interface_new:
 * @config: the settings
 * @clock: what time is measured by
 * @dispatcher: whose state is shown
 * @metrics: the figures that are shown
 *
 * Returns: (transfer full): an interface that is not on a bus yet
 */
AmpsDBusInterface *
amps_dbus_interface_new (AmpsConfig *config, AmpsClock *clock, AmpsDispatcher *dispatcher,
                         AmpsMetrics *metrics)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_DISPATCHER (dispatcher), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);

  AmpsDBusInterface *self = g_object_new (AMPS_TYPE_DBUS_INTERFACE, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->dispatcher = g_object_ref (dispatcher);
  self->metrics = g_object_ref (metrics);
  self->changes = amps_clock_attach_timer (clock, "D-Bus changes", on_changes, self);
  return self;
}

/**
 * amps_dbus_interface_export:
 * @self: an interface that is not on a bus
 * @connection: to the bus
 * @error: return location
 *
 * Shows it on the bus, and tells there from now on what changes.
 *
 * Returns: whether it is there
 */
gboolean
amps_dbus_interface_export (AmpsDBusInterface *self, GDBusConnection *connection, GError **error)
{
  if (!g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self), connection, PATH, error))
    return FALSE;

  amps_timer_set_due (self->changes, amps_clock_get_monotonic_time (self->clock));
  return TRUE;
}

/**
 * amps_dbus_interface_unexport:
 * @self: an interface that is on a bus
 *
 * Takes it from there.
 */
void
amps_dbus_interface_unexport (AmpsDBusInterface *self)
{
  amps_timer_set_due (self->changes, -1);
  g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self));
}
