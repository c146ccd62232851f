/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "amps-span-exporter.h"

#include "amps-otlp-json.h"
#include "amps-otlp-resource.h"
#include "base/amps-backoff.h"
#include "base/amps-http-status.h"
#include "base/amps-log-throttle.h"
#include "base/amps-log.h"
#include "base/amps-pairs.h"
#include "base/amps-tls-peer.h"
#include "http/amps-retry-after.h"

#include <libsoup/soup.h>

/* How long a batch waits until it is full. */
#define BATCH_WAIT AMPS_SECONDS (5)

/* How often a batch is sent before it is given up, and how long it waits in between. */
#define MAX_TRIES 5
#define MIN_BACKOFF AMPS_SECONDS (1)
#define MAX_BACKOFF AMPS_SECONDS (30)

/* A collector may ask for more patience, up to this. */
#define MAX_RETRY_AFTER AMPS_SECONDS (300)

/* How long the end of the process may wait for the collector. */
#define FLUSH_TIMEOUT AMPS_SECONDS (3)

/* Bytes of an answer that are looked at: it is empty, or says how much was not taken. */
#define MAX_ANSWER (16 * 1024)

/* Bytes of a batch at first: it grows to some 500 KiB. */
#define FIRST_SIZE (64 * 1024)

typedef struct {
  GBytes *json; /* (owned) */
  unsigned int n_spans;
} Batch;

struct _AmpsSpanExporter {
  GObject parent_instance;

  AmpsConfig *config;        /* (owned) */
  AmpsClock *clock;          /* (owned) */
  AmpsMetrics *metrics;      /* (owned) */
  GUri *uri;                 /* (owned) of the collector */
  char **resource;           /* (owned) pairs that say whose spans they are */
  SoupSession *session;      /* (owned) */
  AmpsLogThrottle *problems; /* (owned) */

  GString *filling;        /* (owned) (nullable) the batch that is being made */
  unsigned int n_filling;  /* spans in it */
  gint64 filling_since;    /* monotonic µs: when its first span came */
  GQueue full;             /* (owned) of Batch, to be sent */
  Batch *batch;            /* (owned) (nullable) the one that is under way, or to be tried again */
  unsigned int n_held;     /* spans in all of these */
  unsigned int n_tries;    /* of @batch */
  GCancellable *request;   /* (owned) (nullable) while a request is under way */
  gboolean timed_out;      /* it took too long */
  GSource *timer;          /* (owned) due when something is to be sent, or took too long */
  GTask *flush;            /* (owned) (nullable) told when nothing is held */
  GSource *flush_timer;    /* (owned) due when that has taken too long */
  char answer[MAX_ANSWER]; /* of the request */
};

G_DEFINE_FINAL_TYPE (AmpsSpanExporter, amps_span_exporter, G_TYPE_OBJECT)

static void
batch_free (gpointer data)
{
  Batch *batch = data;

  g_bytes_unref (batch->json);
  g_free (batch);
}

static void
amps_span_exporter_finalize (GObject *object)
{
  AmpsSpanExporter *self = AMPS_SPAN_EXPORTER (object);

  amps_timer_free (self->timer);
  amps_timer_free (self->flush_timer);
  if (self->filling != NULL)
    g_string_free (self->filling, TRUE);
  g_queue_clear_full (&self->full, batch_free);
  g_clear_pointer (&self->batch, batch_free);
  g_clear_object (&self->request);
  g_clear_object (&self->flush);
  amps_log_throttle_free (self->problems);
  g_object_unref (self->session);
  g_strfreev (self->resource);
  g_uri_unref (self->uri);
  g_object_unref (self->metrics);
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_span_exporter_parent_class)->finalize (object);
}

static void
amps_span_exporter_class_init (AmpsSpanExporterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_span_exporter_finalize;
}

static void
amps_span_exporter_init (AmpsSpanExporter *self G_GNUC_UNUSED)
{
}

static void
span_exporter_set_due (AmpsSpanExporter *self, gint64 delay)
{
  amps_timer_set_due (self->timer, amps_clock_get_monotonic_time (self->clock) + delay);
}

/* Batches */

static void
finish_filling (AmpsSpanExporter *self)
{
  Batch *batch = g_new (Batch, 1);

  amps_otlp_json_end (self->filling);
  batch->json = g_string_free_to_bytes (g_steal_pointer (&self->filling));
  batch->n_spans = self->n_filling;
  self->n_filling = 0;
  g_queue_push_tail (&self->full, batch);
}

static void
begin_filling (AmpsSpanExporter *self)
{
  self->filling = g_string_sized_new (FIRST_SIZE);
  self->filling_since = amps_clock_get_monotonic_time (self->clock);
  amps_otlp_json_begin (self->filling, (const char *const *) self->resource);
  if (self->batch == NULL && g_queue_is_empty (&self->full))
    span_exporter_set_due (self, BATCH_WAIT);
}

/**
 * amps_span_exporter_add:
 * @self: an exporter
 * @span: a span that has ended
 *
 * Sends @span some time later; drops it if too many wait already.
 */
void
amps_span_exporter_add (AmpsSpanExporter *self, const AmpsSpan *span)
{
  if (self->n_held >= AMPS_SPAN_EXPORTER_MAX_HELD)
    {
      amps_metrics_add (self->metrics, AMPS_COUNTER_SPANS_DROPPED, 1);
      return;
    }

  if (self->filling == NULL)
    begin_filling (self);
  else
    g_string_append_c (self->filling, ',');
  amps_otlp_json_add_span (self->filling, span);
  self->n_filling++;
  self->n_held++;

  if (self->n_filling < AMPS_SPAN_EXPORTER_BATCH)
    return;
  finish_filling (self);
  /* Not here: a job's context may be on the stack. */
  if (self->batch == NULL)
    span_exporter_set_due (self, 0);
}

static void
tell_flushed (AmpsSpanExporter *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->flush);

  amps_timer_set_due (self->flush_timer, -1);
  g_task_return_boolean (task, TRUE);
}

/* What is next, now that nothing is under way. */
static void
plan (AmpsSpanExporter *self)
{
  if (!g_queue_is_empty (&self->full) || (self->flush != NULL && self->filling != NULL))
    span_exporter_set_due (self, 0);
  else if (self->filling != NULL)
    amps_timer_set_due (self->timer, self->filling_since + BATCH_WAIT);
  else if (self->flush != NULL)
    tell_flushed (self);
}

/* @n_taken: how many spans of it the collector has */
static void
end_batch (AmpsSpanExporter *self, unsigned int n_taken)
{
  Batch *batch = g_steal_pointer (&self->batch);

  amps_metrics_add (self->metrics, AMPS_COUNTER_SPANS_EXPORTED, n_taken);
  amps_metrics_add (self->metrics, AMPS_COUNTER_SPANS_DROPPED, batch->n_spans - n_taken);
  self->n_held -= batch->n_spans;
  self->n_tries = 0;
  batch_free (batch);
  plan (self);
}

static void
span_exporter_log_problem (AmpsSpanExporter *self, const char *problem)
{
  g_autofree char *text =
      amps_log_throttle_note (self->problems, problem, amps_clock_get_monotonic_time (self->clock));

  if (text != NULL)
    amps_log (WARNING, TRACES_FAILED, "Traces could not be sent: %s", text);
}

/* Answers */

/* https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
static gboolean
may_try_again (unsigned int status)
{
  return status == SOUP_STATUS_NONE || status == AMPS_HTTP_TOO_MANY_REQUESTS ||
         status == SOUP_STATUS_BAD_GATEWAY || status == SOUP_STATUS_SERVICE_UNAVAILABLE ||
         status == SOUP_STATUS_GATEWAY_TIMEOUT;
}

/* @status: 0 without an answer */
static void
span_exporter_fail (AmpsSpanExporter *self, unsigned int status, gint64 retry_after,
                    const char *problem)
{
  gint64 delay;

  span_exporter_log_problem (self, problem);
  if (!may_try_again (status) || self->n_tries >= MAX_TRIES || self->flush != NULL)
    {
      end_batch (self, 0);
      return;
    }

  delay = amps_backoff_draw (MIN_BACKOFF, MAX_BACKOFF, self->n_tries);
  span_exporter_set_due (self, MAX (delay, MIN (retry_after, MAX_RETRY_AFTER)));
}

static void
span_exporter_take_answer (AmpsSpanExporter *self, SoupMessage *message, gsize length)
{
  unsigned int status = soup_message_get_status (message);
  guint64 n_rejected = 0;

  if (status / 100 != 2)
    {
      SoupMessageHeaders *headers = soup_message_get_response_headers (message);
      g_autofree char *problem = g_strdup_printf ("the collector answered %u", status);

      span_exporter_fail (
          self, status,
          amps_retry_after_parse (soup_message_headers_get_one (headers, "Retry-After")), problem);
      return;
    }

  n_rejected = amps_otlp_json_read_rejected (self->answer, length);
  if (n_rejected > 0)
    span_exporter_log_problem (self, "the collector accepted only some of the spans");
  else
    amps_log_throttle_end (self->problems);
  end_batch (self, self->batch->n_spans - (unsigned int) MIN (n_rejected, self->batch->n_spans));
}

static void
end_request (AmpsSpanExporter *self)
{
  g_clear_object (&self->request);
  amps_timer_set_due (self->timer, -1);
}

static void
fail_request (AmpsSpanExporter *self, const GError *error)
{
  gboolean timed_out = self->timed_out;

  end_request (self);
  span_exporter_fail (self, SOUP_STATUS_NONE, -1, timed_out ? "no answer in time" : error->message);
}

typedef struct {
  AmpsSpanExporter *exporter; /* (owned) */
  SoupMessage *message;       /* (owned) */
} Request;

static void
span_exporter_request_free (Request *self)
{
  g_object_unref (self->message);
  g_object_unref (self->exporter);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, span_exporter_request_free)

static void
span_exporter_on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  AmpsSpanExporter *self = request->exporter;
  g_autoptr (GError) error = NULL;
  gsize length;

  if (!g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &length, &error))
    {
      fail_request (self, error);
      return;
    }

  end_request (self);
  span_exporter_take_answer (self, request->message, length);
}

static void
span_exporter_on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  AmpsSpanExporter *self = request->exporter;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) body = soup_session_send_finish (SOUP_SESSION (source), result, &error);

  if (body == NULL)
    {
      fail_request (self, error);
      return;
    }

  g_input_stream_read_all_async (body, self->answer, sizeof self->answer, G_PRIORITY_DEFAULT,
                                 self->request, span_exporter_on_read, g_steal_pointer (&request));
}

/* Requests */

/* From a file they may have changed. */
static void
append_headers (AmpsSpanExporter *self, SoupMessage *message)
{
  const char *text = amps_config_get_otlp_headers (self->config);
  g_auto (GStrv) pairs = text != NULL ? amps_pairs_parse (text) : NULL;

  for (char **pair = pairs; pair != NULL && *pair != NULL; pair += 2)
    soup_message_headers_replace (soup_message_get_request_headers (message), pair[0], pair[1]);
}

static void
send_batch (AmpsSpanExporter *self)
{
  Request *request = g_new (Request, 1);

  request->exporter = g_object_ref (self);
  request->message = soup_message_new_from_uri (SOUP_METHOD_POST, self->uri);
  soup_message_set_flags (request->message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_IDEMPOTENT);
  append_headers (self, request->message);
  if (g_str_equal (g_uri_get_scheme (self->uri), "https"))
    amps_tls_peer_keep_address_of (G_OBJECT (request->message));
  soup_message_set_request_body_from_bytes (request->message, "application/json",
                                            self->batch->json);

  self->n_tries++;
  self->timed_out = FALSE;
  self->request = g_cancellable_new ();
  span_exporter_set_due (self, AMPS_MILLISECONDS (amps_config_get_otlp_timeout (self->config)));
  soup_session_send_async (self->session, request->message, G_PRIORITY_DEFAULT, self->request,
                           span_exporter_on_answer, request);
}

static gboolean
span_exporter_on_timer (gpointer user_data)
{
  AmpsSpanExporter *self = AMPS_SPAN_EXPORTER (user_data);

  amps_timer_set_due (self->timer, -1);
  if (self->request != NULL)
    {
      self->timed_out = TRUE;
      g_cancellable_cancel (self->request);
      return G_SOURCE_CONTINUE;
    }

  if (self->batch == NULL && g_queue_is_empty (&self->full) && self->filling != NULL)
    finish_filling (self);
  if (self->batch == NULL)
    self->batch = g_queue_pop_head (&self->full);
  if (self->batch != NULL)
    send_batch (self);
  return G_SOURCE_CONTINUE;
}

/* What is left is dropped. */
static gboolean
on_flush_timer (gpointer user_data)
{
  AmpsSpanExporter *self = AMPS_SPAN_EXPORTER (user_data);

  amps_log (WARNING, TRACES_UNSENT, "The collector did not accept the last %u spans in time",
            self->n_held);
  amps_metrics_add (self->metrics, AMPS_COUNTER_SPANS_DROPPED, self->n_held);
  tell_flushed (self);
  return G_SOURCE_CONTINUE;
}

/**
 * amps_span_exporter_flush_async:
 * @self: an exporter
 * @callback: called when all spans are sent or dropped, after 3 s at the latest
 * @user_data: passed to @callback
 *
 * Sends what waits, and tries nothing again, because the process is to end.
 */
void
amps_span_exporter_flush_async (AmpsSpanExporter *self, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_return_if_fail (self->flush == NULL);

  self->flush = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (self->flush, amps_span_exporter_flush_async);
  amps_timer_set_due (self->flush_timer,
                      amps_clock_get_monotonic_time (self->clock) + FLUSH_TIMEOUT);
  if (self->request == NULL && self->batch != NULL)
    span_exporter_set_due (self, 0);
  else if (self->request == NULL)
    plan (self);
}

/**
 * amps_span_exporter_flush_finish:
 * @self: an exporter
 * @result: what the callback got
 * @error: return location: none
 *
 * Returns: %TRUE
 */
gboolean
amps_span_exporter_flush_finish (AmpsSpanExporter *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static SoupSession *
create_session (void)
{
  SoupSession *session =
      g_object_new (SOUP_TYPE_SESSION, "max-conns", 1, "max-conns-per-host", 1, "proxy-resolver",
                    NULL, "timeout", 0, "user-agent", "AMPS/" AMPS_VERSION, NULL);

  /* The answer is not unpacked, which could make any size of it. */
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_AUTH_MANAGER);
  return session;
}

/**
 * amps_span_exporter_new:
 * @config: the settings
 * @clock: what time is measured by
 * @metrics: counts what is sent, and what is not
 * @url: where the collector takes spans
 *
 * Returns: (transfer full): an exporter with nothing to send
 */
AmpsSpanExporter *
amps_span_exporter_new (AmpsConfig *config, AmpsClock *clock, AmpsMetrics *metrics, const char *url)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);

  AmpsSpanExporter *self = g_object_new (AMPS_TYPE_SPAN_EXPORTER, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->metrics = g_object_ref (metrics);
  self->uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  self->resource = amps_otlp_resource_new (config);
  self->session = create_session ();
  self->problems = amps_log_throttle_new ();
  self->timer = amps_clock_attach_timer (clock, "spans", span_exporter_on_timer, self);
  self->flush_timer = amps_clock_attach_timer (clock, "last spans", on_flush_timer, self);
  return self;
}
