/* SPDX-License-Identifier: MIT */
#include "amps-broker-embedded.h"

#include "amps-embedded-file.h"
#include "amps-embedded-worker.h"
#include "base/amps-error.h"
#include "base/amps-log.h"

struct _AmpsBrokerEmbedded {
  AmpsBroker parent_instance;

  AmpsClock *clock;               /* (owned) */
  AmpsEmbeddedSettings *settings; /* (owned) (nullable) when the URI is no good */
  GError *bad_settings;           /* (owned) (nullable) */
  AmpsMailbox *events;            /* (owned) */
  AmpsEmbeddedWorker *worker;     /* (owned) (nullable) before the start, and after the end */
  GHashTable *tasks;              /* (owned) id → (owned) GTask */
  guint64 last_id;
  unsigned int prefetch;
  gboolean open;
  gboolean problem; /* with the file, so that nobody can take anything from it */
  gint64 lease_end; /* boot µs: of all that is held */
  GSource *room;    /* (owned) (nullable) while the next job waits for it */
  GTask *stop_task; /* (owned) (nullable) */
};

G_DEFINE_FINAL_TYPE (AmpsBrokerEmbedded, amps_broker_embedded, AMPS_TYPE_BROKER)

static void
broker_embedded_show_state (AmpsBrokerEmbedded *self, const char *problem)
{
  AmpsBroker *broker = AMPS_BROKER (self);

  if (!self->open)
    amps_broker_change_state (broker, AMPS_BROKER_DISCONNECTED, problem);
  else if (problem == NULL && amps_broker_get_consuming (broker))
    amps_broker_change_state (broker, AMPS_BROKER_CONSUMING, NULL);
  else
    amps_broker_change_state (broker, AMPS_BROKER_CONNECTED, problem);
}

/* Events */

static void
broker_embedded_handle_opened (AmpsBrokerEmbedded *self)
{
  self->problem = FALSE;
  if (!self->open)
    {
      self->open = TRUE;
      amps_broker_begin_epoch (AMPS_BROKER (self));
    }
  broker_embedded_show_state (self, NULL);
}

static void
handle_job (AmpsBrokerEmbedded *self, AmpsEmbeddedEvent *event)
{
  AmpsDelivery *delivery = event->delivery;
  g_autoptr (AmpsJob) job = NULL;

  delivery->epoch = amps_broker_get_epoch (AMPS_BROKER (self));
  /* Else it comes again, in the next one. */
  if (!amps_broker_is_alive (AMPS_BROKER (self), delivery))
    return;

  self->lease_end = event->lease_end;
  delivery->received = amps_clock_get_monotonic_time (self->clock);
  job = event->found != NULL ? amps_job_new (delivery, g_steal_pointer (&event->found))
                             : amps_job_new_malformed (delivery, g_steal_pointer (&event->error));
  amps_broker_deliver (AMPS_BROKER (self), job);
}

static void
handle_lost (AmpsBrokerEmbedded *self, guint64 n_lost)
{
  if (n_lost > 0)
    amps_log (WARNING, LEASES_LOST,
              "Leases on %" G_GUINT64_FORMAT " jobs had ended, and others took them", n_lost);
  else
    amps_log (INFO, LEASES_KEPT, "Leases on jobs had ended, and nobody took them");

  amps_broker_begin_epoch (AMPS_BROKER (self));
}

/* @settled: %AMPS_SETTLED_NOT for a publication */
static void
handle_done (AmpsBrokerEmbedded *self, guint64 id, AmpsSettled settled, GError *error)
{
  g_autofree guint64 *key = NULL;
  gpointer task;

  if (!g_hash_table_steal_extended (self->tasks, &id, (gpointer *) &key, &task))
    {
      g_clear_error (&error);
      return;
    }

  if (error != NULL)
    g_task_return_error (task, error);
  else if (settled != AMPS_SETTLED_NOT)
    g_task_return_int (task, settled);
  else
    g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void broker_embedded_send_consume (AmpsBrokerEmbedded *self);

static void
stop_waiting (AmpsBrokerEmbedded *self)
{
  if (self->room == NULL)
    return;

  g_source_destroy (self->room);
  g_clear_pointer (&self->room, g_source_unref);
}

/* Jobs give back their bytes in this thread, and the worker does not see it. */
static gboolean
broker_embedded_on_room (gpointer user_data)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (user_data);

  stop_waiting (self);
  amps_broker_change_full (AMPS_BROKER (self), FALSE);
  broker_embedded_send_consume (self);
  return G_SOURCE_REMOVE;
}

static void
handle_full (AmpsBrokerEmbedded *self, gsize size)
{
  stop_waiting (self);
  self->room = amps_byte_budget_source_new (self->settings->budget, size);
  g_source_set_callback (self->room, broker_embedded_on_room, self, NULL);
  g_source_attach (self->room, NULL);
  amps_broker_change_full (AMPS_BROKER (self), TRUE);
}

/* @depths: (transfer full) (nullable) */
static void
broker_embedded_handle_counted (AmpsBrokerEmbedded *self, guint64 id, AmpsQueueDepths *depths)
{
  g_autofree guint64 *key = NULL;
  g_autoptr (AmpsQueueDepths) owned = depths;
  gpointer task;

  if (!g_hash_table_steal_extended (self->tasks, &id, (gpointer *) &key, &task))
    return;

  if (owned != NULL)
    g_task_return_pointer (task, g_steal_pointer (&owned), (GDestroyNotify) amps_queue_depths_free);
  else
    g_task_return_new_error (task, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE,
                             "the queue's file could not be read");
  g_object_unref (task);
}

static GHashTable *
new_tasks (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_object_unref);
}

/* Whoever is told may call again at once, so nobody is told before all is over. */
static void
broker_embedded_handle_closed (AmpsBrokerEmbedded *self)
{
  g_autoptr (GTask) stop_task = g_steal_pointer (&self->stop_task);
  g_autoptr (GHashTable) tasks = g_steal_pointer (&self->tasks);
  GHashTableIter iter;
  gpointer task;

  self->tasks = new_tasks ();
  amps_embedded_worker_free (g_steal_pointer (&self->worker));
  self->open = FALSE;
  amps_broker_end_epoch (AMPS_BROKER (self));
  broker_embedded_show_state (self, NULL);

  /* What came too late for the last commit. */
  g_hash_table_iter_init (&iter, tasks);
  while (g_hash_table_iter_next (&iter, NULL, &task))
    g_task_return_new_error (task, AMPS_ERROR, AMPS_ERROR_DETACHED, "the queue's file is closed");
  g_task_return_boolean (stop_task, TRUE);
}

static void
broker_embedded_on_event (AmpsMail *mail, gpointer user_data)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (user_data);
  AmpsEmbeddedEvent *event = (AmpsEmbeddedEvent *) mail;

  switch (event->kind)
    {
    case AMPS_EMBEDDED_EVENT_OPENED:
      broker_embedded_handle_opened (self);
      break;
    case AMPS_EMBEDDED_EVENT_PROBLEM:
      self->problem = TRUE;
      broker_embedded_show_state (self, event->error->message);
      break;
    case AMPS_EMBEDDED_EVENT_JOB:
      handle_job (self, event);
      break;
    case AMPS_EMBEDDED_EVENT_DONE:
      handle_done (self, event->id, event->settled, g_steal_pointer (&event->error));
      break;
    case AMPS_EMBEDDED_EVENT_RENEWED:
      self->lease_end = event->lease_end;
      break;
    case AMPS_EMBEDDED_EVENT_COUNTED:
      broker_embedded_handle_counted (self, event->id, g_steal_pointer (&event->depths));
      break;
    case AMPS_EMBEDDED_EVENT_FULL:
      handle_full (self, event->id);
      break;
    case AMPS_EMBEDDED_EVENT_LOST:
      handle_lost (self, event->id);
      break;
    case AMPS_EMBEDDED_EVENT_CLOSED:
      broker_embedded_handle_closed (self);
      break;
    default:
      g_warn_if_reached ();
    }

  amps_embedded_event_free (event);
}

/* What a broker does */

static void
broker_embedded_send_consume (AmpsBrokerEmbedded *self)
{
  if (self->worker != NULL)
    amps_embedded_worker_consume (self->worker, amps_broker_get_consuming (AMPS_BROKER (self)),
                                  self->prefetch);
}

static void
broker_embedded_start (AmpsBroker *broker)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (broker);
  g_autofree char *exposure = NULL;

  if (self->settings == NULL)
    {
      broker_embedded_show_state (self, self->bad_settings->message);
      return;
    }

  if (self->settings->dead_letters == NULL)
    amps_log (WARNING, REJECTED_MAY_BE_LOST,
              "DEAD_LETTER_MODE=broker: the embedded broker has no dead-letter policy, so it "
              "discards rejected jobs; with DEAD_LETTER_MODE=queue it keeps them");
  exposure = amps_embedded_file_describe_exposure (self->settings->path);
  if (exposure != NULL)
    amps_log (WARNING, FILE_EXPOSED, "%s", exposure);
  self->worker = amps_embedded_worker_new (self->settings, self->events);
  broker_embedded_send_consume (self);
}

static void
broker_embedded_set_consuming (AmpsBroker *broker, gboolean consuming G_GNUC_UNUSED)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (broker);

  broker_embedded_send_consume (self);
  if (self->open)
    broker_embedded_show_state (self, NULL);
}

static void
broker_embedded_set_prefetch (AmpsBroker *broker, unsigned int prefetch)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (broker);

  self->prefetch = prefetch;
  broker_embedded_send_consume (self);
}

/* @task: (transfer full) (nullable) */
static guint64
keep_task (AmpsBrokerEmbedded *self, GTask *task)
{
  guint64 *id;

  if (task == NULL)
    return 0;

  id = g_new (guint64, 1);
  *id = ++self->last_id;
  g_hash_table_insert (self->tasks, id, task);
  return *id;
}

static void
settle_async (AmpsBroker *broker, AmpsDelivery *delivery, const AmpsSettlement *settlement,
              GTask *task)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (broker);
  AmpsSettlement whole = *settlement;

  if (whole.attempt == 0)
    whole.attempt = delivery->attempt;
  amps_embedded_worker_settle (self->worker, keep_task (self, task), delivery, &whole);
}

static void
return_unavailable (AmpsBrokerEmbedded *self, GTask *task)
{
  const char *detail = amps_broker_get_state_detail (AMPS_BROKER (self));

  g_task_return_new_error (task, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "%s",
                           detail != NULL ? detail : "the queue's file is not open");
  g_object_unref (task);
}

static void
publish_async (AmpsBroker *broker, const char *queue, const char *message_id G_GNUC_UNUSED,
               AmpsTraceHeaders *trace G_GNUC_UNUSED, GBytes *body, GTask *task)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (broker);

  if (self->open && self->stop_task == NULL)
    amps_embedded_worker_publish (self->worker, keep_task (self, task), queue, body);
  else
    return_unavailable (self, task);
}

static void
count_messages_async (AmpsBroker *broker, GTask *task)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (broker);

  if (self->open && self->stop_task == NULL)
    amps_embedded_worker_ask (self->worker, AMPS_EMBEDDED_COMMAND_COUNT, keep_task (self, task));
  else
    return_unavailable (self, task);
}

static void
broker_embedded_stop_async (AmpsBroker *broker, GTask *task)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (broker);

  if (self->worker == NULL)
    {
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
      return;
    }

  self->stop_task = task;
  amps_embedded_worker_ask (self->worker, AMPS_EMBEDDED_COMMAND_STOP, 0);
}

/* Whoever was suspended for long is told nothing of it, and his worker may find out
 * only later. */
static void
check_lease (AmpsBroker *broker)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (broker);

  if (self->problem || self->worker == NULL ||
      amps_clock_get_boot_time (self->clock) < self->lease_end)
    return;

  amps_log (INFO, LEASES_ENDED, "Leases on jobs have ended before they were renewed");
  amps_embedded_worker_end_epoch (self->worker, amps_broker_get_epoch (broker));
  amps_broker_end_epoch (broker);
}

static gboolean
broker_embedded_is_stuck (AmpsBroker *broker)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (broker);

  return self->worker != NULL && amps_embedded_worker_is_stuck (self->worker);
}

static void
amps_broker_embedded_finalize (GObject *object)
{
  AmpsBrokerEmbedded *self = AMPS_BROKER_EMBEDDED (object);

  g_warn_if_fail (self->worker == NULL);
  stop_waiting (self);
  amps_mailbox_free (self->events);
  g_hash_table_unref (self->tasks);
  g_clear_pointer (&self->settings, amps_embedded_settings_free);
  g_clear_error (&self->bad_settings);
  g_object_unref (self->clock);

  G_OBJECT_CLASS (amps_broker_embedded_parent_class)->finalize (object);
}

static void
amps_broker_embedded_class_init (AmpsBrokerEmbeddedClass *klass)
{
  AmpsBrokerClass *broker_class = AMPS_BROKER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = amps_broker_embedded_finalize;
  broker_class->start = broker_embedded_start;
  broker_class->set_consuming = broker_embedded_set_consuming;
  broker_class->set_prefetch = broker_embedded_set_prefetch;
  broker_class->settle_async = settle_async;
  broker_class->publish_async = publish_async;
  broker_class->count_messages_async = count_messages_async;
  broker_class->stop_async = broker_embedded_stop_async;
  broker_class->check_lease = check_lease;
  broker_class->is_stuck = broker_embedded_is_stuck;
}

static void
amps_broker_embedded_init (AmpsBrokerEmbedded *self)
{
  self->tasks = new_tasks ();
  self->events = amps_mailbox_new ("embedded events", NULL, broker_embedded_on_event,
                                   amps_embedded_event_free, self);
}

/* With the mode “broker” the policy of the queue decides, and there is none. */
static const char *
get_dead_letters (AmpsConfig *config)
{
  return amps_config_get_dead_letter_mode (config) == AMPS_DEAD_LETTER_MODE_QUEUE
             ? amps_config_get_dead_letter_queue (config)
             : NULL;
}

/**
 * amps_broker_embedded_new:
 * @config: the settings; the first URI counts
 * @clock: what time is measured by
 *
 * Returns: (transfer full): a broker that has not started; to be stopped before
 *   it is dropped
 */
AmpsBroker *
amps_broker_embedded_new (AmpsConfig *config, AmpsClock *clock)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);

  AmpsBrokerEmbedded *self = g_object_new (AMPS_TYPE_BROKER_EMBEDDED, NULL);

  self->clock = g_object_ref (clock);
  self->prefetch = amps_config_get_max_concurrency (config);
  self->settings = amps_embedded_settings_new (amps_config_get_broker_uris (config)[0],
                                               amps_config_get_subject (config),
                                               get_dead_letters (config), &self->bad_settings);
  if (self->settings != NULL)
    {
      self->settings->max_body_size = amps_config_get_max_body_size (config);
      self->settings->event_validation = amps_config_get_event_validation (config);
      self->settings->budget = amps_byte_budget_new (amps_config_get_max_in_flight_bytes (config));
    }
  return AMPS_BROKER (self);
}
