/* SPDX-License-Identifier: MIT */
#include "amps-amqp-io-thread.h"

#include "amps-amqp-connection.h"
#include "amps-amqp-flush-source.h"
#include "amps-amqp-frame-source.h"

struct _AmpsAmqpIoThread {
  const AmpsAmqpRole *role;
  char *uri;             /* (owned) with its password */
  AmpsMailbox *events;   /* of the main thread, outlives the I/O thread */
  AmpsMailbox *commands; /* (owned) of the I/O thread */
  AmpsAmqpCommand stop;  /* among the commands */
  GThread *thread;       /* (owned) */
  GMainContext *context; /* (owned) of the I/O thread */

  AmpsAmqpHangGuard guard; /* of both threads */

  /* Of the thread that has the connection: */
  AmpsAmqpConnection *connection; /* (owned) */
  GSource *frames;                /* (owned) (nullable) */

  /* Of the I/O thread alone: */
  gboolean lent;    /* the connection, or soon */
  gboolean stopped; /* it was asked to end */

  /* Of the main thread alone: */
  gboolean borrowed; /* the connection */
  GQueue waiting;    /* (owned) of AmpsAmqpCommand, for the connection */
  GSource *flush;    /* (owned) (nullable) while borrowed */
};

static gboolean
lends (AmpsAmqpIoThread *self)
{
  return self->role->waits != NULL;
}

/* The thread that has the connection */

static void
begin_reading (AmpsAmqpIoThread *self, GMainContext *context, GSourceFunc on_frames)
{
  self->frames = amps_amqp_frame_source_new (self->connection);
  g_source_set_callback (self->frames, on_frames, self, NULL);
  g_source_attach (self->frames, context);
}

static void
free_source (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

/* The I/O thread */

static gboolean
on_frames (gpointer user_data)
{
  AmpsAmqpIoThread *self = user_data;

  amps_amqp_hang_guard_begin_work (&self->guard);
  amps_amqp_connection_read (self->connection);
  amps_amqp_hang_guard_end_work (&self->guard);
  return G_SOURCE_CONTINUE;
}

static void
lend (AmpsAmqpIoThread *self)
{
  self->lent = TRUE;
  amps_amqp_connection_tell (self->connection, amps_amqp_event_new (AMPS_AMQP_EVENT_LENT));
}

static void
amqp_io_thread_on_command (AmpsMail *mail, gpointer user_data)
{
  AmpsAmqpIoThread *self = user_data;
  AmpsAmqpCommand *command = (AmpsAmqpCommand *) mail;
  gboolean running;

  /* The connection comes with it. */
  self->lent = FALSE;
  self->stopped = command == &self->stop;
  running = amps_amqp_connection_is_running (self->connection);

  amps_amqp_hang_guard_begin_work (&self->guard);
  if (running && command == &self->stop)
    amps_amqp_connection_flush (self->connection);
  else if (running)
    amps_amqp_connection_do (self->connection, command);
  else
    command->free (command);
  amps_amqp_hang_guard_end_work (&self->guard);

  if (lends (self) && !self->stopped && amps_amqp_connection_is_running (self->connection))
    lend (self);
}

static void
amqp_io_thread_serve (AmpsAmqpIoThread *self)
{
  amps_amqp_connection_start (self->connection);
  amps_amqp_hang_guard_end_work (&self->guard);
  if (!lends (self))
    begin_reading (self, self->context, on_frames);
  else if (amps_amqp_connection_is_running (self->connection))
    lend (self);

  while (self->lent || (!self->stopped && amps_amqp_connection_is_running (self->connection)))
    g_main_context_iteration (self->context, TRUE);

  if (!lends (self))
    g_clear_pointer (&self->frames, free_source);
}

static gpointer
amqp_io_thread_run (gpointer user_data)
{
  AmpsAmqpIoThread *self = user_data;
  AmpsAmqpEvent *closed = amps_amqp_event_new (AMPS_AMQP_EVENT_CLOSED);

  amps_amqp_hang_guard_begin_work (&self->guard);
  if (amps_amqp_connection_open (self->connection, self->uri, &self->guard))
    amqp_io_thread_serve (self);

  amps_amqp_hang_guard_begin_work (&self->guard);
  closed->role = self->role;
  closed->detail = amps_amqp_connection_free (self->connection, &self->guard);
  amps_amqp_hang_guard_end_work (&self->guard);
  amps_mailbox_send (self->events, &closed->mail);
  return NULL;
}

/* The main thread */

static gboolean
waits (AmpsAmqpIoThread *self, const AmpsAmqpCommand *command)
{
  return command == &self->stop || self->role->waits (command);
}

static void
hand_over (AmpsAmqpIoThread *self, AmpsAmqpCommand *command)
{
  self->borrowed = FALSE;
  g_clear_pointer (&self->frames, free_source);
  g_clear_pointer (&self->flush, free_source);
  amps_amqp_connection_set_on_main_loop (self->connection, FALSE);
  amps_mailbox_send (self->commands, &command->mail);
}

static gboolean
on_frames_borrowed (gpointer user_data)
{
  AmpsAmqpIoThread *self = user_data;

  amps_amqp_connection_read (self->connection);
  if (!amps_amqp_connection_is_running (self->connection))
    hand_over (self, &self->stop);
  return G_SOURCE_CONTINUE;
}

/* If it lasts the watchdog breaks the connection. */
static void
amqp_io_thread_wait_for_room (AmpsAmqpIoThread *self)
{
  if (amps_amqp_hang_guard_get_busy_time (&self->guard) == 0)
    amps_amqp_hang_guard_begin_work (&self->guard);
  amps_amqp_flush_source_wait (self->flush);
}

static gboolean
on_flush (gpointer user_data)
{
  AmpsAmqpIoThread *self = user_data;
  AmpsAmqpCommand *command;
  gboolean flushed;

  while ((command = g_queue_peek_head (&self->waiting)) != NULL && !waits (self, command))
    amps_amqp_connection_do (self->connection, g_queue_pop_head (&self->waiting));

  flushed = amps_amqp_connection_flush (self->connection);
  if (!amps_amqp_connection_is_running (self->connection))
    hand_over (self, &self->stop);
  else if (command != NULL)
    hand_over (self, g_queue_pop_head (&self->waiting));
  else if (flushed)
    amps_amqp_hang_guard_end_work (&self->guard);
  else
    amqp_io_thread_wait_for_room (self);

  return G_SOURCE_CONTINUE;
}

/**
 * amps_amqp_io_thread_take:
 * @self: an I/O thread whose connection was just lent
 *
 * In the main thread: does with the connection what has waited for it, and whatever
 * comes from now on.
 */
void
amps_amqp_io_thread_take (AmpsAmqpIoThread *self)
{
  self->borrowed = TRUE;
  amps_amqp_connection_set_on_main_loop (self->connection, TRUE);
  begin_reading (self, NULL, on_frames_borrowed);

  self->flush = amps_amqp_flush_source_new (
      amqp_get_sockfd (amps_amqp_connection_get_state (self->connection)));
  g_source_set_callback (self->flush, on_flush, self, NULL);
  g_source_attach (self->flush, NULL);
  amps_amqp_flush_source_request (self->flush);
}

/**
 * amps_amqp_io_thread_send:
 * @self: an I/O thread
 * @command: (transfer full): for its role
 *
 * In the main thread. Commands are done in the order in which they are sent.
 */
void
amps_amqp_io_thread_send (AmpsAmqpIoThread *self, AmpsAmqpCommand *command)
{
  if (!lends (self))
    {
      amps_mailbox_send (self->commands, &command->mail);
      return;
    }

  if (self->borrowed && g_queue_is_empty (&self->waiting) && !waits (self, command))
    amps_amqp_connection_do (self->connection, command);
  else
    g_queue_push_tail (&self->waiting, command);

  /* Not handed over at once, since this may be called while a frame is handled. */
  if (self->borrowed)
    amps_amqp_flush_source_request (self->flush);
}

/**
 * amps_amqp_io_thread_stop:
 * @self: an I/O thread
 *
 * In the main thread, once. Ends it after all commands that were sent.
 */
void
amps_amqp_io_thread_stop (AmpsAmqpIoThread *self)
{
  amps_amqp_io_thread_send (self, &self->stop);
}

/**
 * amps_amqp_io_thread_get_busy_time:
 * @self: an I/O thread
 *
 * In the main thread.
 *
 * Returns: µs for which the I/O thread has been in one piece of work, or the main
 *   loop could send nothing; 0 when idle
 */
gint64
amps_amqp_io_thread_get_busy_time (AmpsAmqpIoThread *self)
{
  return amps_amqp_hang_guard_get_busy_time (&self->guard);
}

/**
 * amps_amqp_io_thread_break:
 * @self: an I/O thread
 *
 * In the main thread. Breaks the connection, so that a call which hangs fails.
 */
void
amps_amqp_io_thread_break (AmpsAmqpIoThread *self)
{
  amps_amqp_hang_guard_break (&self->guard);
}

/* Life, in the main thread */

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

/**
 * amps_amqp_io_thread_new:
 * @role: what it is there for
 * @uri: where to
 * @settings: outlives the I/O thread
 * @events: gets what it has to tell; outlives it
 *
 * Begins to connect, in a thread of its own.
 *
 * Returns: (transfer full): an I/O thread, to be freed when it has told that it is closed
 */
AmpsAmqpIoThread *
amps_amqp_io_thread_new (const AmpsAmqpRole *role, const char *uri,
                         const AmpsAmqpSettings *settings, AmpsMailbox *events)
{
  AmpsAmqpIoThread *self = g_new0 (AmpsAmqpIoThread, 1);
  g_autofree char *name = g_strdup_printf ("amqp-%s", role->name);

  self->stop.free = keep_command;
  self->role = role;
  self->uri = g_strdup (uri);
  self->events = events;
  self->connection = amps_amqp_connection_new (role, settings, events);
  amps_amqp_hang_guard_init (&self->guard);
  self->context = g_main_context_new ();
  self->commands = amps_mailbox_new ("AMQP commands", self->context, amqp_io_thread_on_command,
                                     discard_command, self);
  self->thread = g_thread_new (name, amqp_io_thread_run, self);
  return self;
}

/**
 * amps_amqp_io_thread_free:
 * @self: (transfer full): an I/O thread that has told that it is closed
 */
void
amps_amqp_io_thread_free (AmpsAmqpIoThread *self)
{
  g_thread_join (self->thread);
  g_queue_clear_full (&self->waiting, discard_command);
  amps_mailbox_free (self->commands);
  g_main_context_unref (self->context);
  g_free (self->uri);
  g_free (self);
}
