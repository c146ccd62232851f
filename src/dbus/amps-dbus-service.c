/* SPDX-License-Identifier: MIT */
#include "amps-dbus-service.h"

#include "amps-dbus-access.h"
#include "amps-dbus-bus.h"
#include "amps-dbus-interface.h"
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"

#include <string.h>

/* As long as no time of the clock overflows: some 70,000 years. */
#define MAX_DURATION (G_MAXINT64 / 4)

/* One message must not keep the main loop, nor the bus, for long. */
#define MAX_JOBS 1000

struct _AmpsDBusService {
  GObject parent_instance;

  AmpsClock *clock;             /* (owned) */
  AmpsDecider *decider;         /* (owned) */
  AmpsPublisher *publisher;     /* (owned) */
  AmpsLifecycle *lifecycle;     /* (owned) */
  AmpsManifest *manifest;       /* (owned) */
  AmpsDBusInterface *interface; /* (owned) */
  AmpsDBusBus *bus;             /* (owned) */
};

G_DEFINE_FINAL_TYPE (AmpsDBusService, amps_dbus_service, G_TYPE_OBJECT)

/* Reading */

/* Returns: µs since 1970 of that moment; 0 for never */
static guint64
to_real_time (AmpsDBusService *self, gint64 monotonic)
{
  return monotonic == 0 ? 0 : (guint64) MAX (amps_clock_to_real_time (self->clock, monotonic), 0);
}

static GVariant *
describe_job (AmpsDBusService *self, AmpsJob *job)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "Id", "s", amps_job_get_id (job));
  g_variant_dict_insert (&dict, "Source", "s", amps_job_get_source (job));
  g_variant_dict_insert (&dict, "Type", "s", amps_job_get_event_type (job));
  g_variant_dict_insert (&dict, "State", "s", amps_job_state_to_string (amps_job_get_state (job)));
  g_variant_dict_insert (&dict, "Attempt", "u", amps_job_get_attempt (job));
  g_variant_dict_insert (&dict, "Since", "t", to_real_time (self, amps_job_get_since (job)));
  g_variant_dict_insert (&dict, "Deadline", "t", to_real_time (self, amps_job_get_deadline (job)));
  if (amps_job_get_detail (job) != NULL)
    g_variant_dict_insert (&dict, "Detail", "s", amps_job_get_detail (job));

  return g_variant_dict_end (&dict);
}

static gboolean
on_list_jobs (AmpsDBusAmps1 *object, GDBusMethodInvocation *invocation, unsigned int limit,
              AmpsDBusService *self)
{
  g_autoptr (GPtrArray) jobs = amps_manifest_list (self->manifest);
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  unsigned int n = MIN (jobs->len, limit == 0 ? MAX_JOBS : MIN (limit, MAX_JOBS));

  for (unsigned int i = 0; i < n; i++)
    g_variant_builder_add_value (&builder, describe_job (self, g_ptr_array_index (jobs, i)));

  amps_dbus_amps1_complete_list_jobs (object, invocation, g_variant_builder_end (&builder));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_get_job (AmpsDBusAmps1 *object, GDBusMethodInvocation *invocation, const char *identifier,
            AmpsDBusService *self)
{
  AmpsJob *job = amps_manifest_lookup (self->manifest, identifier);

  if (job != NULL)
    {
      amps_dbus_amps1_complete_get_job (object, invocation, describe_job (self, job));
    }
  else
    {
      g_autoptr (GError) error =
          g_error_new (AMPS_ERROR, AMPS_ERROR_NOT_FOUND, "no job “%s” is in flight", identifier);

      amps_dbus_access_return_error (invocation, error);
    }

  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* Settling and steering */

/* @error: (nullable): why it failed */
static gboolean
complete (GDBusMethodInvocation *invocation, const GError *error)
{
  if (error == NULL)
    g_dbus_method_invocation_return_value (invocation, NULL);
  else
    amps_dbus_access_return_error (invocation, error);

  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_acknowledge (AmpsDBusAmps1 *object G_GNUC_UNUSED, GDBusMethodInvocation *invocation,
                const char *identifier, AmpsDBusService *self)
{
  g_autoptr (GError) error = NULL;

  amps_decider_acknowledge (self->decider, identifier, &error);
  return complete (invocation, error);
}

static gboolean
on_reject (AmpsDBusAmps1 *object G_GNUC_UNUSED, GDBusMethodInvocation *invocation,
           const char *identifier, const char *reason, AmpsDBusService *self)
{
  g_autofree char *readable = reason[0] != '\0' ? amps_foreign_text_dup (reason, -1) : NULL;
  g_autoptr (GError) error = NULL;

  amps_decider_reject (self->decider, identifier, readable, &error);
  return complete (invocation, error);
}

/* Returns: whether @microseconds is a time that a job can be given */
static gboolean
check_duration (guint64 microseconds, GError **error)
{
  if (microseconds <= (guint64) MAX_DURATION)
    return TRUE;

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
               "%" G_GUINT64_FORMAT " µs are too long", microseconds);
  return FALSE;
}

static gboolean
on_reschedule (AmpsDBusAmps1 *object G_GNUC_UNUSED, GDBusMethodInvocation *invocation,
               const char *identifier, guint64 delay, AmpsDBusService *self)
{
  g_autoptr (GError) error = NULL;

  if (check_duration (delay, &error))
    amps_decider_reschedule (self->decider, identifier, (gint64) delay, &error);
  return complete (invocation, error);
}

static gboolean
on_heartbeat (AmpsDBusAmps1 *object, GDBusMethodInvocation *invocation, const char *identifier,
              guint64 extend, AmpsDBusService *self)
{
  g_autoptr (GError) error = NULL;
  gint64 deadline = 0;

  if (!check_duration (extend, &error) ||
      !amps_decider_heartbeat (self->decider, identifier, (gint64) extend, &deadline, &error))
    return complete (invocation, error);

  amps_dbus_amps1_complete_heartbeat (object, invocation, to_real_time (self, deadline));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
dbus_service_on_published (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  amps_publisher_publish_finish (AMPS_PUBLISHER (source), result, &error);
  complete (user_data, error);
}

static gboolean
on_publish (AmpsDBusAmps1 *object G_GNUC_UNUSED, GDBusMethodInvocation *invocation,
            const char *event, AmpsDBusService *self)
{
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  g_ptr_array_add (events, g_bytes_new (event, strlen (event)));
  amps_publisher_publish_async (self->publisher, events, NULL, NULL, NULL,
                                dbus_service_on_published, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_pause (AmpsDBusAmps1 *object G_GNUC_UNUSED, GDBusMethodInvocation *invocation,
          AmpsDBusService *self)
{
  amps_lifecycle_pause (self->lifecycle);
  return complete (invocation, NULL);
}

static gboolean
on_resume (AmpsDBusAmps1 *object G_GNUC_UNUSED, GDBusMethodInvocation *invocation,
           AmpsDBusService *self)
{
  g_autoptr (GError) error = NULL;

  amps_lifecycle_resume (self->lifecycle, &error);
  return complete (invocation, error);
}

static gboolean
on_drain (AmpsDBusAmps1 *object G_GNUC_UNUSED, GDBusMethodInvocation *invocation,
          AmpsDBusService *self)
{
  amps_lifecycle_drain (self->lifecycle);
  return complete (invocation, NULL);
}

/* What happens */

static void
dbus_service_on_state_changed (AmpsDBusService *self)
{
  amps_dbus_amps1_emit_state_changed (AMPS_DBUS_AMPS1 (self->interface),
                                      amps_lifecycle_get_state (self->lifecycle));
}

static void
on_job_expired (AmpsDecider *decider G_GNUC_UNUSED, AmpsJob *job, const char *reason,
                AmpsDBusService *self)
{
  amps_dbus_amps1_emit_job_expired (AMPS_DBUS_AMPS1 (self->interface), amps_job_get_id (job),
                                    reason);
}

static void
connect_calls (AmpsDBusService *self)
{
  static const struct {
    const char *signal;
    GCallback handler;
  } calls[] = {
    { "handle-list-jobs", G_CALLBACK (on_list_jobs) },
    { "handle-get-job", G_CALLBACK (on_get_job) },
    { "handle-acknowledge", G_CALLBACK (on_acknowledge) },
    { "handle-reject", G_CALLBACK (on_reject) },
    { "handle-reschedule", G_CALLBACK (on_reschedule) },
    { "handle-heartbeat", G_CALLBACK (on_heartbeat) },
    { "handle-publish", G_CALLBACK (on_publish) },
    { "handle-pause", G_CALLBACK (on_pause) },
    { "handle-resume", G_CALLBACK (on_resume) },
    { "handle-drain", G_CALLBACK (on_drain) },
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (calls); i++)
    g_signal_connect_object (self->interface, calls[i].signal, calls[i].handler, self, 0);
}

static void
amps_dbus_service_dispose (GObject *object)
{
  AmpsDBusService *self = AMPS_DBUS_SERVICE (object);

  if (self->bus != NULL)
    g_object_run_dispose (G_OBJECT (self->bus));
  g_clear_object (&self->bus);
  g_clear_object (&self->interface);

  G_OBJECT_CLASS (amps_dbus_service_parent_class)->dispose (object);
}

static void
amps_dbus_service_finalize (GObject *object)
{
  AmpsDBusService *self = AMPS_DBUS_SERVICE (object);

  g_object_unref (self->manifest);
  g_object_unref (self->lifecycle);
  g_object_unref (self->publisher);
  g_object_unref (self->decider);
  g_object_unref (self->clock);

  G_OBJECT_CLASS (amps_dbus_service_parent_class)->finalize (object);
}

static void
amps_dbus_service_class_init (AmpsDBusServiceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = amps_dbus_service_dispose;
  object_class->finalize = amps_dbus_service_finalize;
}

static void
amps_dbus_service_init (AmpsDBusService *self G_GNUC_UNUSED)
{
}

/**
 * amps_dbus_service_new:
 * @config: the settings
 * @clock: what time is measured by
 * @dispatcher: whose parts calls are passed to
 * @metrics: the figures that are shown
 *
 * Returns: (transfer full): a service that is on no bus yet
 */
AmpsDBusService *
amps_dbus_service_new (AmpsConfig *config, AmpsClock *clock, AmpsDispatcher *dispatcher,
                       AmpsMetrics *metrics)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_DISPATCHER (dispatcher), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);

  AmpsDBusService *self = g_object_new (AMPS_TYPE_DBUS_SERVICE, NULL);

  self->clock = g_object_ref (clock);
  self->decider = g_object_ref (amps_dispatcher_get_decider (dispatcher));
  self->publisher = g_object_ref (amps_dispatcher_get_publisher (dispatcher));
  self->lifecycle = g_object_ref (amps_dispatcher_get_lifecycle (dispatcher));
  self->manifest = g_object_ref (amps_dispatcher_get_manifest (dispatcher));
  self->interface = amps_dbus_interface_new (config, clock, dispatcher, metrics);
  self->bus = amps_dbus_bus_new (config, clock, self->interface);

  connect_calls (self);
  g_signal_connect_object (self->lifecycle, "notify::state",
                           G_CALLBACK (dbus_service_on_state_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->decider, "expired", G_CALLBACK (on_job_expired), self, 0);
  return self;
}

/**
 * amps_dbus_service_start:
 * @self: a service
 *
 * Goes to the bus of DBUS_BUS, which must not be `none`.
 */
void
amps_dbus_service_start (AmpsDBusService *self)
{
  amps_dbus_bus_start (self->bus);
}

/**
 * amps_dbus_service_get_name:
 * @self: a service
 *
 * Returns: (nullable): the name that AMPS has on the bus
 */
const char *
amps_dbus_service_get_name (AmpsDBusService *self)
{
  return amps_dbus_bus_get_name (self->bus);
}
