/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsMail:
 * @next: belongs to the mailbox while the mail is in it
 *
 * To be the first member of each message between threads.
 */
typedef struct _AmpsMail AmpsMail;
struct _AmpsMail {
  AmpsMail *next;
};

/**
 * AmpsMailbox:
 *
 * Hands messages from any thread to the one thread that runs its context.
 */
typedef struct _AmpsMailbox AmpsMailbox;

/**
 * AmpsMailFunc:
 * @mail: (transfer full): a message
 * @user_data: as given
 *
 * Called in the receiving thread, in the order of sending.
 */
typedef void (*AmpsMailFunc) (AmpsMail *mail, gpointer user_data);

AmpsMailbox *amps_mailbox_new (const char *name, GMainContext *context, AmpsMailFunc receive,
                               GDestroyNotify discard, gpointer user_data);
void amps_mailbox_free (AmpsMailbox *self);
void amps_mailbox_send (AmpsMailbox *self, AmpsMail *mail);
void amps_mailbox_pass (AmpsMailbox *self, AmpsMail *mail);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsMailbox, amps_mailbox_free)

G_END_DECLS
