/* SPDX-License-Identifier: MIT */
#include "amps-workload.h"

#include "amps-answer-reader.h"
#include "amps-early-answer.h"
#include "amps-interim-answers.h"
#include "amps-job-message.h"
#include "amps-probe.h"
#include "amps-session-pool.h"
#include "base/amps-error.h"
#include "base/amps-timer-queue.h"

/* A request waits this long for a connection before AMPS makes more, unless AMPS is busy. */
#define GROW_DELAY AMPS_MILLISECONDS (20)

/* At most this many requests are being sent at once: libsoup has 8 KiB for each until its
 * body is sent. Fewer would mean more turns of the main loop, with less to do in each. */
#define MAX_SENDING 384

/* At most this many connections are made at once. Each step of making one is a turn of the
 * main loop, in which the first POST waits for all others. */
#define MAX_CONNECTING 8

/* When the workload takes this long to answer, more connections help even if AMPS is busy. */
#define SLOW_ANSWER AMPS_SECONDS (1)

/* A smaller body fits into the kernel's buffers, so that writing it does not fail. */
#define MIN_LARGE (32 * 1024)

/* How often a job is looked at whose time stands still. */
#define CHECK_INTERVAL AMPS_SECONDS (1)

struct _AmpsWorkload {
  GObject parent_instance;

  AmpsConfig *config;        /* (owned) */
  AmpsClock *clock;          /* (owned) */
  AmpsMetrics *metrics;      /* (owned) */
  AmpsEndpoint *endpoint;    /* (owned) */
  AmpsSessionPool *pool;     /* (owned) */
  AmpsProbe *probe;          /* (owned) */
  AmpsConnectionWatch *kept; /* (owned) of all connections */
  GQueue waiting;            /* (owned) of Request, for a connection */
  GSource *grow_timer;       /* (owned) due when the first of them has waited too long */
  gint64 connected;          /* monotonic µs: when a connection was last made */
  unsigned int n_sending;    /* requests of @generation that are not sent yet */
  unsigned int n_connecting; /* those of them that have no connection yet */
  unsigned int generation;   /* increases when those that are not sent take too long */
  AmpsTimerQueue *deadlines; /* (owned) of Request */
  gint64 timeout;            /* µs for an answer, in async mode */
  gboolean sync;
};

G_DEFINE_FINAL_TYPE (AmpsWorkload, amps_workload, G_TYPE_OBJECT)

typedef enum {
  PROP_AVAILABLE = 1,
  N_PROPS,
} AmpsWorkloadProperty;

typedef enum {
  SIGNAL_ENDED,
  N_SIGNALS,
} AmpsWorkloadSignal;

static GParamSpec *props[N_PROPS];
static unsigned int signals[N_SIGNALS];

typedef struct {
  AmpsWorkload *workload;     /* (owned) */
  GPtrArray *jobs;            /* (owned) */
  GTask *task;                /* (owned) */
  SoupMessage *message;       /* (owned) (nullable) once sent */
  AmpsBodyStream *body;       /* (owned) (nullable) while a body of some size is being sent */
  AmpsPooledSession *session; /* (nullable) acquired, once sent */
  GCancellable *cancellable;  /* (owned) of this request alone */
  AmpsTimerEntry *deadline;   /* (nullable) */
  gint64 begun;               /* monotonic µs when it began to wait, then when it was sent */
  unsigned int generation;    /* in which it is being sent; 0 before and after that */
  gboolean connects;          /* it is the first one of a connection */
  gboolean sent;              /* at least its headers, so that the workload may have it */
  gboolean timed_out;
  gboolean switches; /* the answer is 101, which nobody asked for */
  AmpsInterimAnswers interim;
  AmpsEarlyAnswer *early; /* (owned) (nullable) while a large body is being sent */
  AmpsAnswer *answer;     /* (owned) (nullable) once there is one */
  GError *error;          /* (owned) (nullable) why there was no answer */
} Request;

static void
workload_request_free (Request *request)
{
  if (request->message != NULL)
    g_signal_handlers_disconnect_by_data (request->message, request);
  g_clear_object (&request->message);
  g_clear_object (&request->body);
  g_clear_pointer (&request->early, amps_early_answer_free);
  g_clear_pointer (&request->answer, amps_answer_free);
  g_clear_error (&request->error);
  g_object_unref (request->cancellable);
  g_object_unref (request->task);
  g_ptr_array_unref (request->jobs);
  g_object_unref (request->workload);
  g_free (request);
}

static void
amps_workload_get_property (GObject *object, unsigned int prop_id, GValue *value, GParamSpec *pspec)
{
  switch ((AmpsWorkloadProperty) prop_id)
    {
    case PROP_AVAILABLE:
      g_value_set_boolean (value, amps_workload_get_available (AMPS_WORKLOAD (object)));
      break;
    case N_PROPS:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
amps_workload_dispose (GObject *object)
{
  AmpsWorkload *self = AMPS_WORKLOAD (object);

  g_source_destroy (self->grow_timer);
  g_object_run_dispose (G_OBJECT (self->probe));

  G_OBJECT_CLASS (amps_workload_parent_class)->dispose (object);
}

static void
amps_workload_finalize (GObject *object)
{
  AmpsWorkload *self = AMPS_WORKLOAD (object);

  amps_timer_queue_free (self->deadlines);
  g_source_unref (self->grow_timer);
  g_object_unref (self->probe);
  amps_session_pool_free (self->pool);
  amps_connection_watch_free (self->kept);
  g_object_unref (self->endpoint);
  g_object_unref (self->metrics);
  g_object_unref (self->clock);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_workload_parent_class)->finalize (object);
}

static void
amps_workload_class_init (AmpsWorkloadClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = amps_workload_get_property;
  object_class->dispose = amps_workload_dispose;
  object_class->finalize = amps_workload_finalize;

  /**
   * AmpsWorkload:available:
   *
   * Whether the workload can be reached, as far as is known.
   */
  props[PROP_AVAILABLE] =
      g_param_spec_boolean ("available", NULL, NULL, FALSE,
                            G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * AmpsWorkload::ended-connections:
   * @self: a workload
   *
   * It has ended connections: it may have gone.
   */
  signals[SIGNAL_ENDED] = g_signal_new ("ended-connections", G_TYPE_FROM_CLASS (klass),
                                        G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
amps_workload_init (AmpsWorkload *self G_GNUC_UNUSED)
{
}

static void
on_probe_available (AmpsProbe *probe G_GNUC_UNUSED, GParamSpec *pspec G_GNUC_UNUSED,
                    AmpsWorkload *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_AVAILABLE]);
}

static void
on_ended (gpointer user_data)
{
  g_signal_emit (user_data, signals[SIGNAL_ENDED], 0);
}

/* Answers */

static void workload_send_waiting (AmpsWorkload *self);

static void
on_wrote_headers (SoupMessage *message, Request *request)
{
  GSocket *socket;

  request->sent = TRUE;
  if (request->body == NULL)
    return;

  socket = amps_pooled_session_get_socket (request->session, message);
  if (socket != NULL)
    amps_body_stream_set_socket (request->body, socket);
  if (socket != NULL && amps_body_stream_get_size (request->body) >= MIN_LARGE)
    request->early = amps_early_answer_new (socket);
}

static void
workload_on_informational (SoupMessage *message, Request *request)
{
  /* What libsoup has read already still comes. */
  if (g_cancellable_is_cancelled (request->cancellable))
    return;

  request->switches = soup_message_get_status (message) == SOUP_STATUS_SWITCHING_PROTOCOLS;
  if (request->switches ||
      !amps_interim_answers_add (&request->interim, request->workload->clock, &request->error))
    g_cancellable_cancel (request->cancellable);
}

static void
end_sending (Request *request)
{
  AmpsWorkload *self = request->workload;

  if (request->generation == self->generation)
    {
      self->n_sending--;
      if (request->connects)
        self->n_connecting--;
    }
  request->generation = 0;
}

static void
on_wrote_body (SoupMessage *message, Request *request)
{
  AmpsWorkload *self = request->workload;
  gboolean full = self->n_sending >= MAX_SENDING;
  gboolean connected = request->connects && request->generation == self->generation;

  /* A POST is never sent again, and thousands of them may wait for their answers. */
  g_signal_handlers_disconnect_by_data (message, request);
  amps_pooled_session_end_sending (request->session, message);
  g_signal_connect (message, "got-informational", G_CALLBACK (workload_on_informational), request);
  g_clear_pointer (&request->early, amps_early_answer_free);
  g_clear_object (&request->body);
  soup_message_set_request_body (message, NULL, NULL, 0);
  soup_message_headers_clear (soup_message_get_request_headers (message));

  end_sending (request);
  if (connected)
    self->connected = amps_clock_get_monotonic_time (self->clock);
  else if (!full || self->n_sending >= MAX_SENDING)
    return;

  workload_send_waiting (self);
}

static AmpsAnswer *
make_failed_answer (Request *request, const GError *error)
{
  AmpsAnswer *answer = request->early != NULL
                           ? amps_early_answer_read (request->early, request->workload->sync)
                           : NULL;

  if (request->switches)
    answer = amps_answer_new (AMPS_ANSWER_STATUS, SOUP_STATUS_SWITCHING_PROTOCOLS);
  if (answer != NULL)
    return answer;

  if (request->error == NULL)
    request->error =
        amps_endpoint_explain_failure (request->workload->endpoint, request->message, error);
  return amps_answer_new_failed (request->error, request->sent, request->timed_out);
}

/* Whatever context the session was in, this is not its business. */
static void
workload_end (gpointer user_data)
{
  Request *request = user_data;
  AmpsWorkload *self = request->workload;
  AmpsAnswer *answer = g_steal_pointer (&request->answer);
  gint64 duration = amps_clock_get_monotonic_time (self->clock) - request->begun;

  if (request->deadline != NULL)
    amps_timer_queue_remove (self->deadlines, request->deadline);
  end_sending (request);
  if (duration >= SLOW_ANSWER && self->waiting.head != NULL)
    amps_session_pool_grow (self->pool);
  amps_session_pool_release (self->pool, g_steal_pointer (&request->session), request->message);
  amps_metrics_count_workload_request (self->metrics, answer->status);
  amps_metrics_observe (self->metrics, AMPS_HISTOGRAM_WORKLOAD_REQUEST_DURATION, duration, NULL);

  /* Before anyone hears of it, so that nobody tries again at once. */
  if (answer->kind == AMPS_ANSWER_UNREACHABLE)
    amps_probe_report_unreachable (self->probe, answer->detail, request->error);

  g_task_return_pointer (request->task, answer, (GDestroyNotify) amps_answer_free);
  workload_send_waiting (self);
  workload_request_free (request);
}

static void
workload_on_read (AmpsAnswer *answer, const GError *error, gpointer user_data)
{
  Request *request = user_data;

  request->answer = answer != NULL ? answer : make_failed_answer (request, error);
  amps_pooled_session_call (request->session, workload_end, request);
}

static void
workload_on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) body = soup_session_send_finish (SOUP_SESSION (source), result, &error);

  if (body == NULL)
    workload_on_read (NULL, error, request);
  else
    amps_answer_reader_read (request->message, body, request->workload->config,
                             request->cancellable, workload_on_read, request);
}

/* Requests */

/* In sync mode the answer is due when the jobs are, whose deadlines move with
 * heartbeats and stand still while something is published for them. */
static gint64
get_latest_deadline (Request *request)
{
  gint64 latest = 0;

  for (unsigned int i = 0; i < request->jobs->len; i++)
    {
      AmpsJob *job = g_ptr_array_index (request->jobs, i);
      gint64 deadline = amps_job_get_deadline (job);

      if (amps_job_get_state (job) == AMPS_JOB_DECIDING)
        deadline = amps_clock_get_monotonic_time (request->workload->clock) + CHECK_INTERVAL;
      latest = MAX (latest, deadline);
    }

  return latest;
}

static void
workload_on_deadline (gpointer item, gpointer user_data)
{
  AmpsWorkload *self = AMPS_WORKLOAD (user_data);
  Request *request = item;
  gint64 deadline = self->sync ? get_latest_deadline (request) : 0;

  request->deadline = NULL;
  if (deadline > amps_clock_get_monotonic_time (self->clock))
    {
      request->deadline = amps_timer_queue_add (self->deadlines, deadline, request);
      return;
    }

  request->timed_out = TRUE;
  g_cancellable_cancel (request->cancellable);
  amps_pooled_session_wake (request->session);
}

static void
send_request (Request *request)
{
  AmpsWorkload *self = request->workload;
  gint64 deadline;

  request->begun = amps_clock_get_monotonic_time (self->clock);
  request->message = amps_job_message_new (self->config, self->clock, self->endpoint, request->jobs,
                                           &request->body);
  deadline = self->sync ? get_latest_deadline (request) : request->begun + self->timeout;
  if (deadline > 0)
    request->deadline = amps_timer_queue_add (self->deadlines, deadline, request);

  request->generation = self->generation;
  self->n_sending++;
  if (request->connects)
    self->n_connecting++;
  g_signal_connect (request->message, "wrote-headers", G_CALLBACK (on_wrote_headers), request);
  g_signal_connect (request->message, "wrote-body", G_CALLBACK (on_wrote_body), request);
  amps_pooled_session_send_async (request->session, request->message, request->cancellable,
                                  workload_on_answer, request);
}

/* What has expired, or was decided by the API, while it waited for a connection
 * is not sent any more. */
static Request *
peek_waiting (AmpsWorkload *self)
{
  Request *request;

  while ((request = g_queue_peek_head (&self->waiting)) != NULL)
    {
      for (unsigned int i = 0; i < request->jobs->len; i++)
        if (amps_job_is_in_workload (g_ptr_array_index (request->jobs, i)))
          return request;

      g_queue_pop_head (&self->waiting);
      g_task_return_pointer (request->task, amps_answer_new (AMPS_ANSWER_UNREACHABLE, 0),
                             (GDestroyNotify) amps_answer_free);
      workload_request_free (request);
    }

  return NULL;
}

/* Returns: whether there is one for it */
static gboolean
acquire_session (AmpsWorkload *self, Request *request)
{
  request->session = amps_session_pool_acquire_idle (self->pool);
  request->connects = request->session == NULL;
  if (request->connects && self->n_connecting < MAX_CONNECTING)
    request->session = amps_session_pool_acquire_new (self->pool);

  return request->session != NULL;
}

static void
workload_send_waiting (AmpsWorkload *self)
{
  Request *first;

  while ((first = peek_waiting (self)) != NULL && self->n_sending < MAX_SENDING &&
         acquire_session (self, first))
    send_request (g_queue_pop_head (&self->waiting));

  amps_timer_set_due (self->grow_timer,
                      first != NULL ? MAX (first->begun, self->connected) + GROW_DELAY : -1);
}

/* Of low priority: there is nothing else to do. */
static gboolean
on_grow_timer (gpointer user_data)
{
  AmpsWorkload *self = AMPS_WORKLOAD (user_data);

  if (self->n_connecting > 0 || self->n_sending >= MAX_SENDING)
    {
      /* The workload is slow to take these, so others must not wait for them. */
      self->generation++;
      self->n_sending = 0;
      self->n_connecting = 0;
    }
  else
    {
      amps_session_pool_grow (self->pool);
    }

  workload_send_waiting (self);
  return G_SOURCE_CONTINUE;
}

/**
 * amps_workload_new:
 * @config: the settings
 * @clock: what time is measured by
 * @metrics: what counts requests
 *
 * Returns: (transfer full): a workload that is not known to be there
 */
AmpsWorkload *
amps_workload_new (AmpsConfig *config, AmpsClock *clock, AmpsMetrics *metrics)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);

  AmpsWorkload *self = g_object_new (AMPS_TYPE_WORKLOAD, NULL);

  self->config = g_object_ref (config);
  self->clock = g_object_ref (clock);
  self->metrics = g_object_ref (metrics);
  self->endpoint = amps_endpoint_new (config);
  self->kept = amps_connection_watch_new (on_ended, self);
  self->pool = amps_session_pool_new (clock, self->endpoint, self->kept);
  self->probe =
      amps_probe_new (clock, self->endpoint, amps_config_get_workload_ready_path (config));
  self->generation = 1;
  self->sync = amps_config_get_workload_mode (config) == AMPS_WORKLOAD_MODE_SYNC;
  self->timeout = amps_config_get_workload_response_timeout (config);
  self->deadlines = amps_timer_queue_new (clock, "workload answers", workload_on_deadline, self);
  self->grow_timer = amps_clock_attach_timer (clock, "workload connections", on_grow_timer, self);
  g_source_set_priority (self->grow_timer, G_PRIORITY_LOW);
  g_signal_connect_object (self->probe, "notify::available", G_CALLBACK (on_probe_available), self,
                           0);
  return self;
}

/**
 * amps_workload_is_guarded:
 * @self: a workload
 *
 * Returns: whether there is a connection whose end would tell that it has gone
 */
gboolean
amps_workload_is_guarded (AmpsWorkload *self)
{
  return amps_connection_watch_has_open (self->kept);
}

/**
 * amps_workload_start:
 * @self: a workload
 *
 * Begins to look whether it is there.
 */
void
amps_workload_start (AmpsWorkload *self)
{
  amps_probe_start (self->probe);
}

/**
 * amps_workload_get_probe:
 * @self: a workload
 *
 * Returns: (transfer none): what knows whether it is there
 */
AmpsProbe *
amps_workload_get_probe (AmpsWorkload *self)
{
  return self->probe;
}

/**
 * amps_workload_send_async:
 * @self: a workload
 * @jobs: (element-type AmpsJob): one job, or those of a batch
 * @cancellable: (nullable): the answer is not wanted any more; the request goes on
 * @callback: called when it has answered, or has not in time
 * @user_data: passed to @callback
 *
 * POSTs @jobs, whose runs have begun.
 */
void
amps_workload_send_async (AmpsWorkload *self, GPtrArray *jobs, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->workload = g_object_ref (self);
  request->jobs = g_ptr_array_ref (jobs);
  request->task = g_task_new (self, cancellable, callback, user_data);
  request->cancellable = g_cancellable_new ();
  request->begun = amps_clock_get_monotonic_time (self->clock);
  g_task_set_source_tag (request->task, amps_workload_send_async);

  g_queue_push_tail (&self->waiting, request);
  workload_send_waiting (self);
}

/**
 * amps_workload_send_finish:
 * @self: a workload
 * @result: what the callback got
 * @error: return location: only `G_IO_ERROR_CANCELLED`
 *
 * Returns: (transfer full) (nullable): the answer, or that there was none
 */
AmpsAnswer *
amps_workload_send_finish (AmpsWorkload *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * amps_workload_get_available:
 * @self: a workload
 *
 * Returns: whether it can be reached, as far as is known
 */
gboolean
amps_workload_get_available (AmpsWorkload *self)
{
  return amps_probe_get_available (self->probe);
}
