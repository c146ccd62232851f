/* SPDX-License-Identifier: MIT */
#include "fake-dispatcher.h"

#include "base/amps-error.h"

/* A broker that does nothing; its base class remembers a state. */

#define TYPE_QUIET_BROKER (quiet_broker_get_type ())
G_DECLARE_FINAL_TYPE (QuietBroker, quiet_broker, QUIET, BROKER, AmpsBroker)

struct _QuietBroker {
  AmpsBroker parent_instance;
};

G_DEFINE_FINAL_TYPE (QuietBroker, quiet_broker, AMPS_TYPE_BROKER)

static void
quiet_broker_class_init (QuietBrokerClass *klass G_GNUC_UNUSED)
{
}

static void
quiet_broker_init (QuietBroker *self G_GNUC_UNUSED)
{
}

/* A gate that is told why it is closed. */

struct _AmpsConsumerGate {
  GObject parent_instance;

  char *not_ready; /* (owned) (nullable) */
  gboolean paused[AMPS_N_PAUSE_REASONS];
};

G_DEFINE_FINAL_TYPE (AmpsConsumerGate, amps_consumer_gate, G_TYPE_OBJECT)

static void
amps_consumer_gate_finalize (GObject *object)
{
  g_free (AMPS_CONSUMER_GATE (object)->not_ready);

  G_OBJECT_CLASS (amps_consumer_gate_parent_class)->finalize (object);
}

static void
amps_consumer_gate_class_init (AmpsConsumerGateClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_consumer_gate_finalize;
}

static void
amps_consumer_gate_init (AmpsConsumerGate *self G_GNUC_UNUSED)
{
}

gboolean
amps_consumer_gate_is_ready (AmpsConsumerGate *self)
{
  return self->not_ready == NULL;
}

char **
amps_consumer_gate_dup_obstacles (AmpsConsumerGate *self)
{
  return g_strsplit (self->not_ready != NULL ? self->not_ready : "", "|", -1);
}

gboolean
amps_consumer_gate_is_paused (AmpsConsumerGate *self, AmpsPauseReason reason)
{
  return self->paused[reason];
}

/* Whoever decides and publishes only notes what is asked. */

struct _AmpsDecider {
  GObject parent_instance;

  AmpsDispatcher *dispatcher; /* that it belongs to */
};

G_DEFINE_FINAL_TYPE (AmpsDecider, amps_decider, G_TYPE_OBJECT)

static void
amps_decider_class_init (AmpsDeciderClass *klass G_GNUC_UNUSED)
{
}

static void
amps_decider_init (AmpsDecider *self G_GNUC_UNUSED)
{
}

struct _AmpsPublisher {
  GObject parent_instance;

  AmpsDispatcher *dispatcher; /* that it belongs to */
};

G_DEFINE_FINAL_TYPE (AmpsPublisher, amps_publisher, G_TYPE_OBJECT)

static void
amps_publisher_class_init (AmpsPublisherClass *klass G_GNUC_UNUSED)
{
}

static void
amps_publisher_init (AmpsPublisher *self G_GNUC_UNUSED)
{
}

struct _AmpsDispatcher {
  GObject parent_instance;

  AmpsDecider *decider;     /* (owned) */
  AmpsPublisher *publisher; /* (owned) */

  AmpsBroker *broker;       /* (owned) */
  AmpsConsumerGate *gate;   /* (owned) */
  AmpsLifecycle *lifecycle; /* (owned) */
  AmpsManifest *manifest;   /* (owned) */
  GString *calls;           /* (owned) */
  GHashTable *failures;     /* (owned) identifier → (owned) GError */
  gint64 deadline;
  gboolean holds_publications;
  GTask *publication; /* (owned) (nullable) */
};

G_DEFINE_FINAL_TYPE (AmpsDispatcher, amps_dispatcher, G_TYPE_OBJECT)

static void
amps_dispatcher_finalize (GObject *object)
{
  AmpsDispatcher *self = AMPS_DISPATCHER (object);

  g_assert_null (self->publication);
  g_object_unref (self->publisher);
  g_object_unref (self->decider);
  g_object_unref (self->lifecycle);
  g_object_unref (self->gate);
  g_object_unref (self->broker);
  g_object_unref (self->manifest);
  g_string_free (self->calls, TRUE);
  g_hash_table_unref (self->failures);

  G_OBJECT_CLASS (amps_dispatcher_parent_class)->finalize (object);
}

static void
amps_dispatcher_class_init (AmpsDispatcherClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_dispatcher_finalize;
}

static void
amps_dispatcher_init (AmpsDispatcher *self)
{
  self->decider = g_object_new (AMPS_TYPE_DECIDER, NULL);
  self->decider->dispatcher = self;
  self->publisher = g_object_new (AMPS_TYPE_PUBLISHER, NULL);
  self->publisher->dispatcher = self;
  self->broker = g_object_new (TYPE_QUIET_BROKER, NULL);
  self->gate = g_object_new (AMPS_TYPE_CONSUMER_GATE, NULL);
  self->lifecycle = amps_lifecycle_new ();
  amps_lifecycle_note_ready (self->lifecycle);
  self->calls = g_string_new (NULL);
  self->failures =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_error_free);
}

AmpsDispatcher *
fake_dispatcher_new (AmpsClock *clock)
{
  AmpsDispatcher *self = g_object_new (AMPS_TYPE_DISPATCHER, NULL);

  self->manifest = amps_manifest_new (clock, 100);
  return self;
}

/* Puts a job into the manifest, which is the real one. */
void
fake_dispatcher_add_job (AmpsDispatcher *self, const char *id)
{
  g_autoptr (AmpsDelivery) delivery = amps_delivery_new (g_bytes_new_static ("{}", 2));
  AmpsCloudEvent *event = g_new0 (AmpsCloudEvent, 1);

  event->id = g_strdup (id);
  event->source = g_strdup ("/tests");
  event->type = g_strdup ("test.type");
  delivery->epoch = 1;

  g_autoptr (AmpsJob) job = amps_job_new (delivery, event);

  g_assert_cmpint (amps_manifest_add (self->manifest, job), ==, AMPS_ADDITION_NEW);
}

void
fake_dispatcher_remove_job (AmpsDispatcher *self, const char *id)
{
  static const AmpsSettlement done = { .kind = AMPS_SETTLE_ACKNOWLEDGE };
  g_autoptr (AmpsJob) job = NULL;
  g_autoptr (AmpsJob) next = NULL;
  g_autoptr (GError) error = NULL;

  amps_manifest_take (self->manifest, id, AMPS_OUTCOME_ACKNOWLEDGED, &job, &error);
  g_assert_no_error (error);
  next = amps_manifest_finish (self->manifest, job, &done);
}

void
fake_dispatcher_connect (AmpsDispatcher *self)
{
  amps_broker_begin_epoch (self->broker);
  amps_broker_change_state (self->broker, AMPS_BROKER_CONSUMING, NULL);
}

/* Lets every call about @identifier fail; publications are called “publish”. */
void
fake_dispatcher_fail (AmpsDispatcher *self, const char *identifier, int code, const char *message)
{
  g_hash_table_replace (self->failures, g_strdup (identifier),
                        g_error_new_literal (AMPS_ERROR, code, message));
}

void
fake_dispatcher_set_not_ready (AmpsDispatcher *self, const char *why)
{
  g_free (self->gate->not_ready);
  self->gate->not_ready = g_strdup (why);
}

void
fake_dispatcher_set_paused (AmpsDispatcher *self, AmpsPauseReason reason)
{
  self->gate->paused[reason] = TRUE;
}

void
fake_dispatcher_set_deadline (AmpsDispatcher *self, gint64 deadline)
{
  self->deadline = deadline;
}

/* The next publication ends only by fake_dispatcher_finish_publication(). */
void
fake_dispatcher_hold_publications (AmpsDispatcher *self)
{
  self->holds_publications = TRUE;
}

/* Takes @error. */
void
fake_dispatcher_finish_publication (AmpsDispatcher *self, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->publication);

  g_assert_nonnull (task);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

/* Returns what was asked so far, a line for each call, and forgets it. */
char *
fake_dispatcher_steal_calls (AmpsDispatcher *self)
{
  char *calls = g_strdup (self->calls->str);

  g_string_truncate (self->calls, 0);
  return calls;
}

static gboolean note (AmpsDispatcher *self, const char *identifier, GError **error,
                      const char *format, ...) G_GNUC_PRINTF (4, 5);

static gboolean
note (AmpsDispatcher *self, const char *identifier, GError **error, const char *format, ...)
{
  const GError *failure = g_hash_table_lookup (self->failures, identifier);
  va_list arguments;

  va_start (arguments, format);
  g_string_append_vprintf (self->calls, format, arguments);
  va_end (arguments);
  g_string_append_c (self->calls, '\n');

  if (failure != NULL)
    g_propagate_error (error, g_error_copy (failure));
  return failure == NULL;
}

gboolean
amps_decider_acknowledge (AmpsDecider *self, const char *identifier, GError **error)
{
  return note (self->dispatcher, identifier, error, "acknowledge %s", identifier);
}

gboolean
amps_decider_reject (AmpsDecider *self, const char *identifier, const char *reason, GError **error)
{
  return note (self->dispatcher, identifier, error, "reject %s: %s", identifier,
               reason != NULL ? reason : "no reason");
}

gboolean
amps_decider_reschedule (AmpsDecider *self, const char *identifier, gint64 delay, GError **error)
{
  return note (self->dispatcher, identifier, error, "reschedule %s %" G_GINT64_FORMAT, identifier,
               delay);
}

gboolean
amps_decider_heartbeat (AmpsDecider *self, const char *identifier, gint64 extend, gint64 *deadline,
                        GError **error)
{
  *deadline = self->dispatcher->deadline;
  return note (self->dispatcher, identifier, error, "heartbeat %s %" G_GINT64_FORMAT, identifier,
               extend);
}

static void
publish (AmpsDispatcher *self, GTask *task, GPtrArray *events, const AmpsTraceHeaders *trace)
{
  g_autoptr (GError) error = NULL;

  if (trace != NULL)
    g_string_append_printf (self->calls, "trace %s %s\n", trace->traceparent,
                            trace->tracestate != NULL ? trace->tracestate : "");

  for (unsigned int i = 0; i < events->len; i++)
    {
      gsize length;
      const char *event = g_bytes_get_data (g_ptr_array_index (events, i), &length);

      g_string_append_printf (self->calls, "event %.*s\n", (int) length, event);
    }

  if (self->holds_publications)
    {
      g_assert_null (self->publication);
      self->publication = task;
      return;
    }

  if (note (self, "publish", &error, "published"))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
  g_object_unref (task);
}

void
amps_decider_acknowledge_async (AmpsDecider *self, const char *identifier, GPtrArray *events,
                                AmpsTraceHeaders *trace, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_string_append_printf (self->dispatcher->calls, "acknowledge %s with\n", identifier);
  publish (self->dispatcher, g_task_new (self, cancellable, callback, user_data), events, trace);
}

gboolean
amps_decider_acknowledge_finish (AmpsDecider *self, GAsyncResult *result, GError **error)
{
  g_assert_true (g_task_is_valid (result, self));
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
amps_publisher_publish_async (AmpsPublisher *self, GPtrArray *events, AmpsTraceHeaders *trace,
                              GHashTable *confirmed, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  g_assert_null (confirmed);
  publish (self->dispatcher, g_task_new (self, cancellable, callback, user_data), events, trace);
}

gboolean
amps_publisher_publish_finish (AmpsPublisher *self, GAsyncResult *result, GError **error)
{
  g_assert_true (g_task_is_valid (result, self));
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
amps_dispatcher_set_max_concurrency (AmpsDispatcher *self, unsigned int max_concurrency)
{
  g_string_append_printf (self->calls, "concurrency %u\n", max_concurrency);
}

AmpsDecider *
amps_dispatcher_get_decider (AmpsDispatcher *self)
{
  return self->decider;
}

AmpsPublisher *
amps_dispatcher_get_publisher (AmpsDispatcher *self)
{
  return self->publisher;
}

AmpsLifecycle *
amps_dispatcher_get_lifecycle (AmpsDispatcher *self)
{
  return self->lifecycle;
}

AmpsConsumerGate *
amps_dispatcher_get_gate (AmpsDispatcher *self)
{
  return self->gate;
}

AmpsManifest *
amps_dispatcher_get_manifest (AmpsDispatcher *self)
{
  return self->manifest;
}

AmpsBroker *
amps_dispatcher_get_broker (AmpsDispatcher *self)
{
  return self->broker;
}
