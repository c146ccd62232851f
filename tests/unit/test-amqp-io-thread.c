/* SPDX-License-Identifier: MIT */
#include "broker/amqp/amps-amqp-io-thread.h"

#include "amqp-peer.h"
#include "broker/amqp/amps-amqp-connection.h"
#include "fixture-tests.h"

#include <pthread.h>
#include <string.h>

#define PATIENCE (20 * G_USEC_PER_SEC)

typedef struct {
  AmqpPeer *peer;
  AmpsAmqpSettings settings;
  AmpsMailbox *mailbox;
  GString *events;
  char *detail; /* (nullable) of the last event */
  AmpsAmqpIoThread *io_thread;
} Fixture;

/* Commands, and who has done them. */
typedef struct {
  AmpsAmqpCommand command;
  const char *name;
  gboolean waits;
} Command;

/* Not GMutex, which ThreadSanitizer does not see. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GString *done;
static GThread *main_thread;

static void
note (const char *what)
{
  pthread_mutex_lock (&lock);
  g_string_append_printf (done, "%s%s ", what, g_thread_self () == main_thread ? "" : "(thread)");
  pthread_mutex_unlock (&lock);
}

static char *
dup_done (void)
{
  char *copy;

  pthread_mutex_lock (&lock);
  copy = g_strdup (done->str);
  pthread_mutex_unlock (&lock);
  return copy;
}

static gpointer
start (AmpsAmqpConnection *connection)
{
  note ("start");
  return connection;
}

static gboolean
does_wait (const AmpsAmqpCommand *command)
{
  return ((const Command *) command)->waits;
}

static void
do_command (gpointer role G_GNUC_UNUSED, AmpsAmqpCommand *command)
{
  note (((Command *) command)->name);
  g_free (command);
}

static gboolean
flush (gpointer role G_GNUC_UNUSED)
{
  note ("flush");
  return TRUE;
}

static void
end (gpointer role G_GNUC_UNUSED)
{
  note ("end");
}

static const AmpsAmqpRole keeping_role = {
  .name = "keep", .start = start, .command = do_command, .flush = flush, .free = end
};

static const AmpsAmqpRole lending_role = { .name = "lend",
                                           .start = start,
                                           .waits = does_wait,
                                           .command = do_command,
                                           .flush = flush,
                                           .free = end };

static void
discard (gpointer command)
{
  note ("discard");
  g_free (command);
}

static void
send (Fixture *f, const char *name, gboolean waits)
{
  Command *command = g_new0 (Command, 1);

  command->command.free = discard;
  command->name = name;
  command->waits = waits;
  amps_amqp_io_thread_send (f->io_thread, &command->command);
}

static void
on_event (AmpsMail *mail, gpointer user_data)
{
  Fixture *f = user_data;
  AmpsAmqpEvent *event = (AmpsAmqpEvent *) mail;

  g_assert_true (event->role == &keeping_role || event->role == &lending_role);
  g_string_append_c (f->events, event->kind == AMPS_AMQP_EVENT_OPENED   ? 'O'
                                : event->kind == AMPS_AMQP_EVENT_LENT   ? 'L'
                                : event->kind == AMPS_AMQP_EVENT_CLOSED ? 'C'
                                                                        : '?');
  g_free (f->detail);
  f->detail = g_strdup (event->detail);
  amps_amqp_event_free (event);
}

static void
wait_for_events (Fixture *f, const char *events)
{
  gint64 patient_until = g_get_monotonic_time () + PATIENCE;

  while (strcmp (f->events->str, events) != 0)
    {
      if (g_get_monotonic_time () > patient_until)
        g_error ("got “%s” rather than “%s”", f->events->str, events);
      g_main_context_iteration (NULL, FALSE);
      g_usleep (200);
    }
}

static void
wait_for (const char *expected)
{
  gint64 patient_until = g_get_monotonic_time () + PATIENCE;

  while (TRUE)
    {
      g_autofree char *text = dup_done ();

      if (strcmp (text, expected) == 0)
        return;
      if (g_get_monotonic_time () > patient_until)
        g_error ("did “%s” rather than “%s”", text, expected);
      g_main_context_iteration (NULL, FALSE);
      g_usleep (200);
    }
}

static void
begin (Fixture *f, const AmpsAmqpRole *role)
{
  g_autofree char *uri = amqp_peer_dup_uri (f->peer);

  f->io_thread = amps_amqp_io_thread_new (role, uri, &f->settings, f->mailbox);
}

static void
set_up (Fixture *f, gconstpointer role)
{
  main_thread = g_thread_self ();
  done = g_string_new (NULL);
  f->peer = amqp_peer_new ();
  f->settings.worker_id = (char *) "me";
  f->settings.budget = amps_byte_budget_new (1000);
  f->events = g_string_new (NULL);
  f->mailbox = amps_mailbox_new ("events", NULL, on_event, amps_amqp_event_free, f);
  if (role != NULL)
    begin (f, role);
}

static void
tear_down (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  g_assert_true (g_str_has_suffix (f->events->str, "C"));
  amps_amqp_io_thread_free (f->io_thread);
  amps_mailbox_free (f->mailbox);
  amqp_peer_free (f->peer);
  amps_byte_budget_unref (f->settings.budget);
  g_string_free (f->events, TRUE);
  g_string_free (done, TRUE);
  g_free (f->detail);
}

/* All in its thread, in order, with what was sent before it was connected. */
static void
test_keeping (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  send (f, "a", FALSE);
  send (f, "b", TRUE);
  wait_for_events (f, "O");
  send (f, "c", FALSE);
  amps_amqp_io_thread_stop (f->io_thread);
  wait_for_events (f, "OC");
  g_assert_null (f->detail);
  wait_for ("start(thread) a(thread) b(thread) c(thread) flush(thread) end(thread) ");
  amqp_peer_wait_for (f->peer, "0 AMQP_CONNECTION_CLOSE_METHOD");
}

/* What waits for the broker is for the thread, all else for the main loop, in order. */
static void
test_lending (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  send (f, "early", FALSE);
  wait_for_events (f, "OL");
  wait_for ("start(thread) ");
  amps_amqp_io_thread_take (f->io_thread);
  wait_for ("start(thread) early flush ");
  /* Now it has nothing to wait for. */
  send (f, "direct", FALSE);
  wait_for ("start(thread) early flush direct flush ");
  send (f, "slow", TRUE);
  send (f, "after", FALSE);
  wait_for_events (f, "OLL");
  wait_for ("start(thread) early flush direct flush flush slow(thread) ");
  amps_amqp_io_thread_take (f->io_thread);
  wait_for ("start(thread) early flush direct flush flush slow(thread) after flush ");

  amps_amqp_io_thread_stop (f->io_thread);
  wait_for_events (f, "OLLC");
  wait_for ("start(thread) early flush direct flush flush slow(thread) after flush "
            "flush flush(thread) end(thread) ");
  g_assert_null (f->detail);
}

/* It ends in its thread, whoever has it, and what is left is not done. */
static void
test_lost (Fixture *f, gconstpointer role)
{
  wait_for_events (f, role == &lending_role ? "OL" : "O");
  if (role == &lending_role)
    amps_amqp_io_thread_take (f->io_thread);
  amqp_peer_hang_up (f->peer);
  wait_for_events (f, role == &lending_role ? "OLC" : "OC");
  g_assert_nonnull (strstr (f->detail, "the connection broke"));
  send (f, "late", FALSE);
}

static void
test_refused (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_peer_refuse (f->peer, AMQP_CONNECTION_START_OK_METHOD, AMQP_ACCESS_REFUSED,
                    "ACCESS_REFUSED - Login was refused");
  begin (f, &keeping_role);
  wait_for_events (f, "C");
  g_assert_nonnull (strstr (f->detail, "did not let the user “guest”"));
  wait_for ("");
}

/* A library call that hangs is broken from outside. */
static void
test_breaking (Fixture *f, gconstpointer role G_GNUC_UNUSED)
{
  amqp_peer_refuse (f->peer, AMQP_CONNECTION_START_OK_METHOD, 0, NULL);
  begin (f, &keeping_role);
  amqp_peer_wait_for (f->peer, "0 AMQP_CONNECTION_START_OK_METHOD");
  while (amps_amqp_io_thread_get_busy_time (f->io_thread) < G_USEC_PER_SEC / 20)
    g_usleep (1000);
  amps_amqp_io_thread_break (f->io_thread);
  wait_for_events (f, "C");
  g_assert_nonnull (strstr (f->detail, "can't log in to "));
  g_assert_cmpint (amps_amqp_io_thread_get_busy_time (f->io_thread), ==, 0);
}

FIXTURE_TESTS = {
  { "/amqp-io-thread/keeping", test_keeping, &keeping_role },
  { "/amqp-io-thread/lending", test_lending, &lending_role },
  { "/amqp-io-thread/lost", test_lost, &keeping_role },
  { "/amqp-io-thread/lost-when-lent", test_lost, &lending_role },
  { "/amqp-io-thread/refused", test_refused, NULL },
  { "/amqp-io-thread/breaking", test_breaking, NULL },
};
FIXTURE_TESTS_MAIN
