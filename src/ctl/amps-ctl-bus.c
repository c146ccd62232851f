/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-ctl-bus.h"

#include "amps-ctl-bus-answer.h"
#include "amps-ctl-error.h"
#include "amps-ctl-text.h"
#include "base/amps-bus-address.h"
#include "base/amps-error.h"

#include <glib/gi18n.h>

#define NAME "io.github.hotellistat.Amps1"
#define OBJECT "/io/github/hotellistat/Amps1"
#define PROPERTIES "org.freedesktop.DBus.Properties"

struct _AmpsCtlBus {
  GObject parent_instance;

  char *address;               /* (owned) */
  char *place;                 /* (owned) for people */
  GDBusConnection *connection; /* (owned) (nullable) */
};

static void amps_ctl_bus_api_init (AmpsCtlApiInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmpsCtlBus, amps_ctl_bus, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (AMPS_CTL_TYPE_API, amps_ctl_bus_api_init))

static void
amps_ctl_bus_finalize (GObject *object)
{
  AmpsCtlBus *self = AMPS_CTL_BUS (object);

  g_clear_object (&self->connection);
  g_free (self->address);
  g_free (self->place);

  G_OBJECT_CLASS (amps_ctl_bus_parent_class)->finalize (object);
}

static void
amps_ctl_bus_class_init (AmpsCtlBusClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_ctl_bus_finalize;
}

static void
amps_ctl_bus_init (AmpsCtlBus *self G_GNUC_UNUSED)
{
}

/**
 * amps_ctl_bus_new:
 * @bus: as DBUS_BUS has it
 * @error: return location: %AMPS_CTL_ERROR_USAGE or %AMPS_CTL_ERROR_UNREACHABLE
 *
 * Returns: (transfer full) (nullable): the way to the AMPS on that bus
 */
AmpsCtlApi *
amps_ctl_bus_new (const char *bus, GError **error)
{
  AmpsCtlBus *self;
  g_autofree char *address = g_str_equal (bus, "none") ? NULL : amps_bus_address_find (bus);

  if (address == NULL)
    {
      g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_UNREACHABLE, _ ("there is no D-Bus here"));
      return NULL;
    }
  if (!g_dbus_is_supported_address (address, NULL))
    {
      g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_USAGE,
                   _ ("--bus must be session, system or an address such as unix:path=/path"));
      return NULL;
    }

  self = g_object_new (AMPS_CTL_TYPE_BUS, NULL);
  self->address = g_steal_pointer (&address);
  self->place = amps_ctl_text_clean (self->address);
  return AMPS_CTL_API (self);
}

static const char *
amps_ctl_bus_get_place (AmpsCtlApi *api)
{
  return AMPS_CTL_BUS (api)->place;
}

/* Methods */

typedef struct {
  const char *interface;
  const char *method;
  const char *answer_type;
  GVariant *(*make_parameters) (const AmpsCtlCall *call);
  JsonNode *(*read_answer) (GVariant *answer);
} Method;

static GVariant *
make_interface_name (const AmpsCtlCall *call G_GNUC_UNUSED)
{
  return g_variant_new ("(s)", NAME);
}

static GVariant *
make_limit (const AmpsCtlCall *call)
{
  return g_variant_new ("(u)", (guint32) MIN (call->number, 1000));
}

static GVariant *
make_identifier (const AmpsCtlCall *call)
{
  return g_variant_new ("(s)", call->identifier);
}

static GVariant *
make_reason (const AmpsCtlCall *call)
{
  return g_variant_new ("(ss)", call->identifier, call->text != NULL ? call->text : "");
}

static GVariant *
make_duration (const AmpsCtlCall *call)
{
  return g_variant_new ("(st)", call->identifier, (guint64) call->duration);
}

/* Its bytes are known to be UTF-8. */
static GVariant *
make_event (const AmpsCtlCall *call)
{
  gsize length;
  const char *bytes = g_bytes_get_data (call->event, &length);

  return g_variant_new ("(@s)", g_variant_new_take_string (g_strndup (bytes, length)));
}

static GVariant *
make_nothing (const AmpsCtlCall *call G_GNUC_UNUSED)
{
  return NULL;
}

static GVariant *
make_concurrency (const AmpsCtlCall *call)
{
  return g_variant_new ("(ssv)", NAME, "MaxConcurrency",
                        g_variant_new_uint32 ((guint32) call->number));
}

/* clang-format off */
static const Method methods[AMPS_CTL_N_CALLS] = {
  [AMPS_CTL_CALL_ALIVE] = { PROPERTIES, "GetAll", "(a{sv})", make_interface_name,
                            amps_ctl_bus_answer_ready },
  [AMPS_CTL_CALL_READY] = { PROPERTIES, "GetAll", "(a{sv})", make_interface_name,
                            amps_ctl_bus_answer_ready },
  [AMPS_CTL_CALL_DETAILS] = { PROPERTIES, "GetAll", "(a{sv})", make_interface_name,
                              amps_ctl_bus_answer_details },
  [AMPS_CTL_CALL_JOBS] = { NAME, "ListJobs", "(aa{sv})", make_limit, amps_ctl_bus_answer_jobs },
  [AMPS_CTL_CALL_ACKNOWLEDGE] = { NAME, "Acknowledge", "()", make_identifier,
                                  amps_ctl_bus_answer_nothing },
  [AMPS_CTL_CALL_REJECT] = { NAME, "Reject", "()", make_reason, amps_ctl_bus_answer_nothing },
  [AMPS_CTL_CALL_RESCHEDULE] = { NAME, "Reschedule", "()", make_duration,
                                 amps_ctl_bus_answer_nothing },
  [AMPS_CTL_CALL_HEARTBEAT] = { NAME, "Heartbeat", "(t)", make_duration,
                                amps_ctl_bus_answer_deadline },
  [AMPS_CTL_CALL_PUBLISH] = { NAME, "Publish", "()", make_event, amps_ctl_bus_answer_nothing },
  [AMPS_CTL_CALL_PAUSE] = { NAME, "Pause", "()", make_nothing, amps_ctl_bus_answer_nothing },
  [AMPS_CTL_CALL_RESUME] = { NAME, "Resume", "()", make_nothing, amps_ctl_bus_answer_nothing },
  [AMPS_CTL_CALL_DRAIN] = { NAME, "Drain", "()", make_nothing, amps_ctl_bus_answer_nothing },
  [AMPS_CTL_CALL_CONCURRENCY] = { PROPERTIES, "Set", "()", make_concurrency,
                                  amps_ctl_bus_answer_nothing },
};
/* clang-format on */

/* Errors */

/* Returns: (nullable): what AMPS calls it */
static const AmpsErrorInfo *
find_info (const char *name, AmpsError *code)
{
  for (unsigned int i = 0; i < AMPS_N_ERRORS; i++)
    {
      const AmpsErrorInfo *info = amps_error_get_info ((AmpsError) i);

      if (g_str_equal (info->dbus_name, name))
        {
          *code = (AmpsError) i;
          return info;
        }
    }

  return NULL;
}

static gboolean
is_denied (GError *cause)
{
  return g_error_matches (cause, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED) ||
         g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
}

static void
set_error (AmpsCtlBus *self, GError *cause, GError **error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (cause);
  g_autofree char *why = NULL;
  AmpsError code;

  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_error_copy (cause));
      return;
    }

  g_dbus_error_strip_remote_error (cause);
  why = amps_ctl_text_clean (cause->message);
  if (name != NULL && find_info (name, &code) != NULL)
    g_set_error_literal (error, AMPS_ERROR, code, why);
  else if (is_denied (cause))
    g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_NOT_ALLOWED, "%s: %s", self->place, why);
  else
    g_set_error (error, AMPS_CTL_ERROR, AMPS_CTL_ERROR_UNREACHABLE,
                 _ ("there is no AMPS at %s: %s"), self->place, why);
}

/* A call */

typedef struct {
  const Method *method;
  GVariant *parameters; /* (owned) (nullable) */
} Pending;

static void
ctl_bus_pending_free (gpointer data)
{
  Pending *pending = data;

  g_clear_pointer (&pending->parameters, g_variant_unref);
  g_free (pending);
}

static void
return_error (GTask *task, GError *cause)
{
  GError *error = NULL;

  set_error (g_task_get_source_object (task), cause, &error);
  g_task_return_error (task, error);
}

static void
ctl_bus_on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const Pending *pending = g_task_get_task_data (task);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GVariant) answer =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &cause);

  if (answer != NULL)
    g_task_return_pointer (task, pending->method->read_answer (answer),
                           (GDestroyNotify) json_node_unref);
  else
    return_error (task, cause);
}

/* A look does not start a service that does not run. */
static void
send_call (AmpsCtlBus *self, GTask *task)
{
  const Pending *pending = g_task_get_task_data (task);

  g_dbus_connection_call (self->connection, NAME, OBJECT, pending->method->interface,
                          pending->method->method, pending->parameters,
                          G_VARIANT_TYPE (pending->method->answer_type),
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, g_task_get_cancellable (task),
                          ctl_bus_on_answer, g_object_ref (task));
}

static void
ctl_bus_on_connected (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  AmpsCtlBus *self = g_task_get_source_object (task);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GDBusConnection) connection =
      g_dbus_connection_new_for_address_finish (result, &cause);

  if (connection == NULL)
    {
      return_error (task, cause);
      return;
    }

  g_dbus_connection_set_exit_on_close (connection, FALSE);
  if (self->connection == NULL)
    self->connection = g_steal_pointer (&connection);
  send_call (self, task);
}

static void
amps_ctl_bus_call_async (AmpsCtlApi *api, const AmpsCtlCall *call, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  AmpsCtlBus *self = AMPS_CTL_BUS (api);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Pending *pending = g_new0 (Pending, 1);
  GVariant *parameters;

  g_task_set_task_data (task, pending, ctl_bus_pending_free);
  if (call->event != NULL && !g_utf8_validate_len (g_bytes_get_data (call->event, NULL),
                                                   g_bytes_get_size (call->event), NULL))
    {
      g_task_return_new_error (task, AMPS_CTL_ERROR, AMPS_CTL_ERROR_BAD_DATA,
                               _ ("the event is not UTF-8"));
      return;
    }

  pending->method = &methods[call->kind];
  parameters = pending->method->make_parameters (call);
  pending->parameters = parameters != NULL ? g_variant_ref_sink (parameters) : NULL;
  if (self->connection != NULL && !g_dbus_connection_is_closed (self->connection))
    {
      send_call (self, task);
      return;
    }

  g_clear_object (&self->connection);
  g_dbus_connection_new_for_address (self->address,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                         G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                     NULL, cancellable, ctl_bus_on_connected, g_object_ref (task));
}

static JsonNode *
amps_ctl_bus_call_finish (AmpsCtlApi *api G_GNUC_UNUSED, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
amps_ctl_bus_api_init (AmpsCtlApiInterface *iface)
{
  iface->call_async = amps_ctl_bus_call_async;
  iface->call_finish = amps_ctl_bus_call_finish;
  iface->get_place = amps_ctl_bus_get_place;
}
