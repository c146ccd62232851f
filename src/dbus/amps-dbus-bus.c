/* SPDX-License-Identifier: MIT */
#include "amps-dbus-bus.h"

#include "base/amps-backoff.h"
#include "base/amps-bus-address.h"
#include "base/amps-log-throttle.h"
#include "base/amps-log.h"

#define NAME "io.github.hotellistat.Amps1"

/* D-Bus specification, "org.freedesktop.DBus.RequestName". */
#define REQUEST_NAME_FLAG_DO_NOT_QUEUE 4u
#define REQUEST_NAME_REPLY_PRIMARY_OWNER 1

/* D-Bus specification, "Valid Names". */
#define MAX_NAME_LENGTH 255

#define MIN_RECONNECT_DELAY AMPS_SECONDS (1)
#define MAX_RECONNECT_DELAY AMPS_SECONDS (30)

struct _AmpsDBusBus {
  GObject parent_instance;

  char *bus;                    /* (owned) DBUS_BUS */
  char *worker_id;              /* (owned) */
  AmpsClock *clock;             /* (owned) */
  AmpsDBusInterface *interface; /* (owned) */

  GCancellable *cancellable;   /* (owned) ends with it */
  GDBusConnection *connection; /* (owned) (nullable) */
  GSource *retry;              /* (owned) timer */
  AmpsLogThrottle *throttle;   /* (owned) */
  unsigned int failures;       /* to connect, in a row */
  gboolean second;             /* the first name is taken */
  char *name;                  /* (owned) (nullable) that it has */
};

G_DEFINE_FINAL_TYPE (AmpsDBusBus, amps_dbus_bus, G_TYPE_OBJECT)

static void request_name (AmpsDBusBus *self);

static gboolean
is_auto (AmpsDBusBus *self)
{
  return g_str_equal (self->bus, "auto");
}

/* Names */

/**
 * amps_dbus_bus_make_second_name:
 * @worker_id: the setting WORKER_ID
 *
 * Returns: (transfer full): the name for an AMPS that is not the only one on a bus, as the
 *   D-Bus specification allows it ("Valid Names")
 */
char *
amps_dbus_bus_make_second_name (const char *worker_id)
{
  GString *name = g_string_new (NAME ".");

  if (g_ascii_isdigit (worker_id[0]))
    g_string_append_c (name, '_');
  for (const char *c = worker_id; *c != '\0' && name->len < MAX_NAME_LENGTH; c++)
    g_string_append_c (name, g_ascii_isalnum (*c) || *c == '_' || *c == '-' ? *c : '_');

  return g_string_free (name, FALSE);
}

static char *
make_name (AmpsDBusBus *self)
{
  return self->second ? amps_dbus_bus_make_second_name (self->worker_id) : g_strdup (NAME);
}

/* With DBUS_BUS=auto it does not matter. */
static void
log_refusal (AmpsDBusBus *self, const char *name, const char *problem)
{
  if (is_auto (self))
    amps_log (DEBUG, DBUS_NAME_REFUSED, "AMPS can't get the name %s on D-Bus: %s", name, problem);
  else
    amps_log (WARNING, DBUS_NAME_REFUSED, "AMPS can't get the name %s on D-Bus: %s", name, problem);
}

static void
on_name_requested (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AmpsDBusBus *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autofree char *name = NULL;
  guint32 reply = 0;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
      g_dbus_connection_is_closed (G_DBUS_CONNECTION (source)))
    return;

  name = make_name (self);
  if (answer != NULL)
    g_variant_get (answer, "(u)", &reply);
  if (reply == REQUEST_NAME_REPLY_PRIMARY_OWNER)
    {
      amps_log (INFO, DBUS_JOINED, "On D-Bus as %s", name);
      self->name = g_steal_pointer (&name);
    }
  else if (!self->second && error == NULL)
    {
      self->second = TRUE;
      request_name (self);
    }
  else
    {
      log_refusal (self, name,
                   error != NULL ? error->message : "another AMPS with the same WORKER_ID has it");
    }
}

/* Not by g_bus_own_name_on_connection(), which waits for the bus when it gives a name back. */
static void
request_name (AmpsDBusBus *self)
{
  g_autofree char *name = make_name (self);

  g_dbus_connection_call (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus", "RequestName",
                          g_variant_new ("(su)", name, REQUEST_NAME_FLAG_DO_NOT_QUEUE),
                          G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                          self->cancellable, on_name_requested, self);
}

/* The connection */

static void
try_later (AmpsDBusBus *self)
{
  gint64 delay = amps_backoff_draw (MIN_RECONNECT_DELAY, MAX_RECONNECT_DELAY, ++self->failures);

  amps_timer_set_due (self->retry, amps_clock_get_monotonic_time (self->clock) + delay);
}

static void
dbus_bus_note_problem (AmpsDBusBus *self, const char *problem)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);
  g_autofree char *text = NULL;

  if (is_auto (self))
    amps_log (DEBUG, DBUS_MISSING, "No D-Bus: %s", problem);
  else if ((text = amps_log_throttle_note (self->throttle, problem, now)) != NULL)
    amps_log (WARNING, DBUS_MISSING, "No D-Bus, trying again: %s", text);
}

static void
drop_connection (AmpsDBusBus *self)
{
  if (self->connection == NULL)
    return;

  g_signal_handlers_disconnect_by_data (self->connection, self);
  g_clear_pointer (&self->name, g_free);
  amps_dbus_interface_unexport (self->interface);
  g_dbus_connection_close (self->connection, NULL, NULL, NULL);
  g_clear_object (&self->connection);
}

static void
on_closed (GDBusConnection *connection G_GNUC_UNUSED, gboolean vanished G_GNUC_UNUSED,
           const GError *error, AmpsDBusBus *self)
{
  amps_log (INFO, DBUS_LOST, "The connection to D-Bus is lost: %s",
            error != NULL ? error->message : "it closed the connection");
  drop_connection (self);
  try_later (self);
}

static void
dbus_bus_on_connected (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  AmpsDBusBus *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection =
      g_dbus_connection_new_for_address_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (connection == NULL || !amps_dbus_interface_export (self->interface, connection, &error))
    {
      dbus_bus_note_problem (self, error->message);
      try_later (self);
      return;
    }

  self->failures = 0;
  self->second = FALSE;
  amps_log_throttle_end (self->throttle);
  self->connection = g_steal_pointer (&connection);
  g_signal_connect (self->connection, "closed", G_CALLBACK (on_closed), self);
  request_name (self);
}

static gboolean
dbus_bus_on_retry (gpointer user_data)
{
  amps_dbus_bus_start (user_data);
  return G_SOURCE_CONTINUE;
}

/**
 * amps_dbus_bus_start:
 * @self: a bus that AMPS is not on
 *
 * Goes to the bus of DBUS_BUS and stays there. With `auto`, where there is none nothing
 * is done or said.
 */
void
amps_dbus_bus_start (AmpsDBusBus *self)
{
  g_autofree char *address = amps_bus_address_find (self->bus);

  if (address != NULL)
    {
      g_dbus_connection_new_for_address (address,
                                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                             G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                         NULL, self->cancellable, dbus_bus_on_connected, self);
      return;
    }

  if (is_auto (self) && self->failures == 0)
    return;

  dbus_bus_note_problem (self, "there is no session bus: DBUS_SESSION_BUS_ADDRESS is not set");
  try_later (self);
}

static void
amps_dbus_bus_dispose (GObject *object)
{
  AmpsDBusBus *self = AMPS_DBUS_BUS (object);

  g_cancellable_cancel (self->cancellable);
  drop_connection (self);
  g_clear_pointer (&self->retry, amps_timer_free);

  G_OBJECT_CLASS (amps_dbus_bus_parent_class)->dispose (object);
}

static void
amps_dbus_bus_finalize (GObject *object)
{
  AmpsDBusBus *self = AMPS_DBUS_BUS (object);

  amps_log_throttle_free (self->throttle);
  g_object_unref (self->cancellable);
  g_object_unref (self->interface);
  g_object_unref (self->clock);
  g_free (self->worker_id);
  g_free (self->bus);

  G_OBJECT_CLASS (amps_dbus_bus_parent_class)->finalize (object);
}

static void
amps_dbus_bus_class_init (AmpsDBusBusClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = amps_dbus_bus_dispose;
  object_class->finalize = amps_dbus_bus_finalize;
}

static void
amps_dbus_bus_init (AmpsDBusBus *self)
{
  self->cancellable = g_cancellable_new ();
  self->throttle = amps_log_throttle_new ();
}

/**
 * amps_dbus_bus_new:
 * @config: says which bus, and the WORKER_ID
 * @clock: what time is measured by
 * @interface: what is exported
 *
 * Returns: (transfer full): a bus that AMPS is not on yet
 */
AmpsDBusBus *
amps_dbus_bus_new (AmpsConfig *config, AmpsClock *clock, AmpsDBusInterface *interface)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_DBUS_INTERFACE (interface), NULL);

  AmpsDBusBus *self = g_object_new (AMPS_TYPE_DBUS_BUS, NULL);

  self->bus = g_strdup (amps_config_get_dbus_bus (config));
  self->worker_id = g_strdup (amps_config_get_worker_id (config));
  self->clock = g_object_ref (clock);
  self->interface = g_object_ref (interface);
  self->retry = amps_clock_attach_timer (clock, "D-Bus", dbus_bus_on_retry, self);
  return self;
}

/**
 * amps_dbus_bus_get_name:
 * @self: a bus
 *
 * Returns: (nullable): the name that AMPS has on it now
 */
const char *
amps_dbus_bus_get_name (AmpsDBusBus *self)
{
  return self->name;
}
