/* SPDX-License-Identifier: MIT */
#include "amps-probe.h"

#include "amps-interim-answers.h"
#include "base/amps-backoff.h"
#include "base/amps-foreign-text.h"
#include "base/amps-log.h"
#include "base/amps-tls-peer.h"

#define MIN_BACKOFF AMPS_MILLISECONDS (100)
#define MAX_BACKOFF AMPS_SECONDS (1)

/* After so long a failure is a new one. */
#define STABLE_TIME AMPS_SECONDS (10)

/* A workload that says whether it is ready is asked so often. */
#define READY_INTERVAL AMPS_SECONDS (5)

/* For each step of a probe, and for each byte of an answer. */
#define TIMEOUT_SECONDS 5

/* For all of it. As long as the look-up of a name with three servers that are dead. */
#define DEADLINE_SECONDS 30

/* Looks end within a second. */
#define MAX_LOOKS 8

struct _AmpsProbe {
  GObject parent_instance;

  AmpsClock *clock;       /* (owned) */
  AmpsEndpoint *endpoint; /* (owned) */
  char *ready_path;       /* (owned) (nullable) asked, where connecting would not do */
  SoupSession *session;   /* (owned) (nullable) for @ready_path */
  GCancellable *probing;  /* (owned) (nullable) ends the probe that runs */
  AmpsInterimAnswers interim;
  GError *flood;  /* (owned) (nullable) why the answer is not waited for any more */
  GSource *timer; /* (owned) due for the next probe, or for the end of this one */

  gboolean available;
  gboolean gone;          /* nobody listens there */
  gboolean refused;       /* as it said itself, so that it has been started anew if it is back */
  GCancellable *looks;    /* (owned) ends all looks */
  unsigned int n_looks;   /* under way */
  gint64 available_since; /* monotonic µs */
  char *reason;           /* (owned) (nullable) why it is not available */
  gint64 interval;        /* µs between probes while it is available; 0 for none */
  unsigned int failures;
};

G_DEFINE_FINAL_TYPE (AmpsProbe, amps_probe, G_TYPE_OBJECT)

typedef enum {
  PROP_AVAILABLE = 1,
  PROP_GONE,
  N_PROPS,
} AmpsProbeProperty;

typedef enum {
  SIGNAL_RESTARTED,
  N_SIGNALS,
} AmpsProbeSignal;

static GParamSpec *props[N_PROPS];
static unsigned int signals[N_SIGNALS];

static void
amps_probe_get_property (GObject *object, unsigned int prop_id, GValue *value, GParamSpec *pspec)
{
  switch ((AmpsProbeProperty) prop_id)
    {
    case PROP_AVAILABLE:
      g_value_set_boolean (value, AMPS_PROBE (object)->available);
      break;
    case PROP_GONE:
      g_value_set_boolean (value, AMPS_PROBE (object)->gone);
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

  g_cancellable_cancel (self->probing);
  g_cancellable_cancel (self->looks);
  g_source_destroy (self->timer);

  G_OBJECT_CLASS (amps_probe_parent_class)->dispose (object);
}

static void
amps_probe_finalize (GObject *object)
{
  AmpsProbe *self = AMPS_PROBE (object);

  g_source_unref (self->timer);
  g_clear_object (&self->probing);
  g_clear_error (&self->flood);
  g_object_unref (self->looks);
  g_clear_object (&self->session);
  g_free (self->ready_path);
  g_object_unref (self->endpoint);
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
  /**
   * AmpsProbe:gone:
   *
   * Whether nobody listens where the workload is, as far as is known.
   */
  props[PROP_GONE] =
      g_param_spec_boolean ("gone", NULL, NULL, FALSE,
                            G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * AmpsProbe::restarted:
   * @self: a probe
   *
   * The workload refused connections, and takes them again.
   */
  signals[SIGNAL_RESTARTED] = g_signal_new ("restarted", G_TYPE_FROM_CLASS (klass),
                                            G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
amps_probe_init (AmpsProbe *self)
{
  self->looks = g_cancellable_new ();
  self->reason = g_strdup ("the workload has not been reached yet");
}

static void
probe_schedule (AmpsProbe *self)
{
  gint64 now = amps_clock_get_monotonic_time (self->clock);

  if (self->probing != NULL)
    return;

  if (!self->available)
    amps_timer_set_due (
        self->timer, now + amps_backoff_draw (MIN_BACKOFF, MAX_BACKOFF, MAX (self->failures, 1)));
  else
    amps_timer_set_due (self->timer, self->interval > 0 ? now + self->interval : -1);
}

static gboolean
is_gone (const GError *error)
{
  static const int codes[] = {
    G_IO_ERROR_CONNECTION_REFUSED,  G_IO_ERROR_HOST_NOT_FOUND, G_IO_ERROR_HOST_UNREACHABLE,
    G_IO_ERROR_NETWORK_UNREACHABLE, G_IO_ERROR_NOT_FOUND,
  };

  for (unsigned int i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      if (g_error_matches (error, G_IO_ERROR, codes[i]))
        return TRUE;
    }

  return error != NULL && error->domain == G_RESOLVER_ERROR;
}

static void
set_gone (AmpsProbe *self, gboolean gone)
{
  if (self->gone == gone)
    return;

  self->gone = gone;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_GONE]);
}

static void
set_available (AmpsProbe *self, gboolean available, const char *reason)
{
  gboolean changed = self->available != available;
  gint64 now = amps_clock_get_monotonic_time (self->clock);

  /* A workload that accepts connections but can't be talked to, such as with a
   * certificate that it does not like, is not tried in vain at full speed. */
  if (self->available && now - self->available_since >= STABLE_TIME)
    self->failures = 0;
  if (!available)
    self->failures++;
  else if (changed)
    self->available_since = now;
  self->available = available;
  g_free (self->reason);
  self->reason = reason != NULL ? amps_foreign_text_dup (reason, -1) : NULL;
  probe_schedule (self);

  if (!changed && self->failures == 1)
    amps_log (INFO, WORKLOAD_WAITING, "Waiting for the workload: %s", reason);
  if (!changed)
    return;

  if (available)
    amps_log (INFO, WORKLOAD_AVAILABLE, "The workload is available");
  else
    amps_log (WARNING, WORKLOAD_UNAVAILABLE, "The workload is not available: %s", reason);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_AVAILABLE]);
}

/* Nobody listens at a port, or at a path of the file system. */
static gboolean
probe_is_refused (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
probe_set_refused (AmpsProbe *self, gboolean refused)
{
  gboolean restarted = self->refused && !refused;

  self->refused = refused;
  if (restarted)
    g_signal_emit (self, signals[SIGNAL_RESTARTED], 0);
}

/* @answered: whether it took a connection */
static void
finish_probe (AmpsProbe *self, gboolean answered, const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  g_clear_object (&self->probing);
  if (answered || probe_is_refused (error))
    probe_set_refused (self, !answered);
  set_available (self, error == NULL, error != NULL ? error->message : NULL);
  set_gone (self, is_gone (error));
}

static void
probe_on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (AmpsProbe) self = AMPS_PROBE (user_data);
  g_autoptr (GError) error = NULL;

  amps_endpoint_connect_finish (AMPS_ENDPOINT (source), result, &error);
  finish_probe (self, error == NULL, error);
}

static void
on_ready_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (AmpsProbe) self = AMPS_PROBE (user_data);
  g_autoptr (GError) error = NULL;
  SoupMessage *message = soup_session_get_async_result_message (SOUP_SESSION (source), result);
  g_autoptr (GInputStream) body = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  gboolean answered = body != NULL;

  if (answered && !SOUP_STATUS_IS_SUCCESSFUL (soup_message_get_status (message)))
    g_set_error (&error, G_IO_ERROR, G_IO_ERROR_FAILED, "its readiness check answered %u",
                 soup_message_get_status (message));
  if (self->flood != NULL)
    {
      g_clear_error (&error);
      error = g_steal_pointer (&self->flood);
      answered = TRUE;
    }

  finish_probe (self, answered, error);
}

static void
probe_on_informational (SoupMessage *message G_GNUC_UNUSED, AmpsProbe *self)
{
  /* What libsoup has read already still comes. */
  if (self->probing == NULL || self->flood != NULL)
    return;

  if (!amps_interim_answers_add (&self->interim, self->clock, &self->flood))
    g_cancellable_cancel (self->probing);
}

static void
probe_give_up (AmpsProbe *self)
{
  g_autoptr (GError) error =
      g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "no answer within %d s", DEADLINE_SECONDS);

  g_cancellable_cancel (self->probing);
  finish_probe (self, FALSE, error);
}

static void
begin_probe (AmpsProbe *self)
{
  self->probing = g_cancellable_new ();
  amps_timer_set_due (self->timer, amps_clock_get_monotonic_time (self->clock) +
                                       AMPS_SECONDS (DEADLINE_SECONDS));
  if (self->ready_path != NULL)
    {
      g_autoptr (SoupMessage) message =
          amps_endpoint_create_message (self->endpoint, SOUP_METHOD_GET, self->ready_path);

      /* Whether it still takes connections is part of the question. */
      soup_message_headers_append (soup_message_get_request_headers (message), "Connection",
                                   "close");
      g_signal_connect_object (message, "got-informational", G_CALLBACK (probe_on_informational),
                               self, 0);
      if (amps_endpoint_is_tls (self->endpoint))
        amps_tls_peer_keep_address_of (G_OBJECT (message));
      soup_session_send_async (self->session, message, G_PRIORITY_DEFAULT, self->probing,
                               on_ready_answer, g_object_ref (self));
    }
  else
    {
      amps_endpoint_connect_async (self->endpoint, TIMEOUT_SECONDS, self->probing,
                                   probe_on_connected, g_object_ref (self));
    }
}

static gboolean
probe_on_timer (gpointer user_data)
{
  AmpsProbe *self = AMPS_PROBE (user_data);

  if (self->probing != NULL)
    probe_give_up (self);
  else
    begin_probe (self);

  return G_SOURCE_CONTINUE;
}

/**
 * amps_probe_new:
 * @clock: what time is measured by
 * @endpoint: where the workload is
 * @ready_path: (nullable): what to GET, if connecting is not enough
 *
 * Returns: (transfer full): a probe that knows of no workload yet
 */
AmpsProbe *
amps_probe_new (AmpsClock *clock, AmpsEndpoint *endpoint, const char *ready_path)
{
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_ENDPOINT (endpoint), NULL);

  AmpsProbe *self = g_object_new (AMPS_TYPE_PROBE, NULL);

  self->clock = g_object_ref (clock);
  self->endpoint = g_object_ref (endpoint);
  if (ready_path != NULL)
    {
      self->ready_path = g_strdup (ready_path);
      self->session = amps_endpoint_create_session (endpoint, 1, TIMEOUT_SECONDS);
    }

  self->timer = amps_clock_attach_timer (clock, "workload probe", probe_on_timer, self);
  amps_probe_set_interval (self, 0);
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
 * amps_probe_set_interval:
 * @self: a probe
 * @interval: µs between probes while the workload is available; 0 for no more than are
 *   needed
 */
void
amps_probe_set_interval (AmpsProbe *self, gint64 interval)
{
  if (interval == 0 && self->ready_path != NULL)
    interval = READY_INTERVAL;
  if (self->interval == interval)
    return;

  self->interval = interval;
  if (self->available)
    probe_schedule (self);
}

/* Only that nobody listens says something: one that is busy may take no connection for
 * long, and this process may have no descriptor left. */
static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (AmpsProbe) self = AMPS_PROBE (user_data);
  g_autoptr (GError) error = NULL;

  self->n_looks--;
  amps_endpoint_connect_finish (AMPS_ENDPOINT (source), result, &error);
  if (!probe_is_refused (error) || !self->available)
    return;

  self->refused = TRUE;
  set_available (self, FALSE, error->message);
  set_gone (self, TRUE);
}

/**
 * amps_probe_look:
 * @self: a probe
 *
 * Looks at once whether the workload still takes connections, if it is available as far
 * as is known. Nothing is asked, whatever WORKLOAD_READY_PATH says.
 */
void
amps_probe_look (AmpsProbe *self)
{
  if (!self->available || self->n_looks >= MAX_LOOKS)
    return;

  self->n_looks++;
  amps_endpoint_look_async (self->endpoint, self->looks, on_looked, g_object_ref (self));
}

/**
 * amps_probe_report_unreachable:
 * @self: a probe
 * @why: for people
 * @error: (nullable): what became of a connection
 *
 * Says that the workload could not be reached just now.
 */
void
amps_probe_report_unreachable (AmpsProbe *self, const char *why, const GError *error)
{
  if (probe_is_refused (error))
    self->refused = TRUE;
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
 * amps_probe_get_gone:
 * @self: a probe
 *
 * Returns: whether nobody listens there, as far as is known
 */
gboolean
amps_probe_get_gone (AmpsProbe *self)
{
  return self->gone;
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
