/* SPDX-License-Identifier: MIT */
#include "fake-broker.h"

#include "base/amps-error.h"

/* A broker that is always there, does as told and writes down what it was told. With a
 * server it also does it: without one messages are handed to it. */
struct _FakeBroker {
  AmpsBroker parent_instance;

  FakeSession *session; /* (owned) (nullable) */
  unsigned int prefetch;
  gboolean started;
  GString *log; /* a line for each settlement and publication */
  GQueue held;  /* of GTask: publications that are not answered yet */
  gboolean hold;
  gboolean stuck;
  gboolean rejects; /* has no place for dead letters */
  int settle_error;
  unsigned int settle_failures;
  int publish_error;
  unsigned int publish_failures;
  guint64 last_tag;
  GTask *count; /* (owned) (nullable) that is not answered yet */
  unsigned int n_counts;
};

G_DEFINE_FINAL_TYPE (FakeBroker, fake_broker, AMPS_TYPE_BROKER)

static void
consume (FakeBroker *self)
{
  gboolean consuming = amps_broker_get_consuming (AMPS_BROKER (self));

  if (self->session == NULL || !self->started)
    return;

  fake_session_consume (self->session, consuming ? self->prefetch : 0);
  amps_broker_change_state (AMPS_BROKER (self),
                            consuming ? AMPS_BROKER_CONSUMING : AMPS_BROKER_CONNECTED, NULL);
}

static void
start (AmpsBroker *broker)
{
  FAKE_BROKER (broker)->started = TRUE;
  amps_broker_begin_epoch (broker);
  amps_broker_change_state (broker, AMPS_BROKER_CONSUMING, NULL);
  consume (FAKE_BROKER (broker));
}

static void
set_consuming (AmpsBroker *broker, gboolean consuming)
{
  g_string_append (FAKE_BROKER (broker)->log, consuming ? "consume\n" : "stop consuming\n");
  consume (FAKE_BROKER (broker));
}

static void
set_prefetch (AmpsBroker *broker, unsigned int prefetch)
{
  g_string_append_printf (FAKE_BROKER (broker)->log, "prefetch %u\n", prefetch);
  FAKE_BROKER (broker)->prefetch = prefetch;
  consume (FAKE_BROKER (broker));
}

static AmpsSettled
get_settled (FakeBroker *self, AmpsSettlementKind kind)
{
  static const AmpsSettled settled[] = { AMPS_SETTLED_ACKNOWLEDGED, AMPS_SETTLED_REQUEUED,
                                         AMPS_SETTLED_REQUEUED, AMPS_SETTLED_MOVED,
                                         AMPS_SETTLED_MOVED };

  return kind == AMPS_SETTLE_DEAD_LETTER && self->rejects ? AMPS_SETTLED_REJECTED : settled[kind];
}

static void
settle_async (AmpsBroker *broker, AmpsDelivery *delivery, const AmpsSettlement *settlement,
              GTask *task)
{
  static const char *const names[] = { "acknowledge", "release", "return", "retry", "dead-letter" };
  FakeBroker *self = FAKE_BROKER (broker);
  g_autoptr (GTask) answered = task;
  AmpsSettled settled = get_settled (self, settlement->kind);

  if (answered != NULL && self->settle_failures > 0)
    {
      self->settle_failures--;
      g_task_return_new_error (answered, AMPS_ERROR, self->settle_error, "as the test wants it");
      return;
    }

  g_string_append_printf (self->log, "%s %" G_GUINT64_FORMAT, names[settlement->kind],
                          delivery->tag);
  if (settlement->kind == AMPS_SETTLE_RETRY)
    g_string_append_printf (self->log, " attempt %u", settlement->attempt);
  if (settlement->kind != AMPS_SETTLE_RETRY && settlement->reason != NULL)
    g_string_append_printf (self->log, " %s", settlement->reason);
  g_string_append_c (self->log, '\n');

  if (self->session != NULL)
    settled = fake_session_settle (self->session, delivery->tag, settlement, self->rejects);
  if (answered != NULL)
    g_task_return_int (answered, settled);
}

static void
answer_publication (FakeBroker *self, GTask *task)
{
  if (self->publish_failures == 0)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }

  self->publish_failures--;
  g_task_return_new_error (task, AMPS_ERROR, self->publish_error, "as the test wants it");
}

/* @task: (transfer full) */
static void
publish_to_server (FakeBroker *self, const char *queue, GBytes *body, GTask *task)
{
  g_autoptr (GTask) answered = task;

  if (!self->started)
    g_task_return_new_error (answered, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "it is not connected");
  else if (fake_server_put (fake_session_get_server (self->session), queue, body))
    g_task_return_boolean (answered, TRUE);
  else
    g_task_return_new_error (answered, AMPS_ERROR, AMPS_ERROR_UNROUTABLE, "there is no queue");
}

static void
publish_async (AmpsBroker *broker, const char *queue, const char *message_id,
               AmpsTraceHeaders *trace, GBytes *body, GTask *task)
{
  FakeBroker *self = FAKE_BROKER (broker);

  if (self->session != NULL)
    {
      publish_to_server (self, queue, body, task);
      return;
    }

  g_string_append_printf (self->log, "publish %s to %s\n", message_id, queue);
  if (trace != NULL)
    g_string_append_printf (self->log, "with %s %s\n", trace->traceparent,
                            trace->tracestate != NULL ? trace->tracestate : "");
  if (self->hold)
    {
      g_queue_push_tail (&self->held, task);
      return;
    }

  answer_publication (self, task);
  g_object_unref (task);
}

static void
count_messages_async (AmpsBroker *broker, GTask *task)
{
  FakeBroker *self = FAKE_BROKER (broker);

  if (self->session != NULL)
    {
      g_task_return_pointer (task,
                             fake_server_count (fake_session_get_server (self->session),
                                                fake_session_get_subject (self->session)),
                             (GDestroyNotify) amps_queue_depths_free);
      g_object_unref (task);
      return;
    }

  g_assert_null (self->count);
  self->count = task;
  self->n_counts++;
}

static void
stop_async (AmpsBroker *broker, GTask *task)
{
  FakeBroker *self = FAKE_BROKER (broker);

  self->started = FALSE;
  if (self->session != NULL)
    amps_broker_change_state (broker, AMPS_BROKER_DISCONNECTED, NULL);
  g_clear_pointer (&self->session, fake_session_free);
  amps_broker_end_epoch (broker);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static gboolean
is_stuck (AmpsBroker *broker)
{
  return FAKE_BROKER (broker)->stuck;
}

static void
fake_broker_finalize (GObject *object)
{
  FakeBroker *self = FAKE_BROKER (object);

  g_assert_null (self->count);
  g_assert_null (self->session);
  g_string_free (self->log, TRUE);
  g_queue_clear_full (&self->held, g_object_unref);

  G_OBJECT_CLASS (fake_broker_parent_class)->finalize (object);
}

static void
fake_broker_class_init (FakeBrokerClass *klass)
{
  AmpsBrokerClass *broker_class = AMPS_BROKER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = fake_broker_finalize;
  broker_class->start = start;
  broker_class->set_consuming = set_consuming;
  broker_class->set_prefetch = set_prefetch;
  broker_class->settle_async = settle_async;
  broker_class->publish_async = publish_async;
  broker_class->count_messages_async = count_messages_async;
  broker_class->stop_async = stop_async;
  broker_class->is_stuck = is_stuck;
}

static void
fake_broker_init (FakeBroker *self)
{
  self->log = g_string_new (NULL);
}

FakeBroker *
fake_broker_new (void)
{
  return g_object_new (TYPE_FAKE_BROKER, NULL);
}

/* Consumes @subject of @server; to be stopped. */
FakeBroker *
fake_broker_new_connected (FakeServer *server, const char *subject)
{
  FakeBroker *self = fake_broker_new ();

  self->session = fake_session_new (server, subject, AMPS_BROKER (self));
  self->prefetch = 100;
  return self;
}

/* Numbers the delivery of @job, from 1, and hands it out. */
void
fake_broker_deliver (FakeBroker *self, AmpsJob *job)
{
  AmpsDelivery *delivery = amps_job_get_delivery (job);

  delivery->tag = ++self->last_tag;
  delivery->epoch = amps_broker_get_epoch (AMPS_BROKER (self));
  amps_broker_deliver (AMPS_BROKER (self), job);
}

/* As when the connection dies, and another one is made at once. */
void
fake_broker_lose_connection (FakeBroker *self)
{
  if (self->session != NULL)
    fake_session_give_back (self->session);
  amps_broker_end_epoch (AMPS_BROKER (self));
  amps_broker_begin_epoch (AMPS_BROKER (self));
}

/* Lets the next settlements that someone waits for fail. */
void
fake_broker_fail_settlements (FakeBroker *self, int error_code, unsigned int times)
{
  self->settle_error = error_code;
  self->settle_failures = times;
}

void
fake_broker_fail_publications (FakeBroker *self, int error_code, unsigned int times)
{
  self->publish_error = error_code;
  self->publish_failures = times;
}

/* Leaves publications unanswered until it is undone. */
void
fake_broker_hold_publications (FakeBroker *self, gboolean hold)
{
  GTask *task;

  self->hold = hold;
  while (!hold && (task = g_queue_pop_head (&self->held)) != NULL)
    {
      answer_publication (self, task);
      g_object_unref (task);
    }
}

/* Leaves dead letters to a policy, as with DEAD_LETTER_MODE=broker. */
void
fake_broker_set_rejects (FakeBroker *self, gboolean rejects)
{
  self->rejects = rejects;
}

/* As if a thread of its hung. */
void
fake_broker_set_stuck (FakeBroker *self, gboolean stuck)
{
  self->stuck = stuck;
}

/* How often it was asked for how many messages there are. */
unsigned int
fake_broker_get_n_counts (FakeBroker *self)
{
  return self->n_counts;
}

/* Says that there are @n_messages in a queue “jobs”; -1 for that it can't say. */
void
fake_broker_answer_count (FakeBroker *self, gint64 n_messages)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->count);
  AmpsQueueDepths *depths;

  g_assert_nonnull (task);
  if (n_messages < 0)
    {
      g_task_return_new_error (task, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "as the test wants it");
      return;
    }

  depths = amps_queue_depths_new ();
  amps_queue_depths_add (depths, "jobs", (guint64) n_messages);
  g_task_return_pointer (task, depths, (GDestroyNotify) amps_queue_depths_free);
}

/* What the broker was told since the last time. */
char *
fake_broker_take_log (FakeBroker *self)
{
  char *log = g_strdup (self->log->str);

  g_string_truncate (self->log, 0);
  return log;
}
