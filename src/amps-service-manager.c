/* SPDX-License-Identifier: MIT */
#include "amps-service-manager.h"

#include "base/amps-foreign-text.h"
#include "base/amps-log.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* The protocol is a few lines in a datagram, which is less to write than libsystemd is to
 * depend on. See sd_notify(3) and sd_watchdog_enabled(3). */

#define STATUS_INTERVAL AMPS_SECONDS (1)

struct _AmpsServiceManager {
  GObject parent_instance;

  AmpsClock *clock;           /* (owned) */
  AmpsDispatcher *dispatcher; /* (owned) */
  GSocketAddress *address;    /* (owned) (nullable) when there is nobody to tell */
  GSocket *socket;            /* (owned) (nullable) likewise */
  GSource *status_timer;      /* (owned) */
  GSource *watchdog_timer;    /* (owned) */
  gint64 watchdog_interval;   /* µs between two signs of life; 0 when none is wanted */
  char *untold;               /* (owned) (nullable) the state, if it has not been taken yet */
  char *status;               /* (owned) (nullable) that was told last */
  gboolean failing;
};

G_DEFINE_FINAL_TYPE (AmpsServiceManager, amps_service_manager, G_TYPE_OBJECT)

/* Returns: whether it was taken; never waits for it */
static gboolean
service_manager_tell (AmpsServiceManager *self, const char *text)
{
  g_autoptr (GError) error = NULL;
  gboolean told;

  if (self->socket == NULL)
    return TRUE;

  told = g_socket_send_to (self->socket, self->address, text, strlen (text), NULL, &error) >= 0;
  if (!told && !self->failing)
    amps_log (WARNING, SERVICE_MANAGER_FAILED,
              "Can't reach the service manager at NOTIFY_SOCKET: %s", error->message);
  self->failing = !told;
  return told;
}

/* A state that is not told would leave the service starting, or reloading, for ever. */
static void
tell_state (AmpsServiceManager *self, const char *state)
{
  char *untold = service_manager_tell (self, state) ? NULL : g_strdup (state);

  g_free (self->untold);
  self->untold = untold;
}

static char *
service_manager_describe (AmpsServiceManager *self)
{
  AmpsLifecycle *lifecycle = amps_dispatcher_get_lifecycle (self->dispatcher);
  AmpsConsumerGate *gate = amps_dispatcher_get_gate (self->dispatcher);
  AmpsManifest *manifest = amps_dispatcher_get_manifest (self->dispatcher);
  g_auto (GStrv) obstacles = amps_consumer_gate_dup_obstacles (gate);
  g_autofree char *joined = g_strjoinv ("; ", obstacles);
  g_autofree char *text = g_strdup_printf (
      "%s, jobs in flight: %u%s%s", amps_lifecycle_get_state (lifecycle),
      amps_manifest_get_n_jobs (manifest), obstacles[0] != NULL ? "; " : "", joined);

  /* In the protocol another line would be another assignment. */
  return g_strdelimit (amps_foreign_text_dup (text, -1), "\n", ' ');
}

static gboolean
on_status (gpointer user_data)
{
  AmpsServiceManager *self = AMPS_SERVICE_MANAGER (user_data);
  g_autofree char *status = service_manager_describe (self);
  g_autofree char *assignment = g_strconcat ("STATUS=", status, NULL);

  if (self->untold != NULL)
    tell_state (self, self->untold);
  if (g_strcmp0 (status, self->status) != 0 && service_manager_tell (self, assignment))
    {
      g_free (self->status);
      self->status = g_steal_pointer (&status);
    }

  amps_timer_set_due (self->status_timer,
                      amps_clock_get_monotonic_time (self->clock) + STATUS_INTERVAL);
  return G_SOURCE_CONTINUE;
}

/* That the main loop moves is proved by being here. A thread that moves again, or a sign
 * that was not taken, is seen before it is too late. */
static gboolean
service_manager_on_watchdog (gpointer user_data)
{
  AmpsServiceManager *self = AMPS_SERVICE_MANAGER (user_data);
  gboolean stuck = amps_broker_is_stuck (amps_dispatcher_get_broker (self->dispatcher));
  gboolean told = !stuck && service_manager_tell (self, "WATCHDOG=1");

  amps_timer_set_due (self->watchdog_timer,
                      amps_clock_get_monotonic_time (self->clock) +
                          (told ? self->watchdog_interval : self->watchdog_interval / 8));
  return G_SOURCE_CONTINUE;
}

static void
amps_service_manager_finalize (GObject *object)
{
  AmpsServiceManager *self = AMPS_SERVICE_MANAGER (object);

  amps_timer_free (self->status_timer);
  amps_timer_free (self->watchdog_timer);
  g_clear_object (&self->socket);
  g_clear_object (&self->address);
  g_object_unref (self->dispatcher);
  g_object_unref (self->clock);
  g_free (self->untold);
  g_free (self->status);

  G_OBJECT_CLASS (amps_service_manager_parent_class)->finalize (object);
}

static void
amps_service_manager_class_init (AmpsServiceManagerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_service_manager_finalize;
}

static void
amps_service_manager_init (AmpsServiceManager *self G_GNUC_UNUSED)
{
}

/* A path, or an abstract name (unix(7)) after an @. */
static GSocketAddress *
parse_address (const char *text)
{
  if (strlen (text) >= sizeof ((struct sockaddr_un){ 0 }.sun_path))
    return NULL;

  if (text[0] == '/')
    return g_unix_socket_address_new (text);
  if (text[0] == '@' && text[1] != '\0')
    return g_unix_socket_address_new_with_type (text + 1, -1, G_UNIX_SOCKET_ADDRESS_ABSTRACT);
  return NULL;
}

static void
open_socket (AmpsServiceManager *self, const char *address)
{
  g_autoptr (GError) error = NULL;

  self->address = parse_address (address);
  if (self->address == NULL)
    {
      amps_log (WARNING, SERVICE_MANAGER_FAILED,
                "NOTIFY_SOCKET is not the address of a unix socket");
      return;
    }

  self->socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM,
                               G_SOCKET_PROTOCOL_DEFAULT, &error);
  if (self->socket != NULL)
    g_socket_set_blocking (self->socket, FALSE);
  else
    amps_log (WARNING, SERVICE_MANAGER_FAILED, "Can't reach the service manager: %s",
              error->message);
}

/* Returns: µs; 0 when no signs of life are wanted, or those of another process */
static gint64
parse_watchdog (const char *const *environment)
{
  const char *pid = g_environ_getenv ((char **) environment, "WATCHDOG_PID");
  const char *text = g_environ_getenv ((char **) environment, "WATCHDOG_USEC");
  guint64 number;

  if (text == NULL)
    return 0;
  if (pid != NULL && (!g_ascii_string_to_unsigned (pid, 10, 1, G_MAXINT32, &number, NULL) ||
                      number != (guint64) getpid ()))
    return 0;
  if (g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT64 / 2, &number, NULL))
    return (gint64) number;

  amps_log (WARNING, SERVICE_MANAGER_FAILED, "WATCHDOG_USEC is not a number of microseconds");
  return 0;
}

/**
 * amps_service_manager_new:
 * @environment: (array zero-terminated=1): `NAME=value`
 * @clock: what time is measured by
 * @dispatcher: what the status is of
 *
 * Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` from @environment
 * (sd_notify(3), sd_watchdog_enabled(3)).
 *
 * Returns: (transfer full): a service manager that was told nothing yet
 */
AmpsServiceManager *
amps_service_manager_new (const char *const *environment, AmpsClock *clock,
                          AmpsDispatcher *dispatcher)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_DISPATCHER (dispatcher), NULL);

  AmpsServiceManager *self = g_object_new (AMPS_TYPE_SERVICE_MANAGER, NULL);
  const char *address = g_environ_getenv ((char **) environment, "NOTIFY_SOCKET");

  self->clock = g_object_ref (clock);
  self->dispatcher = g_object_ref (dispatcher);
  self->status_timer = amps_clock_attach_timer (clock, "service status", on_status, self);
  self->watchdog_timer =
      amps_clock_attach_timer (clock, "service watchdog", service_manager_on_watchdog, self);
  if (address != NULL && *address != '\0')
    open_socket (self, address);
  if (self->socket != NULL)
    self->watchdog_interval = parse_watchdog (environment) / 2;
  return self;
}

/**
 * amps_service_manager_start:
 * @self: a service manager
 *
 * Tells that AMPS has begun: its port is served, and it tries for the broker and the
 * workload. Whether they are there is part of the status that is told from now on: an
 * outage at boot must not fail the service, which can end it only by waiting.
 */
void
amps_service_manager_start (AmpsServiceManager *self)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);

  if (self->socket == NULL)
    return;

  tell_state (self, "READY=1");
  amps_timer_set_due (self->status_timer, now);
  if (self->watchdog_interval > 0)
    amps_timer_set_due (self->watchdog_timer, now + self->watchdog_interval);
}

/* Whoever is told then that AMPS is ready would take it for one that goes on. */
static gboolean
service_manager_is_stopping (AmpsServiceManager *self)
{
  return amps_lifecycle_is_stopping (amps_dispatcher_get_lifecycle (self->dispatcher));
}

/**
 * amps_service_manager_begin_reload:
 * @self: a service manager
 *
 * Tells that settings are about to be read again. To be followed by
 * [method@Amps.ServiceManager.end_reload], whether that comes to something or not.
 */
void
amps_service_manager_begin_reload (AmpsServiceManager *self)
{
  g_autofree char *state = g_strdup_printf ("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT,
                                            amps_clock_get_monotonic_time (self->clock));

  if (!service_manager_is_stopping (self))
    tell_state (self, state);
}

/**
 * amps_service_manager_end_reload:
 * @self: a service manager
 *
 * Tells that settings have been read again.
 */
void
amps_service_manager_end_reload (AmpsServiceManager *self)
{
  if (!service_manager_is_stopping (self))
    tell_state (self, "READY=1");
}

/**
 * amps_service_manager_stop:
 * @self: a service manager
 * @timeout: µs that it may take, so that the service manager has as much patience
 *
 * Tells that AMPS is stopping. It still says how it goes, and that it lives.
 */
void
amps_service_manager_stop (AmpsServiceManager *self, gint64 timeout)
{
  g_autofree char *state =
      g_strdup_printf ("STOPPING=1\nEXTEND_TIMEOUT_USEC=%" G_GINT64_FORMAT, timeout);

  tell_state (self, state);
}
