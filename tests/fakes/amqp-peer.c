/* SPDX-License-Identifier: MIT */
#include "amqp-peer.h"

#include <gio/gio.h>
#include <pthread.h>
#include <string.h>

#define PATIENCE (20 * G_USEC_PER_SEC)
#define MAX_FRAME 131072

/* AMQP 0-9-1, 2.3.5: type, channel and size, and the byte at the end. */
#define FRAME_HEAD 7
#define FRAME_END 0xce

typedef struct {
  int code;
  char *text; /* (owned) (nullable) */
} Refusal;

struct _AmqpPeer {
  GSocketListener *listener; /* (owned) */
  GCancellable *ended;       /* (owned) */
  GThread *thread;
  guint16 port;

  pthread_mutex_t lock;      /* of the rest; not GMutex, which ThreadSanitizer does not see */
  GSocketConnection *client; /* (nullable) */
  GHashTable *refusals;      /* (owned) method → (owned) Refusal */
  GString *log;              /* (owned) */
  char *version;             /* (owned) (nullable) */
  guint32 n_messages;
  gboolean lacks_queues;
  gboolean declared; /* some of them, since */
};

static void
refusal_free (gpointer data)
{
  Refusal *refusal = data;

  g_free (refusal->text);
  g_free (refusal);
}

/* Frames */

/* With @lock. The client may be gone. */
static void
write_frame (AmqpPeer *self, guint8 type, amqp_channel_t channel, const guint8 *payload, gsize size)
{
  g_autoptr (GByteArray) frame = g_byte_array_new ();
  const guint8 head[FRAME_HEAD] = { type,
                                    (guint8) (channel >> 8),
                                    (guint8) channel,
                                    (guint8) (size >> 24),
                                    (guint8) (size >> 16),
                                    (guint8) (size >> 8),
                                    (guint8) size };
  const guint8 end = FRAME_END;

  if (self->client == NULL)
    return;

  g_byte_array_append (frame, head, sizeof head);
  g_byte_array_append (frame, payload, (guint) size);
  g_byte_array_append (frame, &end, 1);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (self->client)),
                             frame->data, frame->len, NULL, self->ended, NULL);
}

static void
write_method (AmqpPeer *self, amqp_channel_t channel, amqp_method_number_t id, void *decoded)
{
  guint8 payload[4096] = { (guint8) (id >> 24), (guint8) (id >> 16), (guint8) (id >> 8),
                           (guint8) id };
  int size = amqp_encode_method (id, decoded, (amqp_bytes_t){ sizeof payload - 4, payload + 4 });

  g_assert_cmpint (size, >=, 0);
  write_frame (self, AMQP_FRAME_METHOD, channel, payload, 4 + (gsize) size);
}

/* Returns: (transfer full) (nullable): type, channel and payload of the next frame; %NULL
 *   at the end */
static GByteArray *
read_frame (AmqpPeer *self, GInputStream *stream, guint8 *type, amqp_channel_t *channel)
{
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  guint8 head[FRAME_HEAD];
  gsize size;

  if (!g_input_stream_read_all (stream, head, sizeof head, &size, self->ended, NULL) ||
      size < sizeof head)
    return NULL;

  *type = head[0];
  *channel = (amqp_channel_t) (head[1] << 8 | head[2]);
  size = (gsize) head[3] << 24 | (gsize) head[4] << 16 | (gsize) head[5] << 8 | head[6];
  g_assert_cmpuint (size, <=, MAX_FRAME);
  g_byte_array_set_size (payload, (guint) size + 1);
  if (!g_input_stream_read_all (stream, payload->data, size + 1, &size, self->ended, NULL) ||
      size < payload->len)
    return NULL;

  g_assert_cmpuint (payload->data[size - 1], ==, FRAME_END);
  g_byte_array_set_size (payload, (guint) size - 1);
  return g_steal_pointer (&payload);
}

/* What has come */

static char *
dup_text (amqp_bytes_t bytes)
{
  return g_strndup (bytes.bytes, bytes.len);
}

static char *
describe_queue (const char *what, amqp_bytes_t queue)
{
  g_autofree char *name = dup_text (queue);

  return g_strdup_printf ("%s %s", what, name);
}

static char *
describe_answer (const char *what, guint64 tag, gboolean multiple, gboolean requeue)
{
  return g_strdup_printf ("%s %" G_GUINT64_FORMAT "%s%s", what, tag, multiple ? " multiple" : "",
                          requeue ? " requeue" : "");
}

static char *
describe_method (amqp_method_number_t id, void *decoded)
{
  const amqp_queue_declare_t *declare = decoded;
  const amqp_basic_consume_t *consume = decoded;
  const amqp_basic_publish_t *publish = decoded;
  const amqp_basic_nack_t *nack = decoded;
  const amqp_basic_reject_t *reject = decoded;
  const amqp_basic_ack_t *ack = decoded;

  switch (id)
    {
    case AMQP_QUEUE_DECLARE_METHOD:
      return describe_queue (declare->passive ? "look-at" : "declare", declare->queue);
    case AMQP_BASIC_CONSUME_METHOD:
      return g_strdup_printf ("consume with %d argument(s)", consume->arguments.num_entries);
    case AMQP_BASIC_PUBLISH_METHOD:
      return describe_queue ("publish", publish->routing_key);
    case AMQP_BASIC_QOS_METHOD:
      return g_strdup_printf ("qos %u", ((const amqp_basic_qos_t *) decoded)->prefetch_count);
    case AMQP_BASIC_ACK_METHOD:
      return describe_answer ("ack", ack->delivery_tag, ack->multiple, FALSE);
    case AMQP_BASIC_NACK_METHOD:
      return describe_answer ("nack", nack->delivery_tag, nack->multiple, nack->requeue);
    case AMQP_BASIC_REJECT_METHOD:
      return describe_answer ("reject", reject->delivery_tag, FALSE, reject->requeue);
    default:
      return g_strdup (amqp_method_name (id));
    }
}

/* With @lock. */
static void
note (AmqpPeer *self, amqp_channel_t channel, const char *what)
{
  g_string_append_printf (self->log, "%u %s\n", channel, what);
}

/* Answers */

/* With @lock.
 * Returns: (nullable): how that request is refused */
static const Refusal *
find_refusal (AmqpPeer *self, amqp_method_number_t id, const void *decoded)
{
  static const Refusal no_queue = { AMQP_NOT_FOUND, (char *) "NOT_FOUND - no queue" };
  const amqp_queue_declare_t *declare = decoded;

  if (id == AMQP_QUEUE_DECLARE_METHOD && declare->passive && self->lacks_queues)
    return &no_queue;
  if (id == AMQP_BASIC_CONSUME_METHOD && self->lacks_queues && !self->declared)
    return &no_queue;

  return g_hash_table_lookup (self->refusals, GUINT_TO_POINTER (id));
}

static void
refuse (AmqpPeer *self, amqp_channel_t channel, const Refusal *refusal)
{
  amqp_channel_close_t channel_close = { .reply_code = (guint16) refusal->code };
  amqp_connection_close_t connection_close = { .reply_code = (guint16) refusal->code };

  if (refusal->text == NULL)
    return;

  channel_close.reply_text = connection_close.reply_text = amqp_cstring_bytes (refusal->text);
  if (channel == 0)
    write_method (self, 0, AMQP_CONNECTION_CLOSE_METHOD, &connection_close);
  else
    write_method (self, channel, AMQP_CHANNEL_CLOSE_METHOD, &channel_close);
}

static void
start (AmqpPeer *self)
{
  amqp_table_entry_t version = { .key = amqp_cstring_bytes ("version") };
  amqp_connection_start_t method = {
    .version_major = 0,
    .version_minor = 9,
    .mechanisms = amqp_cstring_bytes ("PLAIN EXTERNAL"),
    .locales = amqp_cstring_bytes ("en_US"),
  };

  if (self->version != NULL)
    {
      version.value.kind = AMQP_FIELD_KIND_UTF8;
      version.value.value.bytes = amqp_cstring_bytes (self->version);
      method.server_properties = (amqp_table_t){ 1, &version };
    }
  write_method (self, 0, AMQP_CONNECTION_START_METHOD, &method);
}

static void
answer (AmqpPeer *self, amqp_channel_t channel, amqp_method_number_t id, void *decoded)
{
  amqp_connection_tune_t tune = { .frame_max = MAX_FRAME };
  amqp_queue_declare_ok_t declared = { .message_count = self->n_messages };
  amqp_basic_consume_ok_t consuming;
  amqp_basic_cancel_ok_t cancelled;
  guint8 empty[64] = { 0 }; /* of a method that says nothing */

  switch (id)
    {
    case AMQP_CONNECTION_START_OK_METHOD:
      write_method (self, channel, AMQP_CONNECTION_TUNE_METHOD, &tune);
      break;
    case AMQP_QUEUE_DECLARE_METHOD:
      declared.queue = ((amqp_queue_declare_t *) decoded)->queue;
      self->declared = self->declared || !((amqp_queue_declare_t *) decoded)->passive;
      write_method (self, channel, AMQP_QUEUE_DECLARE_OK_METHOD, &declared);
      break;
    case AMQP_BASIC_CONSUME_METHOD:
      consuming.consumer_tag = ((amqp_basic_consume_t *) decoded)->consumer_tag;
      write_method (self, channel, AMQP_BASIC_CONSUME_OK_METHOD, &consuming);
      break;
    case AMQP_BASIC_CANCEL_METHOD:
      cancelled.consumer_tag = ((amqp_basic_cancel_t *) decoded)->consumer_tag;
      write_method (self, channel, AMQP_BASIC_CANCEL_OK_METHOD, &cancelled);
      break;
    case AMQP_CONNECTION_OPEN_METHOD:
    case AMQP_CONNECTION_CLOSE_METHOD:
    case AMQP_CHANNEL_OPEN_METHOD:
    case AMQP_BASIC_QOS_METHOD:
    case AMQP_CONFIRM_SELECT_METHOD:
      /* The answer to a request has the next number. */
      write_method (self, channel, id + 1, empty);
      break;
    default:
      break;
    }
}

static void
take_method (AmqpPeer *self, amqp_channel_t channel, GByteArray *payload)
{
  const guint8 *data = payload->data;
  amqp_method_number_t id = (amqp_method_number_t) data[0] << 24 |
                            (amqp_method_number_t) data[1] << 16 |
                            (amqp_method_number_t) data[2] << 8 | data[3];
  g_autofree char *what = NULL;
  const Refusal *refusal;
  amqp_pool_t pool;
  void *decoded;

  init_amqp_pool (&pool, 4096);
  g_assert_cmpint (amqp_decode_method (
                       id, &pool, (amqp_bytes_t){ payload->len - 4, payload->data + 4 }, &decoded),
                   >=, 0);
  pthread_mutex_lock (&self->lock);
  refusal = find_refusal (self, id, decoded);
  if (refusal != NULL)
    refuse (self, channel, refusal);
  else
    answer (self, channel, id, decoded);
  what = describe_method (id, decoded);
  note (self, channel, what);
  pthread_mutex_unlock (&self->lock);
  empty_amqp_pool (&pool);
}

static void
take_heartbeat (AmqpPeer *self)
{
  pthread_mutex_lock (&self->lock);
  note (self, 0, "heartbeat");
  pthread_mutex_unlock (&self->lock);
}

static void
serve (AmqpPeer *self, GInputStream *stream)
{
  GByteArray *payload;
  guint8 header[8];
  guint8 type;
  amqp_channel_t channel;
  gsize size;

  g_input_stream_read_all (stream, header, sizeof header, &size, self->ended, NULL);
  if (size < sizeof header)
    return;

  g_assert_cmpmem (header, sizeof header, "AMQP\0\0\x09\x01", 8);
  pthread_mutex_lock (&self->lock);
  start (self);
  pthread_mutex_unlock (&self->lock);

  while ((payload = read_frame (self, stream, &type, &channel)) != NULL)
    {
      if (type == AMQP_FRAME_METHOD)
        take_method (self, channel, payload);
      else if (type == AMQP_FRAME_HEARTBEAT)
        take_heartbeat (self);
      g_byte_array_unref (payload);
    }
}

static gpointer
run (gpointer data)
{
  AmqpPeer *self = data;
  GSocketConnection *client;

  while ((client = g_socket_listener_accept (self->listener, NULL, self->ended, NULL)) != NULL)
    {
      pthread_mutex_lock (&self->lock);
      self->client = client;
      pthread_mutex_unlock (&self->lock);

      serve (self, g_io_stream_get_input_stream (G_IO_STREAM (client)));

      pthread_mutex_lock (&self->lock);
      self->client = NULL;
      note (self, 0, "gone");
      pthread_mutex_unlock (&self->lock);
      g_object_unref (client);
    }

  return NULL;
}

/* What the test sees */

AmqpPeer *
amqp_peer_new (void)
{
  AmqpPeer *self = g_new0 (AmqpPeer, 1);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  pthread_mutex_init (&self->lock, NULL);
  self->ended = g_cancellable_new ();
  self->refusals = g_hash_table_new_full (NULL, NULL, NULL, refusal_free);
  self->log = g_string_new (NULL);
  self->version = g_strdup ("4.3.0");
  self->listener = g_socket_listener_new ();
  g_socket_listener_add_address (self->listener, any, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                 NULL, &address, &error);
  g_assert_no_error (error);
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  self->thread = g_thread_new ("AMQP peer", run, self);
  return self;
}

void
amqp_peer_free (AmqpPeer *self)
{
  g_cancellable_cancel (self->ended);
  g_thread_join (self->thread);
  g_object_unref (self->listener);
  g_object_unref (self->ended);
  g_hash_table_unref (self->refusals);
  g_string_free (self->log, TRUE);
  g_free (self->version);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

char *
amqp_peer_dup_uri (AmqpPeer *self)
{
  return g_strdup_printf ("amqp://guest:secret@127.0.0.1:%u", self->port);
}

void
amqp_peer_set_version (AmqpPeer *self, const char *version)
{
  pthread_mutex_lock (&self->lock);
  g_free (self->version);
  self->version = g_strdup (version);
  pthread_mutex_unlock (&self->lock);
}

void
amqp_peer_set_n_messages (AmqpPeer *self, guint32 n_messages)
{
  pthread_mutex_lock (&self->lock);
  self->n_messages = n_messages;
  pthread_mutex_unlock (&self->lock);
}

void
amqp_peer_set_lacks_queues (AmqpPeer *self, gboolean lacks_queues)
{
  pthread_mutex_lock (&self->lock);
  self->lacks_queues = lacks_queues;
  self->declared = FALSE;
  pthread_mutex_unlock (&self->lock);
}

void
amqp_peer_refuse (AmqpPeer *self, amqp_method_number_t request, int code, const char *text)
{
  Refusal *refusal = g_new0 (Refusal, 1);

  refusal->code = code;
  refusal->text = g_strdup (text);
  pthread_mutex_lock (&self->lock);
  g_hash_table_insert (self->refusals, GUINT_TO_POINTER (request), refusal);
  pthread_mutex_unlock (&self->lock);
}

void
amqp_peer_accept (AmqpPeer *self, amqp_method_number_t request)
{
  pthread_mutex_lock (&self->lock);
  g_hash_table_remove (self->refusals, GUINT_TO_POINTER (request));
  pthread_mutex_unlock (&self->lock);
}

void
amqp_peer_send (AmqpPeer *self, amqp_channel_t channel, amqp_method_number_t id, void *decoded)
{
  pthread_mutex_lock (&self->lock);
  write_method (self, channel, id, decoded);
  pthread_mutex_unlock (&self->lock);
}

/* A message without properties. */
static void
send_message (AmqpPeer *self, amqp_channel_t channel, amqp_method_number_t id, void *decoded,
              const char *body)
{
  gsize size = strlen (body);
  /* Class, weight, size of the body and no properties. */
  const guint8 header[14] = { 0,
                              AMQP_BASIC_CLASS,
                              [8] = (guint8) (size >> 24),
                              (guint8) (size >> 16),
                              (guint8) (size >> 8),
                              (guint8) size };

  pthread_mutex_lock (&self->lock);
  write_method (self, channel, id, decoded);
  write_frame (self, AMQP_FRAME_HEADER, channel, header, sizeof header);
  for (gsize sent = 0; sent < size; sent += MIN (size - sent, MAX_FRAME - 8))
    write_frame (self, AMQP_FRAME_BODY, channel, (const guint8 *) body + sent,
                 MIN (size - sent, MAX_FRAME - 8));
  pthread_mutex_unlock (&self->lock);
}

/* On the first channel. */
void
amqp_peer_deliver (AmqpPeer *self, guint64 tag, const char *body)
{
  amqp_basic_deliver_t deliver = { .consumer_tag = amqp_cstring_bytes ("a consumer"),
                                   .delivery_tag = tag,
                                   .routing_key = amqp_cstring_bytes ("a queue") };

  send_message (self, 1, AMQP_BASIC_DELIVER_METHOD, &deliver, body);
}

void
amqp_peer_return (AmqpPeer *self, amqp_channel_t channel, const char *queue, const char *body)
{
  amqp_basic_return_t returned = { .reply_code = AMQP_NO_ROUTE,
                                   .reply_text = amqp_cstring_bytes ("NO_ROUTE"),
                                   .routing_key = amqp_cstring_bytes (queue) };

  send_message (self, channel, AMQP_BASIC_RETURN_METHOD, &returned, body);
}

void
amqp_peer_hang_up (AmqpPeer *self)
{
  pthread_mutex_lock (&self->lock);
  if (self->client != NULL)
    g_socket_shutdown (g_socket_connection_get_socket (self->client), TRUE, TRUE, NULL);
  pthread_mutex_unlock (&self->lock);
}

char *
amqp_peer_dup_log (AmqpPeer *self)
{
  char *log;

  pthread_mutex_lock (&self->lock);
  log = g_strdup (self->log->str);
  pthread_mutex_unlock (&self->lock);
  return log;
}

void
amqp_peer_wait_for (AmqpPeer *self, const char *line)
{
  g_autofree char *whole = g_strconcat ("\n", line, "\n", NULL);
  gint64 end = g_get_monotonic_time () + PATIENCE;

  while (TRUE)
    {
      g_autofree char *log = amqp_peer_dup_log (self);
      g_autofree char *padded = g_strconcat ("\n", log, NULL);

      if (strstr (padded, whole) != NULL)
        return;
      if (g_get_monotonic_time () > end)
        g_error ("“%s” has not come, only:\n%s", line, log);
      g_main_context_iteration (NULL, FALSE);
      g_usleep (500);
    }
}
