/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-sentry.h"

#include "amps-sentry-dsn.h"
#include "amps-sentry-limits.h"
#include "amps-sentry-report.h"
#include "base/amps-http-status.h"
#include "base/amps-log-throttle.h"

#include <libsoup/soup.h>

#define CONTENT_TYPE "application/x-sentry-envelope"

/* How many reports wait while one is sent. */
#define MAX_WAITING 30

/* Seconds that Sentry may be silent. */
#define SEND_TIMEOUT 10

struct _AmpsSentry {
  GObject parent_instance;

  AmpsConfig *config;        /* (owned) */
  AmpsClock *clock;          /* (owned) */
  AmpsMetrics *metrics;      /* (owned) */
  AmpsMailbox *mailbox;      /* (owned) of AmpsSentryReport */
  AmpsSentryLimits *limits;  /* (owned) */
  AmpsLogThrottle *problems; /* (owned) */
  SoupSession *session;      /* (owned) */
  GCancellable *cancellable; /* (owned) */
  GQueue waiting;            /* (owned) of GBytes: envelopes */
  gboolean sending;
};

G_DEFINE_FINAL_TYPE (AmpsSentry, amps_sentry, G_TYPE_OBJECT)

static void send_next (AmpsSentry *self);

static void
sentry_count (AmpsSentry *self, AmpsReportResult result)
{
  amps_metrics_count_report (self->metrics, result);
}

/* What is logged here is not reported. */
static void
sentry_note_problem (AmpsSentry *self, const char *problem)
{
  g_autofree char *text =
      amps_log_throttle_note (self->problems, problem, amps_clock_get_monotonic_time (self->clock));

  sentry_count (self, AMPS_REPORT_FAILED);
  if (text != NULL)
    amps_log (WARNING, SENTRY_FAILED, "Errors can't be reported to Sentry: %s", text);
}

static void
note_answer (AmpsSentry *self, SoupMessage *message)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  unsigned int status = soup_message_get_status (message);
  g_autofree char *problem = g_strdup_printf ("it answered %u", status);

  amps_sentry_limits_note_answer (self->limits, status,
                                  soup_message_headers_get_one (headers, "Retry-After"),
                                  soup_message_headers_get_list (headers, "X-Sentry-Rate-Limits"),
                                  amps_clock_get_monotonic_time (self->clock));

  if (SOUP_STATUS_IS_SUCCESSFUL (status))
    {
      amps_log_throttle_end (self->problems);
      sentry_count (self, AMPS_REPORT_SENT);
    }
  else if (status == AMPS_HTTP_TOO_MANY_REQUESTS)
    sentry_count (self, AMPS_REPORT_LIMITED);
  else
    sentry_note_problem (self, problem);
}

/* The text of the answer says nothing more. */
static void
sentry_on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (AmpsSentry) self = AMPS_SENTRY (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream =
      soup_session_send_finish (SOUP_SESSION (source), result, &error);

  self->sending = FALSE;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      sentry_count (self, AMPS_REPORT_DROPPED);
      return;
    }

  if (stream != NULL)
    note_answer (self, soup_session_get_async_result_message (SOUP_SESSION (source), result));
  else
    sentry_note_problem (self, error->message);
  send_next (self);
}

/* The DSN is read each time: a file may have another one since. */
static void
send_envelope (AmpsSentry *self, GBytes *envelope)
{
  g_autoptr (AmpsSentryDsn) dsn = amps_sentry_dsn_new (amps_config_get_sentry_dsn (self->config));
  g_autoptr (SoupMessage) message = soup_message_new (SOUP_METHOD_POST, dsn->url);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  /* The key is for this address alone. */
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  soup_message_headers_replace (headers, "X-Sentry-Auth", dsn->auth);
  soup_message_set_request_body_from_bytes (message, CONTENT_TYPE, envelope);
  self->sending = TRUE;
  soup_session_send_async (self->session, message, G_PRIORITY_LOW, self->cancellable,
                           sentry_on_answered, g_object_ref (self));
}

static void
send_next (AmpsSentry *self)
{
  g_autoptr (GBytes) envelope = NULL;

  while (!g_queue_is_empty (&self->waiting) &&
         amps_sentry_limits_is_closed (self->limits, amps_clock_get_monotonic_time (self->clock)))
    {
      g_bytes_unref (g_queue_pop_head (&self->waiting));
      sentry_count (self, AMPS_REPORT_LIMITED);
    }

  envelope = g_queue_pop_head (&self->waiting);
  if (envelope != NULL)
    send_envelope (self, envelope);
}

static void
on_report (AmpsMail *mail, gpointer user_data)
{
  AmpsSentry *self = AMPS_SENTRY (user_data);
  g_autoptr (AmpsSentryReport) report = (AmpsSentryReport *) mail;
  gint64 now = amps_clock_get_monotonic_time (self->clock);
  AmpsSentrySource source = { amps_config_get_environment (self->config),
                              amps_config_get_worker_id (self->config),
                              amps_config_get_subject (self->config) };

  if (amps_sentry_limits_is_closed (self->limits, now) ||
      !amps_sentry_limits_admit (self->limits, report->event, now, &report->n_silenced))
    {
      sentry_count (self, AMPS_REPORT_LIMITED);
      return;
    }

  if (g_queue_get_length (&self->waiting) == MAX_WAITING)
    {
      sentry_count (self, AMPS_REPORT_DROPPED);
      return;
    }

  g_queue_push_tail (&self->waiting, amps_sentry_report_to_envelope (report, &source));
  if (!self->sending)
    send_next (self);
}

/* In any thread. */
static void
on_logged (const AmpsLogLine *line, gpointer user_data)
{
  AmpsSentry *self = user_data;

  if (line->event != AMPS_LOG_EVENT_SENTRY_FAILED && line->message != NULL)
    amps_mailbox_send (self->mailbox, &amps_sentry_report_new (line)->mail);
}

static void
free_report (gpointer mail)
{
  amps_sentry_report_free (mail);
}

static void
amps_sentry_finalize (GObject *object)
{
  AmpsSentry *self = AMPS_SENTRY (object);

  amps_log_set_observer (NULL, NULL);
  amps_mailbox_free (self->mailbox);
  g_queue_clear_full (&self->waiting, (GDestroyNotify) g_bytes_unref);
  amps_sentry_limits_free (self->limits);
  amps_log_throttle_free (self->problems);
  g_object_unref (self->session);
  g_object_unref (self->cancellable);
  g_object_unref (self->metrics);
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_sentry_parent_class)->finalize (object);
}

static void
amps_sentry_class_init (AmpsSentryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_sentry_finalize;
}

static void
amps_sentry_init (AmpsSentry *self)
{
  self->limits = amps_sentry_limits_new ();
  self->problems = amps_log_throttle_new ();
  self->cancellable = g_cancellable_new ();
  self->mailbox = amps_mailbox_new ("reports", NULL, on_report, free_report, self);
  self->session =
      soup_session_new_with_options ("proxy-resolver", NULL, "timeout", SEND_TIMEOUT, "user-agent",
                                     "amps/" AMPS_VERSION, "max-conns", 1, NULL);
}

/**
 * amps_sentry_new:
 * @config: settings with a SENTRY_DSN
 * @clock: what the limits are measured by
 * @metrics: where reports are counted
 *
 * From now on what is logged as a warning or worse is reported, from whatever thread. There
 * can be one of these in a process, and other threads must have ended before it does.
 *
 * Returns: (transfer full): what reports
 */
AmpsSentry *
amps_sentry_new (AmpsConfig *config, AmpsClock *clock, AmpsMetrics *metrics)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);

  AmpsSentry *self = g_object_new (AMPS_TYPE_SENTRY, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->metrics = g_object_ref (metrics);
  amps_log_set_observer (on_logged, self);
  return self;
}

static gboolean
on_flush_timeout (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/**
 * amps_sentry_flush:
 * @self: what reports
 * @timeout: µs
 *
 * Sends what waits, and drops what could not be sent in time. Runs the main loop, so it is to
 * be called at the end, when nothing else does anything there.
 */
void
amps_sentry_flush (AmpsSentry *self, gint64 timeout)
{
  g_autoptr (GSource) timer = g_timeout_source_new ((unsigned int) (timeout / 1000));
  gboolean is_over = FALSE;

  g_source_set_callback (timer, on_flush_timeout, &is_over, NULL);
  g_source_attach (timer, NULL);

  /* What was logged last is in the mailbox yet. */
  while (!is_over && (g_main_context_iteration (NULL, FALSE) || self->sending))
    if (self->sending)
      g_main_context_iteration (NULL, TRUE);

  g_source_destroy (timer);
  g_cancellable_cancel (self->cancellable);
  while (self->sending)
    g_main_context_iteration (NULL, TRUE);
}
