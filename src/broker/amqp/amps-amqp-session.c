/* SPDX-License-Identifier: MIT */
#include "amps-amqp-session.h"

#include "amps-amqp-connect.h"
#include "amps-amqp-flush-source.h"
#include "amps-amqp-frame-source.h"
#include "amps-amqp-watch.h"

/* So that commands are not starved by a flood of frames. */
#define MAX_FRAMES_AT_ONCE 64

struct _AmpsAmqpSession {
  const AmpsAmqpRole *role;
  char *uri;                        /* (owned) with its password */
  const AmpsAmqpSettings *settings; /* outlives the session */
  AmpsMailbox *events;              /* of the main thread, outlives the session */
  AmpsMailbox *commands;            /* (owned) of the I/O thread */
  AmpsAmqpCommand stop;             /* among the commands */
  GThread *thread;                  /* (owned) */
  GMainContext *context;            /* (owned) of the I/O thread */

  /* Of the I/O thread alone: */
  GMainLoop *loop;
  amqp_connection_state_t connection;
  AmpsAmqpAssembler *assembler;
  gpointer role_data;
  GSource *frames;
  GSource *flush;
  gboolean running; /* neither failed nor asked to stop */
  char *failure;    /* (owned) (nullable) why it ended */
  unsigned int server_major;
  unsigned int server_minor;

  AmpsAmqpWatch watch; /* of both threads */
};

/**
 * amps_amqp_session_tell:
 * @self: a session
 * @event: (transfer full): for the main thread
 */
void
amps_amqp_session_tell (AmpsAmqpSession *self, AmpsAmqpEvent *event)
{
  amps_mailbox_send (self->events, &event->mail);
}

/**
 * amps_amqp_session_get_busy_time:
 * @self: a session
 *
 * In the main thread.
 *
 * Returns: µs for which the I/O thread has been in one piece of work; 0 when idle
 */
gint64
amps_amqp_session_get_busy_time (AmpsAmqpSession *self)
{
  return amps_amqp_watch_get_busy_time (&self->watch);
}

/**
 * amps_amqp_session_break:
 * @self: a session
 *
 * In the main thread. Breaks the connection, so that a call which hangs fails.
 */
void
amps_amqp_session_break (AmpsAmqpSession *self)
{
  amps_amqp_watch_break (&self->watch);
}

/* Failing */

/**
 * amps_amqp_session_quit:
 * @self: a session
 *
 * In the I/O thread: ends the session, in order.
 */
void
amps_amqp_session_quit (AmpsAmqpSession *self)
{
  self->running = FALSE;
  g_main_loop_quit (self->loop);
}

/**
 * amps_amqp_session_fail:
 * @self: a session
 * @format: printf() format of the reason; never a secret
 * @...: its arguments
 *
 * In the I/O thread: ends the session. The first reason counts.
 */
void
amps_amqp_session_fail (AmpsAmqpSession *self, const char *format, ...)
{
  va_list arguments;

  if (self->failure == NULL)
    {
      va_start (arguments, format);
      self->failure = g_strdup_vprintf (format, arguments);
      va_end (arguments);
    }

  amps_amqp_session_quit (self);
}

/**
 * amps_amqp_session_check:
 * @self: a session
 * @status: what rabbitmq-c returned
 * @what: what was tried
 *
 * Returns: whether it worked; if not, the session ends
 */
gboolean
amps_amqp_session_check (AmpsAmqpSession *self, int status, const char *what)
{
  if (status != AMQP_STATUS_OK)
    amps_amqp_session_fail (self, "could not %s: %s", what, amqp_error_string2 (status));

  return status == AMQP_STATUS_OK;
}

static char *
copy_valid (amqp_bytes_t text)
{
  g_autofree char *copy = g_strndup (text.bytes, text.len);

  return g_utf8_make_valid (copy, -1);
}

/**
 * amps_amqp_session_check_reply:
 * @self: a session
 * @what: what was asked for
 * @channel_error: (out) (optional): the code for which the broker closed the
 *   channel; 0 if it did not
 * @channel_text: (out) (optional) (transfer full) (nullable): what it said
 *
 * Looks at the reply to the last request. With @channel_error the closing of
 * the channel is left to the caller, who then reopens it; all else that fails
 * ends the session.
 *
 * Returns: whether it worked
 */
gboolean
amps_amqp_session_check_reply (AmpsAmqpSession *self, const char *what, int *channel_error,
                               char **channel_text)
{
  amqp_rpc_reply_t reply = amqp_get_rpc_reply (self->connection);
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
      *channel_text = copy_valid (closed->reply_text);
      return FALSE;
    }

  why = amps_amqp_describe_reply (reply);
  amps_amqp_session_fail (self, "could not %s: %s", what, why);
  return FALSE;
}

/**
 * amps_amqp_session_open_channel:
 * @self: a session
 * @channel: one that is closed
 *
 * Returns: whether it is open; if not, the session ends
 */
gboolean
amps_amqp_session_open_channel (AmpsAmqpSession *self, amqp_channel_t channel)
{
  /* What was half assembled when the broker closed it does not go on. */
  if (channel == AMPS_AMQP_CHANNEL)
    {
      g_clear_pointer (&self->assembler, amps_amqp_assembler_free);
      self->assembler = amps_amqp_assembler_new (self->settings->max_kept_size);
    }

  amqp_channel_open (self->connection, channel);
  return amps_amqp_session_check_reply (self, "open a channel", NULL, NULL);
}

/**
 * amps_amqp_session_reopen_channel:
 * @self: a session
 * @channel: what the broker has closed in reply to a request
 *
 * Returns: whether there is a new one; if not, the session ends
 */
gboolean
amps_amqp_session_reopen_channel (AmpsAmqpSession *self, amqp_channel_t channel)
{
  amqp_channel_close_ok_t close_ok = { 0 };
  int status =
      amqp_send_method (self->connection, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &close_ok);

  return amps_amqp_session_check (self, status, "answer the closing of a channel") &&
         amps_amqp_session_open_channel (self, channel);
}

/* Frames */

static void
tell_blocked (AmpsAmqpSession *self, gboolean blocked)
{
  AmpsAmqpEvent *event = amps_amqp_event_new (self, AMPS_AMQP_EVENT_BLOCKED);

  event->blocked = blocked;
  amps_amqp_session_tell (self, event);
}

static void
handle_method (AmpsAmqpSession *self, const amqp_method_t *method)
{
  switch (method->id)
    {
    case AMQP_CONNECTION_BLOCKED_METHOD:
      tell_blocked (self, TRUE);
      return;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      tell_blocked (self, FALSE);
      return;
      case AMQP_CONNECTION_CLOSE_METHOD: {
        const amqp_connection_close_t *closed = method->decoded;
        g_autofree char *text = copy_valid (closed->reply_text);

        amps_amqp_session_fail (self, "the broker closed the connection: %s", text);
        return;
      }
      case AMQP_CHANNEL_CLOSE_METHOD: {
        const amqp_channel_close_t *closed = method->decoded;
        g_autofree char *text = copy_valid (closed->reply_text);

        amps_amqp_session_fail (self, "the broker closed the channel: %s", text);
        return;
      }
    default:
      if (!self->role->method (self->role_data, method))
        amps_amqp_session_fail (self, "the broker sent an unexpected %s",
                                amqp_method_name (method->id));
    }
}

static void
assemble (AmpsAmqpSession *self, const amqp_frame_t *frame)
{
  g_autoptr (AmpsAmqpMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  if (!amps_amqp_assembler_add_frame (self->assembler, frame, &message, &error))
    amps_amqp_session_fail (self, "%s", error->message);
  else if (message != NULL)
    self->role->message (self->role_data, g_steal_pointer (&message));
}

static void
handle_frame (AmpsAmqpSession *self, const amqp_frame_t *frame)
{
  amqp_method_number_t id;

  switch (frame->frame_type)
    {
    case AMQP_FRAME_METHOD:
      id = frame->payload.method.id;
      if (id == AMQP_BASIC_DELIVER_METHOD || id == AMQP_BASIC_RETURN_METHOD)
        assemble (self, frame);
      else
        handle_method (self, &frame->payload.method);
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
 * amps_amqp_session_drain:
 * @self: a session
 *
 * In the I/O thread: handles the frames that are there. To be called before
 * publishing, since amqp_basic_publish() blocks for ever if frames are overdue.
 */
void
amps_amqp_session_drain (AmpsAmqpSession *self)
{
  struct timeval none = { 0, 0 };
  int status = AMQP_STATUS_OK;

  for (int i = 0; i < MAX_FRAMES_AT_ONCE && self->running; i++)
    {
      amqp_frame_t frame;

      status = amqp_simple_wait_frame_noblock (self->connection, &frame, &none);
      if (status != AMQP_STATUS_OK)
        break;
      handle_frame (self, &frame);
    }

  if (status != AMQP_STATUS_OK && status != AMQP_STATUS_TIMEOUT)
    amps_amqp_session_fail (self, "the connection broke: %s", amqp_error_string2 (status));
}

static gboolean
on_frames (gpointer user_data)
{
  AmpsAmqpSession *self = user_data;

  amps_amqp_watch_begin_work (&self->watch);
  amps_amqp_session_drain (self);
  amqp_maybe_release_buffers (self->connection);
  amps_amqp_watch_end_work (&self->watch);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_flush (gpointer user_data)
{
  AmpsAmqpSession *self = user_data;

  amps_amqp_watch_begin_work (&self->watch);
  if (self->running && self->role->flush != NULL)
    self->role->flush (self->role_data);
  amps_amqp_watch_end_work (&self->watch);
  return G_SOURCE_CONTINUE;
}

static void
on_command (AmpsMail *mail, gpointer user_data)
{
  AmpsAmqpSession *self = user_data;
  AmpsAmqpCommand *command = (AmpsAmqpCommand *) mail;

  if (command == &self->stop)
    {
      on_flush (self);
      amps_amqp_session_quit (self);
    }
  else if (self->running)
    {
      amps_amqp_watch_begin_work (&self->watch);
      self->role->command (self->role_data, command);
      amps_amqp_flush_source_request (self->flush);
      amps_amqp_watch_end_work (&self->watch);
    }
  else
    {
      command->free (command);
    }
}

static void
discard_command (gpointer data)
{
  AmpsAmqpCommand *command = data;

  command->free (command);
}

static void
keep_command (gpointer data G_GNUC_UNUSED)
{
}

/* Life */

static gboolean
open_connection (AmpsAmqpSession *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsAmqpUri) uri = amps_amqp_uri_parse (self->uri, &error);
  g_autofree char *name = g_strdup_printf ("%s %s", self->settings->worker_id, self->role->name);

  if (uri == NULL || !amps_amqp_connect (self->connection, uri, &error))
    {
      amps_amqp_session_fail (self, "%s", error->message);
      return FALSE;
    }

  amps_amqp_watch_set_fd (&self->watch, amqp_get_sockfd (self->connection));
  if (!amps_amqp_log_in (self->connection, uri, name, &error))
    {
      amps_amqp_session_fail (self, "%s", error->message);
      return FALSE;
    }

  amps_amqp_get_server_version (self->connection, &self->server_major, &self->server_minor);
  return amps_amqp_session_open_channel (self, AMPS_AMQP_CHANNEL);
}

static void
close_connection (AmpsAmqpSession *self)
{
  amps_amqp_watch_begin_work (&self->watch);
  if (self->failure == NULL)
    amqp_connection_close (self->connection, AMQP_REPLY_SUCCESS);
  amps_amqp_watch_set_fd (&self->watch, -1);
  amqp_destroy_connection (self->connection);
  amps_amqp_watch_end_work (&self->watch);
}

static void
serve (AmpsAmqpSession *self)
{
  self->flush = amps_amqp_flush_source_new ();
  g_source_set_callback (self->flush, on_flush, self, NULL);
  g_source_attach (self->flush, self->context);

  self->frames = amps_amqp_frame_source_new (self->connection);
  g_source_set_callback (self->frames, on_frames, self, NULL);
  g_source_attach (self->frames, self->context);

  amps_amqp_session_tell (self, amps_amqp_event_new (self, AMPS_AMQP_EVENT_OPENED));
  self->role_data = self->role->start (self);
  amps_amqp_watch_end_work (&self->watch);
  if (self->running)
    g_main_loop_run (self->loop);

  g_source_destroy (self->frames);
  g_source_destroy (self->flush);
  g_clear_pointer (&self->frames, g_source_unref);
  g_clear_pointer (&self->flush, g_source_unref);
  self->role->free (self->role_data);
}

static gpointer
run (gpointer user_data)
{
  AmpsAmqpSession *self = user_data;
  AmpsAmqpEvent *closed;

  g_main_context_push_thread_default (self->context);
  self->loop = g_main_loop_new (self->context, FALSE);
  self->connection = amqp_new_connection ();
  self->running = TRUE;

  amps_amqp_watch_begin_work (&self->watch);
  if (open_connection (self))
    serve (self);
  close_connection (self);

  g_clear_pointer (&self->assembler, amps_amqp_assembler_free);
  g_main_loop_unref (self->loop);
  g_main_context_pop_thread_default (self->context);

  closed = amps_amqp_event_new (self, AMPS_AMQP_EVENT_CLOSED);
  closed->detail = g_steal_pointer (&self->failure);
  amps_amqp_session_tell (self, closed);
  return NULL;
}

/**
 * amps_amqp_session_new:
 * @role: what it is there for
 * @uri: where to
 * @settings: outlives the session
 * @events: gets what the session has to tell; outlives the session
 *
 * In the main thread. Begins to connect, in a thread of its own.
 *
 * Returns: (transfer full): a session, to be freed when it has told that it is closed
 */
AmpsAmqpSession *
amps_amqp_session_new (const AmpsAmqpRole *role, const char *uri, const AmpsAmqpSettings *settings,
                       AmpsMailbox *events)
{
  AmpsAmqpSession *self = g_new0 (AmpsAmqpSession, 1);
  g_autofree char *name = g_strdup_printf ("amqp-%s", role->name);

  self->stop.free = keep_command;
  self->role = role;
  self->uri = g_strdup (uri);
  self->settings = settings;
  self->events = events;
  amps_amqp_watch_init (&self->watch);
  self->context = g_main_context_new ();
  self->commands =
      amps_mailbox_new ("AMQP commands", self->context, on_command, discard_command, self);
  self->thread = g_thread_new (name, run, self);
  return self;
}

/**
 * amps_amqp_session_free:
 * @self: (transfer full): a session that has told that it is closed
 *
 * In the main thread.
 */
void
amps_amqp_session_free (AmpsAmqpSession *self)
{
  g_thread_join (self->thread);
  amps_mailbox_free (self->commands);
  g_main_context_unref (self->context);
  g_free (self->uri);
  g_free (self);
}

/**
 * amps_amqp_session_send:
 * @self: a session
 * @command: (transfer full): for its role
 *
 * In the main thread.
 */
void
amps_amqp_session_send (AmpsAmqpSession *self, AmpsAmqpCommand *command)
{
  amps_mailbox_send (self->commands, &command->mail);
}

/**
 * amps_amqp_session_stop:
 * @self: a session
 *
 * In the main thread, once. Ends the session after all commands that were sent.
 */
void
amps_amqp_session_stop (AmpsAmqpSession *self)
{
  amps_mailbox_send (self->commands, &self->stop.mail);
}

/**
 * amps_amqp_session_get_settings:
 * @self: a session
 *
 * Returns: (transfer none): what it was given
 */
const AmpsAmqpSettings *
amps_amqp_session_get_settings (AmpsAmqpSession *self)
{
  return self->settings;
}

/**
 * amps_amqp_session_get_connection:
 * @self: a session
 *
 * Returns: (transfer none): the connection, for the I/O thread only
 */
amqp_connection_state_t
amps_amqp_session_get_connection (AmpsAmqpSession *self)
{
  return self->connection;
}

/**
 * amps_amqp_session_is_version:
 * @self: a session
 * @major: a version of the broker
 * @minor: likewise
 *
 * Returns: whether the broker is of that version, or newer
 */
gboolean
amps_amqp_session_is_version (AmpsAmqpSession *self, unsigned int major, unsigned int minor)
{
  return self->server_major > major || (self->server_major == major && self->server_minor >= minor);
}
