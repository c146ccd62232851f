/* SPDX-License-Identifier: MIT */
#include "amps-amqp-publisher.h"

#include "amps-amqp-confirms.h"
#include "amps-amqp-declarations.h"
#include "amps-amqp-redrive.h"
#include "amps-amqp-table.h"
#include "amps-amqp-topology.h"
#include "base/amps-error.h"

#include <string.h>

#define POOL_SIZE 4096

/* AMQP 0-9-1, 4.2.3: the bytes of a frame that are not payload. */
#define FRAME_OVERHEAD 8

/* A traceparent and a tracestate. */
#define N_TRACE_HEADERS 2

/* AMQP 0-9-1, 4.2.6.1: the bytes of a header frame's payload before the properties. */
#define HEADER_OVERHEAD 12

typedef struct {
  amqp_channel_t number;      /* 0 until it is open */
  AmpsAmqpConfirms *confirms; /* (owned) */
} Channel;

typedef struct {
  AmpsAmqpConnection *connection;
  Channel direct;
  Channel retry;                      /* for copies to retry queues */
  Channel dead;                       /* for copies to the dead letters */
  AmpsAmqpDeclarations *declarations; /* (owned) */
} Publisher;

static void
amqp_publisher_publication_free (gpointer data)
{
  AmpsAmqpPublication *publication = data;

  g_free (publication->queue);
  g_free (publication->message_id);
  g_clear_pointer (&publication->trace, amps_trace_headers_unref);
  g_clear_pointer (&publication->body, g_bytes_unref);
  g_clear_pointer (&publication->original, amps_delivery_unref);
  g_clear_pointer (&publication->copy, amps_amqp_copy_free);
  g_free (publication);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsAmqpPublication, amqp_publisher_publication_free)

static AmpsAmqpPublication *
publication_new (guint64 id, const char *queue, char *message_id, GBytes *body)
{
  AmpsAmqpPublication *publication = g_new0 (AmpsAmqpPublication, 1);

  publication->command.free = amqp_publisher_publication_free;
  publication->id = id;
  publication->queue = g_strdup (queue);
  publication->message_id = message_id;
  publication->body = g_bytes_ref (body);
  return publication;
}

/**
 * amps_amqp_publisher_new_publish:
 * @id: names the publication in the event that confirms it
 * @queue: where to
 * @message_id: (nullable): the event's id
 * @trace: (nullable): the trace context that goes with it
 * @body: an event in structured mode
 *
 * Returns: (transfer full): a command
 */
AmpsAmqpCommand *
amps_amqp_publisher_new_publish (guint64 id, const char *queue, const char *message_id,
                                 AmpsTraceHeaders *trace, GBytes *body)
{
  /* AMQP 0-9-1, 4.2.5.3: a short string. */
  gboolean fits = message_id != NULL && strlen (message_id) <= 255;

  AmpsAmqpPublication *publication =
      publication_new (id, queue, fits ? g_strdup (message_id) : NULL, body);

  if (trace != NULL)
    publication->trace = amps_trace_headers_ref (trace);
  return &publication->command;
}

/* What the message had, whatever was made of it. */
static GBytes *
get_own_body (AmpsDelivery *delivery)
{
  return delivery->original_body != NULL ? delivery->original_body : delivery->body;
}

static AmpsAmqpCopy *
describe_copy (const AmpsAmqpSettings *settings, AmpsDelivery *delivery,
               const AmpsSettlement *settlement, const char *name, AmpsClock *clock)
{
  AmpsAmqpCopy *copy = g_new0 (AmpsAmqpCopy, 1);

  copy->reason = g_strdup (settlement->reason);
  copy->detail = g_strdup (settlement->detail);
  copy->attempt = settlement->attempt != 0 ? settlement->attempt : delivery->attempt;
  copy->queue = g_strdup (settings->subject);
  copy->worker = g_strdup (settings->worker_id);
  copy->name = g_strdup (name);
  copy->first_received = delivery->first_received;
  copy->time = amps_clock_get_real_time (clock);

  copy->retry = settlement->kind != AMPS_SETTLE_DEAD_LETTER;

  /* It stands for the message itself, which is given back. */
  copy->redelivered = settlement->kind == AMPS_SETTLE_REQUEUE;
  if (settlement->kind == AMPS_SETTLE_REQUEUE || settlement->kind == AMPS_SETTLE_REQUEUE_FAILED)
    copy->delay =
        amps_delivery_get_remaining_delay (delivery, amps_clock_get_monotonic_time (clock));

  return copy;
}

/**
 * amps_amqp_publisher_new_copy:
 * @id: names the publication in the event that confirms it
 * @settings: say which queues there are
 * @delivery: what is copied
 * @settlement: why, which says where to
 * @name: (nullable): the same for each try to make this copy
 * @clock: what time is measured by
 *
 * Returns: (transfer full): a command
 */
AmpsAmqpCommand *
amps_amqp_publisher_new_copy (guint64 id, const AmpsAmqpSettings *settings, AmpsDelivery *delivery,
                              const AmpsSettlement *settlement, const char *name, AmpsClock *clock)
{
  char *message_id = amps_amqp_properties_dup_message_id (delivery->properties);
  g_autofree char *retry_queue = NULL;
  const char *queue = settings->subject;
  gint64 retry_step = 0;
  AmpsAmqpPublication *publication;

  if (settlement->kind == AMPS_SETTLE_DEAD_LETTER)
    queue = settings->dead_letter_queue;
  else if (settlement->kind == AMPS_SETTLE_RETRY)
    queue = retry_queue =
        amps_amqp_topology_get_retry_queue (settings->subject, settlement->delay, &retry_step);

  publication = publication_new (id, queue, message_id, get_own_body (delivery));
  publication->retry_step = retry_step;
  publication->dead_letter = settlement->kind == AMPS_SETTLE_DEAD_LETTER;
  publication->original = amps_delivery_ref (delivery);
  publication->copy = describe_copy (settings, delivery, settlement, name, clock);
  if (retry_step > 0)
    publication->copy->delay = MAX (settlement->delay - retry_step, 0);
  return &publication->command;
}

/**
 * amps_amqp_publisher_new_redrive:
 * @id: names the publication in the event that confirms it
 * @queue: where to
 * @letter: a dead letter
 * @new_life: whether it becomes what it was before it was given up; else it stays a dead
 *   letter, that was not handed out yet
 *
 * Returns: (transfer full): a command
 */
AmpsAmqpCommand *
amps_amqp_publisher_new_redrive (guint64 id, const char *queue, AmpsDelivery *letter,
                                 gboolean new_life)
{
  AmpsAmqpPublication *publication = publication_new (
      id, queue, amps_amqp_properties_dup_message_id (letter->properties), get_own_body (letter));

  publication->original = amps_delivery_ref (letter);
  publication->new_life = new_life;
  return &publication->command;
}

/**
 * amps_amqp_publisher_new_count:
 * @queue: whose messages to count
 *
 * Returns: (transfer full): a command
 */
AmpsAmqpCommand *
amps_amqp_publisher_new_count (const char *queue)
{
  AmpsAmqpPublication *publication = g_new0 (AmpsAmqpPublication, 1);

  publication->command.free = amqp_publisher_publication_free;
  publication->queue = g_strdup (queue);
  return &publication->command;
}

static void
amqp_publisher_tell (guint64 id, GError *problem, gpointer user_data)
{
  Publisher *self = user_data;
  AmpsAmqpEvent *event = amps_amqp_event_new (AMPS_AMQP_EVENT_CONFIRMED);

  event->id = id;
  event->error = problem;
  amps_amqp_connection_tell (self->connection, event);
}

/* Publishing */

static gboolean
select_confirms (Publisher *self, Channel *channel, amqp_channel_t number)
{
  channel->number = number;
  amqp_confirm_select (amps_amqp_connection_get_state (self->connection), number);
  return amps_amqp_connection_check_reply (self->connection, "ask for confirms", NULL, NULL);
}

static gpointer
publisher_start (AmpsAmqpConnection *connection)
{
  Publisher *self = g_new0 (Publisher, 1);

  self->connection = connection;
  self->direct.confirms = amps_amqp_confirms_new (amqp_publisher_tell, self);
  self->retry.confirms = amps_amqp_confirms_new (amqp_publisher_tell, self);
  self->dead.confirms = amps_amqp_confirms_new (amqp_publisher_tell, self);
  self->declarations = amps_amqp_declarations_new (connection);
  if (amps_amqp_connection_open_channel (connection, AMPS_AMQP_DECLARING_CHANNEL))
    select_confirms (self, &self->direct, AMPS_AMQP_CHANNEL);
  return self;
}

static void
publisher_free (gpointer role)
{
  Publisher *self = role;

  amps_amqp_confirms_free (self->direct.confirms);
  amps_amqp_confirms_free (self->retry.confirms);
  amps_amqp_confirms_free (self->dead.confirms);
  amps_amqp_declarations_free (self->declarations);
  g_free (self);
}

/* @entries: (array length=N_TRACE_HEADERS) (out caller-allocates): outlives @properties */
static void
add_trace (amqp_basic_properties_t *properties, amqp_table_entry_t *entries,
           const AmpsTraceHeaders *trace)
{
  properties->_flags |= AMQP_BASIC_HEADERS_FLAG;
  properties->headers.entries = entries;
  entries[properties->headers.num_entries++] =
      amps_amqp_table_make_text ("traceparent", trace->traceparent);
  if (trace->tracestate != NULL)
    entries[properties->headers.num_entries++] =
        amps_amqp_table_make_text ("tracestate", trace->tracestate);
}

static amqp_basic_properties_t
make_properties (const AmpsAmqpPublication *publication, amqp_table_entry_t *entries)
{
  amqp_basic_properties_t properties = {
    ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG,
    .content_type = amqp_cstring_bytes ("application/cloudevents+json"),
    .delivery_mode = 2,
  };

  if (publication->message_id != NULL)
    {
      properties._flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
      properties.message_id = amqp_cstring_bytes (publication->message_id);
    }
  if (publication->trace != NULL)
    add_trace (&properties, entries, publication->trace);

  return properties;
}

/* The library sends the last frame of such a body with MSG_MORE, so that it
 * waits in the kernel for 200 ms unless something follows. */
static gboolean
push_full_frame (Publisher *self, gsize body_size)
{
  amqp_connection_state_t state = amps_amqp_connection_get_state (self->connection);
  gsize payload = (gsize) amqp_get_frame_max (state) - FRAME_OVERHEAD;

  return body_size == 0 || body_size % payload != 0 ||
         amps_amqp_connection_send_heartbeat (self->connection);
}

static gsize
get_max_properties_size (Publisher *self)
{
  amqp_connection_state_t state = amps_amqp_connection_get_state (self->connection);

  return (gsize) amqp_get_frame_max (state) - FRAME_OVERHEAD - HEADER_OVERHEAD;
}

/* Returns: whether there are any to be had from a message that was delivered */
static gboolean
rebuild_properties (Publisher *self, const AmpsAmqpPublication *publication, amqp_pool_t *pool,
                    amqp_basic_properties_t *properties)
{
  const AmpsDelivery *original = publication->original;

  if (original == NULL)
    return FALSE;
  if (publication->copy == NULL)
    return amps_amqp_redrive_build (original->properties, publication->new_life, pool, properties);

  return amps_amqp_properties_build_copy (original->properties, publication->copy,
                                          get_max_properties_size (self), pool, properties);
}

static void
amqp_publisher_publish (Publisher *self, const Channel *channel,
                        const AmpsAmqpPublication *publication)
{
  amqp_connection_state_t state = amps_amqp_connection_get_state (self->connection);
  amqp_table_entry_t entries[N_TRACE_HEADERS];
  amqp_basic_properties_t properties;
  amqp_bytes_t body;
  amqp_pool_t pool;
  int status;

  init_amqp_pool (&pool, POOL_SIZE);
  body.bytes = (void *) g_bytes_get_data (publication->body, &body.len);
  /* What can't be read, the broker sent: it is ours to lose rather than the job. */
  if (!rebuild_properties (self, publication, &pool, &properties))
    properties = make_properties (publication, entries);

  status =
      amqp_basic_publish (state, channel->number, amqp_empty_bytes,
                          amqp_cstring_bytes (publication->queue), TRUE, FALSE, &properties, body);
  empty_amqp_pool (&pool);

  if (amps_amqp_connection_check (self->connection, status, "publish"))
    push_full_frame (self, body.len);
}

static void
publish_waiting (Publisher *self, const Channel *channel)
{
  const AmpsAmqpPublication *next;

  while (amps_amqp_connection_is_running (self->connection) &&
         (next = amps_amqp_confirms_send_next (channel->confirms)) != NULL)
    amqp_publisher_publish (self, channel, next);
}

/* Returns: (nullable): @channel, opened; %NULL if the connection failed */
static Channel *
ensure_channel (Publisher *self, Channel *channel, amqp_channel_t number)
{
  amqp_connection_state_t state = amps_amqp_connection_get_state (self->connection);

  /* The broker allows no more. */
  if (amqp_get_channel_max (state) < number)
    return &self->direct;

  if (channel->number != 0 || (amps_amqp_connection_open_channel (self->connection, number) &&
                               select_confirms (self, channel, number)))
    return channel;

  return NULL;
}

static Channel *
choose_channel (Publisher *self, const AmpsAmqpPublication *publication)
{
  if (publication->retry_step > 0)
    return ensure_channel (self, &self->retry, AMPS_AMQP_RETRY_CHANNEL);
  if (publication->dead_letter)
    return ensure_channel (self, &self->dead, AMPS_AMQP_DEAD_LETTER_CHANNEL);

  return &self->direct;
}

/* Returns: whether the queue of a copy is there; if not, that is told */
static gboolean
ensure_queue (Publisher *self, const AmpsAmqpPublication *publication)
{
  g_autoptr (GError) error = NULL;

  if (publication->retry_step > 0)
    amps_amqp_declarations_ensure_retry_queue (self->declarations, publication->queue,
                                               publication->retry_step, &error);
  else if (publication->dead_letter)
    amps_amqp_declarations_ensure_dead_letter_queue (self->declarations, publication->queue,
                                                     &error);

  if (error == NULL)
    return TRUE;

  /* If it has failed all is told to have. */
  if (amps_amqp_connection_is_running (self->connection))
    amqp_publisher_tell (publication->id, g_steal_pointer (&error), self);
  return FALSE;
}

static void
amqp_publisher_count (Publisher *self, const char *queue)
{
  AmpsAmqpEvent *event;
  gint64 n_messages;

  if (!amps_amqp_topology_count_messages (self->connection, queue, &n_messages))
    return;

  event = amps_amqp_event_new (AMPS_AMQP_EVENT_COUNTED);
  event->n_messages = n_messages;
  amps_amqp_connection_tell (self->connection, event);
}

static void
publisher_command (gpointer role, AmpsAmqpCommand *base)
{
  Publisher *self = role;
  g_autoptr (AmpsAmqpPublication) publication = (AmpsAmqpPublication *) base;
  Channel *channel;

  amps_amqp_connection_read (self->connection);
  if (publication->body == NULL)
    {
      amqp_publisher_count (self, publication->queue);
      return;
    }

  channel = choose_channel (self, publication);
  if (channel == NULL || !ensure_queue (self, publication))
    return;

  amps_amqp_confirms_add (channel->confirms, g_steal_pointer (&publication));
  publish_waiting (self, channel);
}

/* Confirms and returns */

/* Returns: (nullable): that publishes on the channel of that number */
static Channel *
get_channel (Publisher *self, amqp_channel_t number)
{
  /* The analyzer takes a channel that is NULL for one of no publisher. */
  g_assert (self != NULL);

  switch (number)
    {
    case AMPS_AMQP_CHANNEL:
      return &self->direct;
    case AMPS_AMQP_RETRY_CHANNEL:
      return &self->retry;
    case AMPS_AMQP_DEAD_LETTER_CHANNEL:
      return &self->dead;
    default:
      return NULL;
    }
}

static void
publisher_message (gpointer role, amqp_channel_t number, AmpsAmqpMessage *message)
{
  Publisher *self = role;
  const Channel *channel = get_channel (self, number);
  g_autoptr (AmpsAmqpMessage) owned = message;
  g_autofree char *message_id = amps_amqp_properties_dup_message_id (owned->properties);

  if (channel != NULL && owned->returned &&
      amps_amqp_confirms_return (channel->confirms, owned->routing_key, message_id))
    amps_amqp_declarations_forget (self->declarations, owned->routing_key);
  else
    amps_amqp_connection_fail_protocol (self->connection,
                                        "a message came that was not published here");
}

static void
confirm (Publisher *self, Channel *channel, guint64 tag, gboolean multiple, gboolean confirmed)
{
  if (channel != NULL && amps_amqp_confirms_confirm (channel->confirms, tag, multiple, confirmed))
    publish_waiting (self, channel);
  else
    amps_amqp_connection_fail_protocol (
        self->connection,
        "publication %" G_GUINT64_FORMAT " was confirmed, which was not waiting for it", tag);
}

static gboolean
publisher_method (gpointer role, amqp_channel_t number, const amqp_method_t *method)
{
  Publisher *self = role;
  Channel *channel = get_channel (self, number);
  const amqp_basic_ack_t *ack = method->decoded;
  const amqp_basic_nack_t *nack = method->decoded;

  if (method->id == AMQP_BASIC_ACK_METHOD)
    confirm (self, channel, ack->delivery_tag, ack->multiple != 0, TRUE);
  else if (method->id == AMQP_BASIC_NACK_METHOD)
    confirm (self, channel, nack->delivery_tag, nack->multiple != 0, FALSE);
  else
    return FALSE;

  return TRUE;
}

/* One publication was refused. The others, and those on other channels, go on. */
static gboolean
publisher_closed (gpointer role, amqp_channel_t number, int code, const char *text)
{
  Publisher *self = role;
  Channel *channel = get_channel (self, number);

  if (channel == NULL || number != channel->number)
    return FALSE;

  amps_amqp_confirms_close (channel->confirms, code, text);
  if (amps_amqp_connection_reopen_channel (self->connection, number) &&
      select_confirms (self, channel, number))
    publish_waiting (self, channel);
  return TRUE;
}

const AmpsAmqpRole amps_amqp_publisher_role = {
  .name = "publish",
  .start = publisher_start,
  .command = publisher_command,
  .message = publisher_message,
  .method = publisher_method,
  .closed = publisher_closed,
  .free = publisher_free,
};
