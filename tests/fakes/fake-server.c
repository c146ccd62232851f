/* SPDX-License-Identifier: MIT */
#include "fake-server.h"

typedef struct {
  FakeServer *server;
  GBytes *body; /* (owned) */
  char *queue;  /* (owned) where it is, or goes after its delay */
  unsigned int attempt;
  gboolean redelivered;
  guint64 tag;
  GSource *timer; /* (owned) (nullable) of its delay */
} Message;

struct _FakeServer {
  GHashTable *queues;  /* (owned) name → (owned) GQueue of Message */
  GPtrArray *delayed;  /* (owned) of Message */
  GPtrArray *sessions; /* of FakeSession */
};

struct _FakeSession {
  FakeServer *server;
  AmpsBroker *broker;
  char *subject; /* (owned) */
  GQueue held;   /* (owned) of Message */
  unsigned int prefetch;
  guint64 last_tag;
  GSource *idle; /* (owned) (nullable) while there may be something to deliver */
};

static void
message_free (gpointer data)
{
  Message *message = data;

  if (message->timer != NULL)
    {
      g_source_destroy (message->timer);
      g_source_unref (message->timer);
    }
  g_bytes_unref (message->body);
  g_free (message->queue);
  g_free (message);
}

static void
queue_free (gpointer queue)
{
  g_queue_free_full (queue, message_free);
}

FakeServer *
fake_server_new (void)
{
  FakeServer *self = g_new0 (FakeServer, 1);

  self->queues = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, queue_free);
  self->delayed = g_ptr_array_new_with_free_func (message_free);
  self->sessions = g_ptr_array_new ();
  return self;
}

void
fake_server_free (FakeServer *self)
{
  g_assert_cmpuint (self->sessions->len, ==, 0);
  g_hash_table_unref (self->queues);
  g_ptr_array_unref (self->delayed);
  g_ptr_array_unref (self->sessions);
  g_free (self);
}

void
fake_server_declare (FakeServer *self, const char *queue)
{
  if (!g_hash_table_contains (self->queues, queue))
    g_hash_table_insert (self->queues, g_strdup (queue), g_queue_new ());
}

static gboolean
deliver (gpointer user_data)
{
  FakeSession *self = user_data;
  GQueue *queue = g_hash_table_lookup (self->server->queues, self->subject);
  g_autoptr (AmpsDelivery) delivery = NULL;
  g_autoptr (AmpsJob) job = NULL;
  g_autoptr (GError) error = NULL;
  AmpsCloudEvent *event;
  Message *message;

  if (self->held.length >= self->prefetch || queue->length == 0)
    {
      g_clear_pointer (&self->idle, g_source_unref);
      return G_SOURCE_REMOVE;
    }

  message = g_queue_pop_head (queue);
  message->tag = ++self->last_tag;
  g_queue_push_tail (&self->held, message);

  delivery = amps_delivery_new (g_bytes_ref (message->body));
  delivery->epoch = amps_broker_get_epoch (self->broker);
  delivery->tag = message->tag;
  delivery->attempt = message->attempt;
  delivery->redelivered = message->redelivered;
  event = amps_cloud_event_scan (g_bytes_get_data (message->body, NULL),
                                 g_bytes_get_size (message->body), AMPS_EVENT_VALIDATION_LENIENT,
                                 &error);
  job = event != NULL ? amps_job_new (delivery, event)
                      : amps_job_new_malformed (delivery, g_steal_pointer (&error));
  amps_broker_deliver (self->broker, job);
  return G_SOURCE_CONTINUE;
}

static void
wake (FakeServer *self)
{
  for (unsigned int i = 0; i < self->sessions->len; i++)
    {
      FakeSession *session = g_ptr_array_index (self->sessions, i);

      if (session->idle != NULL)
        continue;
      session->idle = g_idle_source_new ();
      g_source_set_callback (session->idle, deliver, session, NULL);
      g_source_attach (session->idle, NULL);
    }
}

/* @message: (transfer full) */
static void
put_message (Message *message, const char *queue, gboolean first)
{
  GQueue *messages = g_hash_table_lookup (message->server->queues, queue);

  if (first)
    g_queue_push_head (messages, message);
  else
    g_queue_push_tail (messages, message);
  wake (message->server);
}

/* Returns: whether there is a queue of that name */
gboolean
fake_server_put (FakeServer *self, const char *queue, GBytes *body)
{
  Message *message;

  if (!g_hash_table_contains (self->queues, queue))
    return FALSE;

  message = g_new0 (Message, 1);
  message->server = self;
  message->body = g_bytes_ref (body);
  message->attempt = 1;
  put_message (message, queue, FALSE);
  return TRUE;
}

static gboolean
on_delay_over (gpointer user_data)
{
  Message *message = user_data;

  g_clear_pointer (&message->timer, g_source_unref);
  g_ptr_array_set_free_func (message->server->delayed, NULL);
  g_ptr_array_remove (message->server->delayed, message);
  g_ptr_array_set_free_func (message->server->delayed, message_free);
  put_message (message, message->queue, FALSE);
  return G_SOURCE_REMOVE;
}

/* @message: (transfer full) */
static void
delay_message (Message *message, const char *queue, gint64 delay)
{
  message->queue = g_strdup (queue);
  message->timer = g_timeout_source_new ((guint) (delay / 1000));
  g_source_set_callback (message->timer, on_delay_over, message, NULL);
  g_source_attach (message->timer, NULL);
  g_ptr_array_add (message->server->delayed, message);
}

/* Returns: (transfer full): what is ready, in @subject and its dead letters, and delayed */
AmpsQueueDepths *
fake_server_count (FakeServer *self, const char *subject)
{
  AmpsQueueDepths *depths = amps_queue_depths_new ();
  g_autofree char *dead = g_strconcat (subject, ".dead", NULL);
  g_autofree char *retry = g_strconcat (subject, ".retry", NULL);

  amps_queue_depths_add (depths, subject,
                         ((GQueue *) g_hash_table_lookup (self->queues, subject))->length);
  amps_queue_depths_add (depths, dead,
                         ((GQueue *) g_hash_table_lookup (self->queues, dead))->length);
  amps_queue_depths_add (depths, retry, self->delayed->len);
  return depths;
}

/* Nothing is consumed yet. @subject and its dead letters are declared. */
FakeSession *
fake_session_new (FakeServer *server, const char *subject, AmpsBroker *broker)
{
  FakeSession *self = g_new0 (FakeSession, 1);
  g_autofree char *dead = g_strconcat (subject, ".dead", NULL);

  self->server = server;
  self->subject = g_strdup (subject);
  self->broker = broker;
  fake_server_declare (server, subject);
  fake_server_declare (server, dead);
  g_ptr_array_add (server->sessions, self);
  return self;
}

void
fake_session_free (FakeSession *self)
{
  fake_session_give_back (self);
  g_ptr_array_remove (self->server->sessions, self);
  if (self->idle != NULL)
    {
      g_source_destroy (self->idle);
      g_source_unref (self->idle);
    }
  g_free (self->subject);
  g_free (self);
}

FakeServer *
fake_session_get_server (FakeSession *self)
{
  return self->server;
}

const char *
fake_session_get_subject (FakeSession *self)
{
  return self->subject;
}

/* @prefetch: 0 for none */
void
fake_session_consume (FakeSession *self, unsigned int prefetch)
{
  self->prefetch = prefetch;
  wake (self->server);
}

/* All that is held, in the order in which it came. */
void
fake_session_give_back (FakeSession *self)
{
  Message *message;

  while ((message = g_queue_pop_tail (&self->held)) != NULL)
    {
      message->redelivered = TRUE;
      put_message (message, self->subject, TRUE);
    }
}

static Message *
take_held (FakeSession *self, guint64 tag)
{
  for (GList *l = self->held.head; l != NULL; l = l->next)
    {
      Message *message = l->data;

      if (message->tag == tag)
        {
          g_queue_delete_link (&self->held, l);
          return message;
        }
    }

  g_assert_not_reached ();
}

AmpsSettled
fake_session_settle (FakeSession *self, guint64 tag, const AmpsSettlement *settlement,
                     gboolean rejects)
{
  Message *message = take_held (self, tag);
  g_autofree char *dead = g_strconcat (self->subject, ".dead", NULL);

  wake (self->server);
  switch (settlement->kind)
    {
    case AMPS_SETTLE_REQUEUE:
    case AMPS_SETTLE_REQUEUE_FAILED:
      message->redelivered = TRUE;
      message->attempt = MAX (message->attempt, settlement->attempt);
      put_message (message, self->subject, TRUE);
      return AMPS_SETTLED_REQUEUED;
    case AMPS_SETTLE_RETRY:
      message->redelivered = FALSE;
      message->attempt = settlement->attempt;
      delay_message (message, self->subject, settlement->delay);
      return AMPS_SETTLED_MOVED;
    case AMPS_SETTLE_DEAD_LETTER:
      if (rejects)
        {
          message_free (message);
          return AMPS_SETTLED_REJECTED;
        }
      put_message (message, dead, FALSE);
      return AMPS_SETTLED_MOVED;
    case AMPS_SETTLE_ACKNOWLEDGE:
    default:
      message_free (message);
      return AMPS_SETTLED_ACKNOWLEDGED;
    }
}
