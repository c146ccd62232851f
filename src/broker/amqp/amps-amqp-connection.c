/* SPDX-License-Identifier: MIT */
#include "amps-amqp-connection.h"

#include "amps-amqp-assembler.h"
#include "amps-amqp-connect.h"
#include "amps-amqp-failure.h"

#include <poll.h>

/* So that nothing else is starved by a flood of frames. */
#define MAX_FRAMES_AT_ONCE 64
#define MAX_BYTES_AT_ONCE (256 * 1024)

/* AMQP 0-9-1, 1.4: the class of the connection's own methods. */
#define CONNECTION_CLASS 10

struct _AmpsAmqpConnection {
  const AmpsAmqpRole *role;
  gpointer role_data;               /* (owned) (nullable) once started */
  const AmpsAmqpSettings *settings; /* outlives the connection */
  AmpsMailbox *events;              /* of the main thread, outlives the connection */
  amqp_connection_state_t state;    /* (owned) */
  gboolean on_main_loop;            /* rather than in the I/O thread */
  gboolean running;                 /* has not failed */
  gboolean full;                    /* as was told */
  char *failure;                    /* (owned) (nullable) why it ended */
  unsigned int server_major;
  unsigned int server_minor;
  AmpsAmqpAssembler *assemblers[AMPS_AMQP_N_CHANNELS]; /* (owned) (nullable) of open channels */
};

/**
 * amps_amqp_connection_post:
 * @self: a connection
 * @event: (transfer full): for the main thread
 *
 * In any thread, as long as the connection is there. @event is handled later.
 */
void
amps_amqp_connection_post (AmpsAmqpConnection *self, AmpsAmqpEvent *event)
{
  event->role = self->role;
  amps_mailbox_send (self->events, &event->mail);
}

/**
 * amps_amqp_connection_tell:
 * @self: a connection
 * @event: (transfer full): for the main thread
 *
 * In the thread that has the connection. In the main thread @event is handled at once.
 */
void
amps_amqp_connection_tell (AmpsAmqpConnection *self, AmpsAmqpEvent *event)
{
  event->role = self->role;
  if (self->on_main_loop)
    amps_mailbox_pass (self->events, &event->mail);
  else
    amps_mailbox_send (self->events, &event->mail);
}

/**
 * amps_amqp_connection_can_send:
 * @self: a connection
 *
 * The library waits for ever while the socket takes nothing. The I/O
 * thread may, as the main thread watches it. On the main loop the socket must have
 * room: Linux says so only if that is a third of its buffer, which is enough for
 * any method that has no content, and for the library's heartbeats after it.
 *
 * Returns: whether a method may be sent now
 */
gboolean
amps_amqp_connection_can_send (AmpsAmqpConnection *self)
{
  struct pollfd socket = { .fd = amqp_get_sockfd (self->state), .events = POLLOUT };

  return !self->on_main_loop || (poll (&socket, 1, 0) == 1 && (socket.revents & POLLOUT) != 0);
}

/* Failing */

/**
 * amps_amqp_connection_fail:
 * @self: a connection
 * @format: printf() format of the reason; never a secret
 * @...: its arguments
 *
 * Ends the connection. The first reason counts.
 */
void
amps_amqp_connection_fail (AmpsAmqpConnection *self, const char *format, ...)
{
  va_list arguments;

  if (self->failure == NULL)
    {
      va_start (arguments, format);
      self->failure = g_strdup_vprintf (format, arguments);
      va_end (arguments);
    }

  self->running = FALSE;
}

/**
 * amps_amqp_connection_fail_protocol:
 * @self: a connection
 * @format: printf() format of what the broker did; never a secret
 * @...: its arguments
 *
 * Ends the connection, because the broker breaks the protocol: nothing that it says of
 * messages on this connection can be relied on.
 */
void
amps_amqp_connection_fail_protocol (AmpsAmqpConnection *self, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  amps_amqp_connection_fail (self, "the broker broke the protocol: %s", what);
}

/**
 * amps_amqp_connection_check:
 * @self: a connection
 * @status: what rabbitmq-c returned
 * @what: what was tried
 *
 * Returns: whether it worked; if not, the connection ends
 */
gboolean
amps_amqp_connection_check (AmpsAmqpConnection *self, int status, const char *what)
{
  if (status != AMQP_STATUS_OK)
    amps_amqp_connection_fail (self, "could not %s: %s", what, amps_amqp_failure_describe (status));

  return status == AMQP_STATUS_OK;
}

/**
 * amps_amqp_connection_check_reply:
 * @self: a connection
 * @what: what was asked for
 * @channel_error: (out) (optional): the code for which the broker closed the
 *   channel; 0 if it did not
 * @channel_text: (out) (optional) (transfer full) (nullable): what it said
 *
 * Looks at the reply to the last request. With @channel_error the closing of
 * the channel is left to the caller, who then reopens it; all else that fails
 * ends the connection.
 *
 * Returns: whether it worked
 */
gboolean
amps_amqp_connection_check_reply (AmpsAmqpConnection *self, const char *what, int *channel_error,
                                  char **channel_text)
{
  amqp_rpc_reply_t reply = amqp_get_rpc_reply (self->state);
  g_autofree char *why = NULL;

  if (channel_error != NULL)
    *channel_error = 0;
  if (reply.reply_type == AMQP_RESPONSE_NORMAL)
    return TRUE;

  if (channel_error != NULL && reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION &&
      reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD)
    {
      const amqp_channel_close_t *closed = reply.reply.decoded;

      *channel_error = closed->reply_code;
      *channel_text = amps_amqp_failure_dup_text (closed->reply_text);
      return FALSE;
    }

  why = amps_amqp_describe_reply (reply);
  amps_amqp_connection_fail (self, "could not %s: %s", what, why);
  return FALSE;
}

/**
 * amps_amqp_connection_open_channel:
 * @self: a connection
 * @channel: one that is closed
 *
 * Returns: whether it is open; if not, the connection ends
 */
gboolean
amps_amqp_connection_open_channel (AmpsAmqpConnection *self, amqp_channel_t channel)
{
  AmpsAmqpAssembler **assembler = &self->assemblers[channel - 1];

  /* What was half assembled when the broker closed it does not go on. */
  g_clear_pointer (assembler, amps_amqp_assembler_free);
  *assembler =
      amps_amqp_assembler_new (self->settings->max_kept_size, self->settings->max_body_size,
                               self->role->takes_jobs ? self->settings->budget : NULL);

  amqp_channel_open (self->state, channel);
  return amps_amqp_connection_check_reply (self, "open a channel", NULL, NULL);
}

/**
 * amps_amqp_connection_reopen_channel:
 * @self: a connection
 * @channel: what the broker has closed
 *
 * Returns: whether there is a new one; if not, the connection ends
 */
gboolean
amps_amqp_connection_reopen_channel (AmpsAmqpConnection *self, amqp_channel_t channel)
{
  amqp_channel_close_ok_t close_ok = { 0 };
  int status = amqp_send_method (self->state, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &close_ok);

  return amps_amqp_connection_check (self, status, "answer the closing of a channel") &&
         amps_amqp_connection_open_channel (self, channel);
}

/* Frames */

static void
tell_whether (AmpsAmqpConnection *self, AmpsAmqpEventKind kind, gboolean blocked)
{
  AmpsAmqpEvent *event = amps_amqp_event_new (kind);

  event->blocked = blocked;
  amps_amqp_connection_tell (self, event);
}

static void
handle_channel_close (AmpsAmqpConnection *self, amqp_channel_t channel,
                      const amqp_channel_close_t *closed)
{
  g_autofree char *text = amps_amqp_failure_dup_text (closed->reply_text);

  if (self->role->closed == NULL ||
      !self->role->closed (self->role_data, channel, closed->reply_code, text))
    amps_amqp_connection_fail (self, "the broker closed the channel: %s", text);
}

/* AMQP 0-9-1, 2.2.4: what is of the connection comes on channel 0, all else on one that
 * is open. */
static gboolean
check_channel (AmpsAmqpConnection *self, amqp_channel_t channel, gboolean of_connection)
{
  gboolean open =
      channel >= 1 && channel <= AMPS_AMQP_N_CHANNELS && self->assemblers[channel - 1] != NULL;

  if (of_connection ? channel == 0 : open)
    return TRUE;

  amps_amqp_connection_fail_protocol (self, "a frame came on channel %u, which is not one for it",
                                      channel);
  return FALSE;
}

static void
handle_method (AmpsAmqpConnection *self, amqp_channel_t channel, const amqp_method_t *method)
{
  if (!check_channel (self, channel, method->id >> 16 == CONNECTION_CLASS))
    return;

  switch (method->id)
    {
    case AMQP_CONNECTION_BLOCKED_METHOD:
      tell_whether (self, AMPS_AMQP_EVENT_BLOCKED, TRUE);
      return;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      tell_whether (self, AMPS_AMQP_EVENT_BLOCKED, FALSE);
      return;
      case AMQP_CONNECTION_CLOSE_METHOD: {
        const amqp_connection_close_t *closed = method->decoded;
        g_autofree char *text = amps_amqp_failure_dup_text (closed->reply_text);

        amps_amqp_connection_fail (self, "the broker closed the connection: %s", text);
        return;
      }
    case AMQP_CHANNEL_CLOSE_METHOD:
      handle_channel_close (self, channel, method->decoded);
      return;
    default:
      if (!self->role->method (self->role_data, channel, method))
        amps_amqp_connection_fail_protocol (self, "%s was not expected",
                                            amqp_method_name (method->id));
    }
}

static void
assemble (AmpsAmqpConnection *self, const amqp_frame_t *frame)
{
  amqp_channel_t channel = frame->channel;
  g_autoptr (AmpsAmqpMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  if (!check_channel (self, channel, FALSE))
    return;

  if (!amps_amqp_assembler_add_frame (self->assemblers[channel - 1], frame, &message, &error))
    amps_amqp_connection_fail_protocol (self, "%s", error->message);
  else if (message != NULL)
    self->role->message (self->role_data, channel, g_steal_pointer (&message));
}

static void
handle_frame (AmpsAmqpConnection *self, const amqp_frame_t *frame)
{
  amqp_method_number_t id;

  switch (frame->frame_type)
    {
    case AMQP_FRAME_METHOD:
      id = frame->payload.method.id;
      if (id == AMQP_BASIC_DELIVER_METHOD || id == AMQP_BASIC_RETURN_METHOD)
        assemble (self, frame);
      else
        handle_method (self, frame->channel, &frame->payload.method);
      break;
    case AMQP_FRAME_HEADER:
    case AMQP_FRAME_BODY:
      assemble (self, frame);
      break;
    default:
      /* Heartbeats, which the library has already counted. */
      break;
    }
}

/**
 * amps_amqp_connection_is_full:
 * @self: a connection
 *
 * Returns: whether nothing is to be read since there is no room for the next message
 */
gboolean
amps_amqp_connection_is_full (AmpsAmqpConnection *self)
{
  AmpsAmqpAssembler *assembler = self->assemblers[AMPS_AMQP_CHANNEL - 1];

  return assembler != NULL && amps_amqp_assembler_is_waiting (assembler);
}

/**
 * amps_amqp_connection_set_patient:
 * @self: an open connection
 * @patient: whether messages wait for room; else those that find none are surplus
 */
void
amps_amqp_connection_set_patient (AmpsAmqpConnection *self, gboolean patient)
{
  amps_amqp_assembler_set_patient (self->assemblers[AMPS_AMQP_CHANNEL - 1], patient);
}

/**
 * amps_amqp_connection_send_heartbeat:
 * @self: a connection
 *
 * Sends one by itself: the library does only while it reads.
 *
 * Returns: whether it was sent
 */
gboolean
amps_amqp_connection_send_heartbeat (AmpsAmqpConnection *self)
{
  const amqp_frame_t heartbeat = { .frame_type = AMQP_FRAME_HEARTBEAT };

  return amps_amqp_connection_can_send (self) &&
         amps_amqp_connection_check (self, amqp_send_frame (self->state, &heartbeat),
                                     "send a heartbeat");
}

/**
 * amps_amqp_connection_read:
 * @self: a connection
 *
 * Handles the frames that there are, and room for, without waiting for more. To be
 * called whenever heartbeats are due, too, and before publishing: amqp_basic_publish()
 * blocks for ever if frames are overdue.
 */
void
amps_amqp_connection_read (AmpsAmqpConnection *self)
{
  struct timeval none = { 0, 0 };
  int status = AMQP_STATUS_OK;
  gsize n_bytes = 0;
  gboolean full = amps_amqp_connection_is_full (self);

  if (full)
    amps_amqp_connection_send_heartbeat (self);
  for (int i = 0; i < MAX_FRAMES_AT_ONCE && n_bytes < MAX_BYTES_AT_ONCE && self->running && !full;
       i++)
    {
      amqp_frame_t frame;

      status = amqp_simple_wait_frame_noblock (self->state, &frame, &none);
      if (status != AMQP_STATUS_OK)
        break;
      if (frame.frame_type == AMQP_FRAME_BODY)
        n_bytes += frame.payload.body_fragment.len;
      handle_frame (self, &frame);
      full = amps_amqp_connection_is_full (self);
    }
  if (status != AMQP_STATUS_OK && status != AMQP_STATUS_TIMEOUT)
    amps_amqp_connection_fail (self, "the connection broke: %s",
                               amps_amqp_failure_describe (status));
  amqp_maybe_release_buffers (self->state);
  if (full != self->full)
    tell_whether (self, AMPS_AMQP_EVENT_FULL, self->full = full);
}

/* Life */

/**
 * amps_amqp_connection_new:
 * @role: what it is there for
 * @settings: outlives the connection
 * @events: gets what there is to tell; outlives the connection
 *
 * Returns: (transfer full): a connection to open
 */
AmpsAmqpConnection *
amps_amqp_connection_new (const AmpsAmqpRole *role, const AmpsAmqpSettings *settings,
                          AmpsMailbox *events)
{
  AmpsAmqpConnection *self = g_new0 (AmpsAmqpConnection, 1);

  self->role = role;
  self->settings = settings;
  self->events = events;
  self->state = amqp_new_connection ();
  self->running = TRUE;
  return self;
}

/**
 * amps_amqp_connection_open:
 * @self: a new connection
 * @address: where to, with the password
 * @guard: may break it from now on
 *
 * Blocks. Connects, logs in and opens the role's channel.
 *
 * Returns: whether it is open; if not, the connection ends
 */
gboolean
amps_amqp_connection_open (AmpsAmqpConnection *self, const char *address, AmpsAmqpHangGuard *guard)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsAmqpUri) uri = amps_amqp_uri_parse (address, &error);
  g_autofree char *name = g_strdup_printf ("%s %s", self->settings->worker_id, self->role->name);

  if (uri == NULL || !amps_amqp_connect (self->state, uri, &error))
    {
      amps_amqp_connection_fail (self, "%s", error->message);
      return FALSE;
    }

  amps_amqp_hang_guard_set_fd (guard, amqp_get_sockfd (self->state));
  if (!amps_amqp_log_in (self->state, uri, name, &error))
    {
      amps_amqp_connection_fail (self, "%s", error->message);
      return FALSE;
    }

  amps_amqp_get_server_version (self->state, &self->server_major, &self->server_minor);
  return amps_amqp_connection_open_channel (self, AMPS_AMQP_CHANNEL);
}

/**
 * amps_amqp_connection_start:
 * @self: an open connection
 *
 * Begins what it is there for. May block.
 */
void
amps_amqp_connection_start (AmpsAmqpConnection *self)
{
  self->role_data = self->role->start (self);
  if (self->running)
    amps_amqp_connection_tell (self, amps_amqp_event_new (AMPS_AMQP_EVENT_OPENED));
}

/**
 * amps_amqp_connection_free:
 * @self: (transfer full): a connection
 * @guard: can break it until it is closed
 *
 * Blocks. Says goodbye to the broker unless the connection has failed, and closes it.
 *
 * Returns: (transfer full) (nullable): why it failed
 */
char *
amps_amqp_connection_free (AmpsAmqpConnection *self, AmpsAmqpHangGuard *guard)
{
  char *failure = self->failure;

  if (failure == NULL)
    amps_amqp_log_out (self->state);
  amps_amqp_hang_guard_set_fd (guard, -1);
  amqp_destroy_connection (self->state);
  if (self->role_data != NULL)
    self->role->free (self->role_data);
  for (unsigned int i = 0; i < G_N_ELEMENTS (self->assemblers); i++)
    g_clear_pointer (&self->assemblers[i], amps_amqp_assembler_free);
  g_free (self);
  return failure;
}

/**
 * amps_amqp_connection_do:
 * @self: a connection that has started
 * @command: (transfer full): for its role
 *
 * May block if the command waits, or if the role does all in the I/O thread.
 */
void
amps_amqp_connection_do (AmpsAmqpConnection *self, AmpsAmqpCommand *command)
{
  self->role->command (self->role_data, command);
}

/**
 * amps_amqp_connection_flush:
 * @self: a connection that has started
 *
 * Returns: whether all that was to be sent could be
 */
gboolean
amps_amqp_connection_flush (AmpsAmqpConnection *self)
{
  return self->role->flush == NULL || self->role->flush (self->role_data);
}

/**
 * amps_amqp_connection_is_running:
 * @self: a connection
 *
 * Returns: whether it has not failed
 */
gboolean
amps_amqp_connection_is_running (AmpsAmqpConnection *self)
{
  return self->running;
}

/**
 * amps_amqp_connection_set_on_main_loop:
 * @self: a connection
 * @on_main_loop: whether it belongs to the main thread, which it must not block,
 *   rather than to the I/O thread
 */
void
amps_amqp_connection_set_on_main_loop (AmpsAmqpConnection *self, gboolean on_main_loop)
{
  self->on_main_loop = on_main_loop;
}

/**
 * amps_amqp_connection_get_state:
 * @self: a connection
 *
 * Returns: (transfer none): the library's part of it
 */
amqp_connection_state_t
amps_amqp_connection_get_state (AmpsAmqpConnection *self)
{
  return self->state;
}

/**
 * amps_amqp_connection_get_settings:
 * @self: a connection
 *
 * Returns: (transfer none): what it was given
 */
const AmpsAmqpSettings *
amps_amqp_connection_get_settings (AmpsAmqpConnection *self)
{
  return self->settings;
}

/**
 * amps_amqp_connection_is_version:
 * @self: a connection
 * @major: a version of the broker
 * @minor: likewise
 *
 * Returns: whether the broker is of that version, or newer
 */
gboolean
amps_amqp_connection_is_version (AmpsAmqpConnection *self, unsigned int major, unsigned int minor)
{
  return self->server_major > major || (self->server_major == major && self->server_minor >= minor);
}
