/* SPDX-License-Identifier: MIT */
#include "amps-mailbox.h"

#include "amps-log.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A stack that is pushed by compare-and-swap and taken whole: no lock, hence
 * no GLib mutex, whose futex ThreadSanitizer cannot see. The atomics it can.
 *
 * Nor does it wake up the receiver by g_source_set_ready_time() or another call of
 * GLib: these do so while they hold the lock of its context, and the receiver then
 * waits for a thread that may have lost its processor. */
struct _AmpsMailbox {
  AmpsMail *head; /* newest first; atomic */
  GSource *source;
  int wakeup; /* (owned) an eventfd */
  AmpsMailFunc receive;
  GDestroyNotify discard;
  gpointer user_data;
};

static AmpsMail *
take_all_in_order (AmpsMailbox *self)
{
  AmpsMail *newest_first = g_atomic_pointer_exchange (&self->head, NULL);
  AmpsMail *oldest_first = NULL;

  while (newest_first != NULL)
    {
      AmpsMail *mail = newest_first;

      newest_first = mail->next;
      mail->next = oldest_first;
      oldest_first = mail;
    }

  return oldest_first;
}

static gboolean
mailbox_dispatch (GSource *source G_GNUC_UNUSED, GSourceFunc callback G_GNUC_UNUSED,
                  gpointer user_data)
{
  AmpsMailbox *self = user_data;
  eventfd_t count;

  eventfd_read (self->wakeup, &count);

  for (AmpsMail *mail = take_all_in_order (self); mail != NULL;)
    {
      AmpsMail *next = mail->next;

      mail->next = NULL;
      self->receive (mail, self->user_data);
      mail = next;
    }

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs mailbox_funcs = { .dispatch = mailbox_dispatch };

static gboolean
never_called (gpointer user_data G_GNUC_UNUSED)
{
  g_assert_not_reached ();
}

/**
 * amps_mailbox_new:
 * @name: a static name, for debuggers
 * @context: (nullable): the context of the receiving thread
 * @receive: called there for each message
 * @discard: frees a message that was never received
 * @user_data: passed to @receive
 *
 * Returns: (transfer full): a mailbox
 */
AmpsMailbox *
amps_mailbox_new (const char *name, GMainContext *context, AmpsMailFunc receive,
                  GDestroyNotify discard, gpointer user_data)
{
  AmpsMailbox *self = g_new0 (AmpsMailbox, 1);

  self->receive = receive;
  self->discard = discard;
  self->user_data = user_data;
  self->wakeup = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->wakeup < 0)
    amps_log (ERROR, SYSTEM_FAILED, "Can't open an eventfd: %s", g_strerror (errno));

  self->source = g_source_new (&mailbox_funcs, sizeof (GSource));
  g_source_add_unix_fd (self->source, self->wakeup, G_IO_IN);
  /* It never recurses; but GLib takes the descriptor of what may
   * not out of poll() for each dispatch. */
  g_source_set_can_recurse (self->source, TRUE);
  g_source_set_static_name (self->source, name);
  g_source_set_callback (self->source, never_called, self, NULL);
  g_source_attach (self->source, context);

  return self;
}

/**
 * amps_mailbox_free:
 * @self: (transfer full): a mailbox
 *
 * Discards what was not received. Nobody may send any more; to be called in
 * the receiving thread, or after it has ended, and not from within @receive.
 */
void
amps_mailbox_free (AmpsMailbox *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  close (self->wakeup);

  for (AmpsMail *mail = take_all_in_order (self); mail != NULL;)
    {
      AmpsMail *next = mail->next;

      self->discard (mail);
      mail = next;
    }

  g_free (self);
}

/**
 * amps_mailbox_send:
 * @self: a mailbox
 * @mail: (transfer full): a message
 *
 * Callable from any thread. Wakes the receiver only for the first message of a
 * batch, since each wake-up is a system call.
 */
void
amps_mailbox_send (AmpsMailbox *self, AmpsMail *mail)
{
  AmpsMail *head;

  do
    {
      head = g_atomic_pointer_get (&self->head);
      mail->next = head;
    }
  while (!g_atomic_pointer_compare_and_exchange (&self->head, head, mail));

  if (head == NULL)
    eventfd_write (self->wakeup, 1);
}

/**
 * amps_mailbox_pass:
 * @self: a mailbox
 * @mail: (transfer full): a message
 *
 * In the receiving thread: @mail is received at once, before any that is in the
 * mailbox.
 */
void
amps_mailbox_pass (AmpsMailbox *self, AmpsMail *mail)
{
  self->receive (mail, self->user_data);
}
