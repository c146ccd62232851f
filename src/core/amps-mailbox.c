/* SPDX-License-Identifier: MIT */
#include "amps-mailbox.h"

/* A stack that is pushed by compare-and-swap and taken whole: no lock, hence
 * no GLib mutex, whose futex ThreadSanitizer cannot see. The atomics it can. */
struct _AmpsMailbox {
  AmpsMail *head; /* newest first; atomic */
  GSource *source;
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
mailbox_dispatch (GSource *source, GSourceFunc callback G_GNUC_UNUSED, gpointer user_data)
{
  AmpsMailbox *self = user_data;

  g_source_set_ready_time (source, -1);

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
  self->source = g_source_new (&mailbox_funcs, sizeof (GSource));
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
    g_source_set_ready_time (self->source, 0);
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
