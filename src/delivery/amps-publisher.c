/* SPDX-License-Identifier: MIT */
#include "amps-publisher.h"

#include "amps-conformance.h"
#include "base/amps-error.h"

#include <string.h>

/* More bytes than this are checked in a thread: they would keep the main loop. */
#define MAX_SIZE_AT_ONCE (256 * 1024)

/* What each event must be. */
typedef struct {
  AmpsEventValidation validation;
  gsize max_type; /* bytes: it names a queue */
} Rules;

struct _AmpsPublisher {
  GObject parent_instance;

  AmpsConfig *config;   /* (owned) */
  AmpsBroker *broker;   /* (owned) */
  AmpsMetrics *metrics; /* (owned) */
  AmpsTracer *tracer;   /* (owned) (nullable) */
};

G_DEFINE_FINAL_TYPE (AmpsPublisher, amps_publisher, G_TYPE_OBJECT)

/* What one task is about; its source is the publisher. */
typedef struct {
  GPtrArray *events;       /* (owned) of GBytes */
  AmpsTraceHeaders *trace; /* (owned) (nullable) */
  GHashTable *confirmed;   /* (owned) (nullable) of GBytes */
  unsigned int pending;
  GError *error; /* (owned) the first one */
} Publication;

typedef struct {
  GTask *task;             /* (owned) */
  GBytes *event;           /* (owned) */
  AmpsPublishTrace *trace; /* (owned) (nullable) */
} Item;

static void
publication_free (Publication *self)
{
  g_ptr_array_unref (self->events);
  g_clear_pointer (&self->trace, amps_trace_headers_unref);
  g_clear_pointer (&self->confirmed, g_hash_table_unref);
  g_clear_error (&self->error);
  g_free (self);
}

static void
amps_publisher_finalize (GObject *object)
{
  AmpsPublisher *self = AMPS_PUBLISHER (object);

  g_clear_object (&self->tracer);
  g_object_unref (self->metrics);
  g_object_unref (self->broker);
  g_object_unref (self->config);

  G_OBJECT_CLASS (amps_publisher_parent_class)->finalize (object);
}

static void
amps_publisher_class_init (AmpsPublisherClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_publisher_finalize;
}

static void
amps_publisher_init (AmpsPublisher *self G_GNUC_UNUSED)
{
}

/**
 * amps_publisher_new:
 * @config: the settings: what events must be
 * @broker: where to
 * @metrics: counts each event
 * @tracer: (nullable): records each of them
 *
 * Returns: (transfer full): a publisher
 */
AmpsPublisher *
amps_publisher_new (AmpsConfig *config, AmpsBroker *broker, AmpsMetrics *metrics,
                    AmpsTracer *tracer)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_BROKER (broker), NULL);
  g_return_val_if_fail (AMPS_IS_METRICS (metrics), NULL);
  g_return_val_if_fail (tracer == NULL || AMPS_IS_TRACER (tracer), NULL);

  AmpsPublisher *self = g_object_new (AMPS_TYPE_PUBLISHER, NULL);

  self->config = g_object_ref (config);
  self->broker = g_object_ref (broker);
  self->metrics = g_object_ref (metrics);
  g_set_object (&self->tracer, tracer);
  return self;
}

static AmpsCloudEvent *
check_event (GBytes *event, const Rules *rules, GError **error)
{
  gsize length;
  const char *json = g_bytes_get_data (event, &length);
  g_autoptr (AmpsCloudEvent) scanned =
      amps_cloud_event_scan (json, length, rules->validation, error);

  if (scanned != NULL && strlen (scanned->type) > rules->max_type)
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_EVENT,
                   "“type” names the queue and is over %zu bytes", rules->max_type);
      return NULL;
    }

  return g_steal_pointer (&scanned);
}

static void
end_one (GTask *task)
{
  Publication *self = g_task_get_task_data (task);

  if (--self->pending > 0)
    return;

  if (self->error != NULL)
    g_task_return_error (task, g_steal_pointer (&self->error));
  else
    g_task_return_boolean (task, TRUE);
}

/* What else a broker may say is that it does not take this event, now or later. */
static AmpsPublicationResult
get_result (const GError *error)
{
  if (error == NULL)
    return AMPS_PUBLICATION_CONFIRMED;
  if (g_error_matches (error, AMPS_ERROR, AMPS_ERROR_UNROUTABLE))
    return AMPS_PUBLICATION_UNROUTABLE;
  if (error->domain != AMPS_ERROR || error->code == AMPS_ERROR_UNAVAILABLE ||
      error->code == AMPS_ERROR_DETACHED)
    return AMPS_PUBLICATION_UNAVAILABLE;

  return AMPS_PUBLICATION_REFUSED;
}

static void
publisher_count (AmpsPublisher *self, AmpsPublicationResult result)
{
  amps_metrics_count_publication (self->metrics, result);
  if (result == AMPS_PUBLICATION_CONFIRMED)
    amps_metrics_increment (self->metrics, AMPS_COUNTER_WORKLOADS_PUBLISHED);
}

static void
publisher_on_published (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Item *item = user_data;
  AmpsPublisher *self = AMPS_PUBLISHER (g_task_get_source_object (item->task));
  Publication *publication = g_task_get_task_data (item->task);
  g_autoptr (GError) error = NULL;
  gboolean published = amps_broker_publish_finish (AMPS_BROKER (source), result, &error);
  AmpsPublicationResult publication_result = get_result (error);

  publisher_count (self, publication_result);
  if (item->trace != NULL)
    amps_tracer_end_publish (self->tracer, item->trace,
                             published ? NULL
                                       : amps_publication_result_to_string (publication_result));
  if (!published)
    {
      if (publication->error == NULL)
        publication->error = g_steal_pointer (&error);
    }
  else if (publication->confirmed != NULL)
    {
      g_hash_table_add (publication->confirmed, g_bytes_ref (item->event));
    }

  end_one (item->task);
  g_object_unref (item->task);
  g_bytes_unref (item->event);
  g_free (item);
}

/* Returns: (element-type AmpsCloudEvent): what is in @events, all of which are valid */
static GPtrArray *
check_events (GPtrArray *events, const Rules *rules, GError **error)
{
  g_autoptr (GPtrArray) checked =
      g_ptr_array_new_with_free_func ((GDestroyNotify) amps_cloud_event_free);

  for (unsigned int i = 0; i < events->len; i++)
    {
      AmpsCloudEvent *event = check_event (g_ptr_array_index (events, i), rules, error);

      if (event == NULL)
        {
          if (events->len > 1)
            g_prefix_error (error, "event %u: ", i);
          return NULL;
        }
      g_ptr_array_add (checked, event);
    }

  return g_steal_pointer (&checked);
}

static void
publish_one (GTask *task, GBytes *event, const AmpsCloudEvent *attributes)
{
  AmpsPublisher *self = AMPS_PUBLISHER (g_task_get_source_object (task));
  Publication *publication = g_task_get_task_data (task);
  AmpsTraceHeaders *headers = publication->trace;
  Item *item;

  if (publication->confirmed != NULL && g_hash_table_contains (publication->confirmed, event))
    return;

  amps_conformance_note (self->metrics, attributes->faults);
  item = g_new0 (Item, 1);
  item->task = g_object_ref (task);
  item->event = g_bytes_ref (event);
  publication->pending++;
  if (self->tracer != NULL)
    {
      item->trace = amps_tracer_begin_publish (self->tracer, publication->trace, attributes,
                                               g_bytes_get_size (event));
      headers = amps_publish_trace_get_headers (item->trace);
    }
  amps_broker_publish_async (self->broker, attributes->type, attributes->id, headers, event,
                             g_task_get_cancellable (task), publisher_on_published, item);
}

/* @checked: (nullable) (transfer full): what is in the events; else @error is set */
static void
publish_checked (GTask *task, GPtrArray *checked, GError *error)
{
  Publication *publication = g_task_get_task_data (task);
  g_autoptr (GPtrArray) attributes = checked;

  if (attributes == NULL)
    {
      publisher_count (AMPS_PUBLISHER (g_task_get_source_object (task)), AMPS_PUBLICATION_INVALID);
      g_task_return_error (task, error);
      return;
    }

  publication->pending = 1;
  for (unsigned int i = 0; i < publication->events->len; i++)
    publish_one (task, g_ptr_array_index (publication->events, i),
                 g_ptr_array_index (attributes, i));
  end_one (task);
}

typedef struct {
  GPtrArray *events; /* (owned) */
  Rules rules;
} Check;

static void
check_free (gpointer data)
{
  Check *self = data;

  g_ptr_array_unref (self->events);
  g_free (self);
}

/* In a thread of its own, which has nothing but bytes. */
static void
check_in_thread (GTask *task, gpointer source G_GNUC_UNUSED, gpointer data,
                 GCancellable *cancellable G_GNUC_UNUSED)
{
  const Check *check = data;
  GError *error = NULL;
  GPtrArray *checked = check_events (check->events, &check->rules, &error);

  if (checked != NULL)
    g_task_return_pointer (task, checked, (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (task, error);
}

static void
on_checked (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  GError *error = NULL;
  GPtrArray *checked = g_task_propagate_pointer (G_TASK (result), &error);

  publish_checked (task, checked, error);
}

static gsize
get_size (GPtrArray *events)
{
  gsize size = 0;

  for (unsigned int i = 0; i < events->len; i++)
    size += g_bytes_get_size (g_ptr_array_index (events, i));
  return size;
}

/**
 * amps_publisher_publish_async:
 * @self: a publisher
 * @events: (element-type GBytes): events in structured mode
 * @trace: (nullable): the trace context that goes with each of them
 * @confirmed: (nullable): events that were confirmed before and need not be
 *   published again; those that are now are added to it
 * @cancellable: (nullable): stops waiting, not publishing
 * @callback: called when all are confirmed, or have failed
 * @user_data: passed to @callback
 *
 * Publishes each event to the queue that its type names. Nothing is published
 * if one of them is invalid.
 */
void
amps_publisher_publish_async (AmpsPublisher *self, GPtrArray *events, AmpsTraceHeaders *trace,
                              GHashTable *confirmed, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  Rules rules = {
    .validation = amps_config_get_event_validation (self->config),
    .max_type = amps_config_get_backend (self->config)->max_queue_name,
  };
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GTask) in_thread = NULL;
  Publication *publication = g_new0 (Publication, 1);
  Check *check;

  g_task_set_source_tag (task, amps_publisher_publish_async);
  g_task_set_task_data (task, publication, (GDestroyNotify) publication_free);
  publication->events = g_ptr_array_ref (events);
  publication->trace = trace != NULL ? amps_trace_headers_ref (trace) : NULL;
  publication->confirmed = confirmed != NULL ? g_hash_table_ref (confirmed) : NULL;

  if (get_size (events) <= MAX_SIZE_AT_ONCE)
    {
      GError *error = NULL;
      GPtrArray *checked = check_events (events, &rules, &error);

      publish_checked (task, checked, error);
      return;
    }

  check = g_new (Check, 1);
  check->events = g_ptr_array_ref (events);
  check->rules = rules;
  in_thread = g_task_new (NULL, NULL, on_checked, g_steal_pointer (&task));
  g_task_set_task_data (in_thread, check, check_free);
  g_task_run_in_thread (in_thread, check_in_thread);
}

/**
 * amps_publisher_publish_finish:
 * @self: a publisher
 * @result: what the callback got
 * @error: return location: %AMPS_ERROR_INVALID_EVENT, or as of
 *   [method@Amps.Broker.publish_finish]; with these the other events may have been
 *   published
 *
 * Returns: whether all events are safe with the broker
 */
gboolean
amps_publisher_publish_finish (AmpsPublisher *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
