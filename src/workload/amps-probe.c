/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-probe.h"

#include "core/amps-backoff.h"

#include <libsoup/soup.h>

#define MIN_BACKOFF AMPS_MILLISECONDS (100)
#define MAX_BACKOFF AMPS_SECONDS (1)

/* A workload that says whether it is ready is asked so often. */
#define READY_INTERVAL AMPS_SECONDS (5)

#define TIMEOUT_SECONDS 5

struct _AmpsProbe {
  GObject parent_instance;

  AmpsClock *clock;            /* (owned) */
  GUri *ready_uri;             /* (owned) (nullable) asked, where connecting would not do */
  GSocketConnectable *address; /* (owned) */
  SoupSession *session;        /* (owned) (nullable) for @ready_uri */
  GSocketClient *client;       /* (owned) */
  GCancellable *cancellable;   /* (owned) */
  GSource *timer;              /* (owned) due for the next probe */

  gboolean available;
  gboolean probing;
  char *reason;    /* (owned) (nullable) why it is not available */
  gint64 interval; /* µs between probes while it is available; 0 for none */
  unsigned int failures;
};

G_DEFINE_FINAL_TYPE (AmpsProbe, amps_probe, G_TYPE_OBJECT)

typedef enum {
  PROP_AVAILABLE = 1,
  N_PROPS,
} AmpsProbeProperty;

static GParamSpec *props[N_PROPS];

static void
amps_probe_get_property (GObject *object, unsigned int prop_id, GValue *value, GParamSpec *pspec)
{
  switch ((AmpsProbeProperty) prop_id)
    {
    case PROP_AVAILABLE:
      g_value_set_boolean (value, AMPS_PROBE (object)->available);
      break;
    case N_PROPS:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
amps_probe_dispose (GObject *object)
{
  AmpsProbe *self = AMPS_PROBE (object);

  g_cancellable_cancel (self->cancellable);
  g_source_destroy (self->timer);

  G_OBJECT_CLASS (amps_probe_parent_class)->dispose (object);
}

static void
amps_probe_finalize (GObject *object)
{
  AmpsProbe *self = AMPS_PROBE (object);

  g_source_unref (self->timer);
  g_object_unref (self->cancellable);
  g_object_unref (self->client);
  g_object_unref (self->address);
  g_clear_object (&self->session);
  g_clear_pointer (&self->ready_uri, g_uri_unref);
  g_object_unref (self->clock);
  g_free (self->reason);

  G_OBJECT_CLASS (amps_probe_parent_class)->finalize (object);
}

static void
amps_probe_class_init (AmpsProbeClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = amps_probe_get_property;
  object_class->dispose = amps_probe_dispose;
  object_class->finalize = amps_probe_finalize;

  /**
   * AmpsProbe:available:
   *
   * Whether the workload can be reached, as far as is known.
   */
  props[PROP_AVAILABLE] =
      g_param_spec_boolean ("available", NULL, NULL, FALSE,
                            G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
amps_probe_init (AmpsProbe *self)
{
  self->cancellable = g_cancellable_new ();
  self->client = g_socket_client_new ();
  g_socket_client_set_timeout (self->client, TIMEOUT_SECONDS);
  g_socket_client_set_enable_proxy (self->client, FALSE);
  self->reason = g_strdup ("the workload has not been reached yet");
}

static void
schedule (AmpsProbe *self)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);

  if (!self->available)
    amps_timer_set_due (
        self->timer, now + amps_backoff_draw (MIN_BACKOFF, MAX_BACKOFF, MAX (self->failures, 1)));
  else if (self->interval > 0)
    amps_timer_set_due (self->timer, now + self->interval);
}

static void
set_available (AmpsProbe *self, gboolean available, const char *reason)
{
  gboolean changed = self->available != available;

  self->available = available;
  self->failures = available ? 0 : self->failures + 1;
  g_free (self->reason);
  self->reason = g_strdup (reason);
  schedule (self);

  if (!changed)
    return;

  if (available)
    g_info ("The workload is available");
  else
    g_warning ("The workload is not available: %s", reason);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_AVAILABLE]);
}

static void
finish_probe (AmpsProbe *self, const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  self->probing = FALSE;
  set_available (self, error == NULL, error != NULL ? error->message : NULL);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (AmpsProbe) self = AMPS_PROBE (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) connection = NULL;

  connection = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);
  finish_probe (self, error);
}

static void
on_ready_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (AmpsProbe) self = AMPS_PROBE (user_data);
  g_autoptr (GError) error = NULL;
  SoupMessage *message = soup_session_get_async_result_message (SOUP_SESSION (source), result);
  g_autoptr (GInputStream) body = soup_session_send_finish (SOUP_SESSION (source), result, &error);

  if (body != NULL && !SOUP_STATUS_IS_SUCCESSFUL (soup_message_get_status (message)))
    g_set_error (&error, G_IO_ERROR, G_IO_ERROR_FAILED,
                 "it answered %u to the question whether "
                 "it is ready",
                 soup_message_get_status (message));

  finish_probe (self, error);
}

static gboolean
on_timer (gpointer user_data)
{
  AmpsProbe *self = AMPS_PROBE (user_data);

  if (self->probing)
    return G_SOURCE_CONTINUE;

  self->probing = TRUE;
  if (self->ready_uri != NULL)
    {
      g_autoptr (SoupMessage) message =
          soup_message_new_from_uri (SOUP_METHOD_GET, self->ready_uri);

      soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
      soup_session_send_async (self->session, message, G_PRIORITY_DEFAULT, self->cancellable,
                               on_ready_answer, g_object_ref (self));
    }
  else
    {
      g_socket_client_connect_async (self->client, self->address, self->cancellable, on_connected,
                                     g_object_ref (self));
    }

  return G_SOURCE_CONTINUE;
}

/**
 * amps_probe_new:
 * @clock: what time is measured by
 * @uri: of the workload
 * @address: (nullable): where to connect, instead of what @uri says
 * @ready_path: (nullable): what to GET, if connecting is not enough
 *
 * Returns: (transfer full): a probe that knows of no workload yet
 */
AmpsProbe *
amps_probe_new (AmpsClock *clock, GUri *uri, GSocketConnectable *address, const char *ready_path)
{
  AmpsProbe *self = g_object_new (AMPS_TYPE_PROBE, NULL);
  gboolean tls = g_str_equal (g_uri_get_scheme (uri), "https");
  int port = g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : tls ? 443 : 80;

  self->clock = g_object_ref (clock);
  self->address = address != NULL ? g_object_ref (address)
                                  : g_network_address_new (g_uri_get_host (uri), (guint16) port);
  if (ready_path != NULL)
    {
      self->ready_uri = g_uri_parse_relative (uri, ready_path, G_URI_FLAGS_NONE, NULL);
      self->session = g_object_new (SOUP_TYPE_SESSION, "timeout", TIMEOUT_SECONDS, "user-agent",
                                    "amps/" AMPS_VERSION, "remote-connectable", address,
                                    "proxy-resolver", NULL, NULL);
      self->interval = READY_INTERVAL;
    }

  self->timer = amps_clock_create_timer (clock, "workload probe");
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, NULL);
  return self;
}

/**
 * amps_probe_start:
 * @self: a probe
 *
 * Begins to probe, at once and until the workload is there.
 */
void
amps_probe_start (AmpsProbe *self)
{
  amps_timer_set_due (self->timer, amps_clock_get_monotonic_time (self->clock));
}

/**
 * amps_probe_watch:
 * @self: a probe
 * @interval: µs between probes, even while the workload is available
 */
void
amps_probe_watch (AmpsProbe *self, gint64 interval)
{
  self->interval = interval;
  schedule (self);
}

/**
 * amps_probe_report_unreachable:
 * @self: a probe
 * @why: for people
 *
 * Says that the workload could not be reached just now.
 */
void
amps_probe_report_unreachable (AmpsProbe *self, const char *why)
{
  if (self->available)
    set_available (self, FALSE, why);
}

/**
 * amps_probe_get_available:
 * @self: a probe
 *
 * Returns: whether the workload can be reached, as far as is known
 */
gboolean
amps_probe_get_available (AmpsProbe *self)
{
  return self->available;
}

/**
 * amps_probe_get_reason:
 * @self: a probe
 *
 * Returns: (nullable): why it can't
 */
const char *
amps_probe_get_reason (AmpsProbe *self)
{
  return self->reason;
}
