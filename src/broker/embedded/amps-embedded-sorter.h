/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-embedded-worker.h"
#include "broker/amps-dead-letters.h"

G_BEGIN_DECLS

/**
 * AmpsEmbeddedSorted:
 * @letter: owned; a letter that is meant
 * @error: (nullable): owned; why it stays, if it was to go
 */
typedef struct {
  AmpsDeadLetter *letter;
  GError *error;
} AmpsEmbeddedSorted;

/**
 * AmpsEmbeddedPortion:
 * @mail: what the mailbox needs
 * @n_there: letters that there were in the beginning
 * @n_seen: letters that were looked at for this portion
 * @sorted: (element-type AmpsEmbeddedSorted): owned; those of them that are meant
 * @last: whether there is no more
 * @error: (nullable): owned; why there is none; what came before stays done
 *
 * What the sorter has done at once.
 */
typedef struct {
  AmpsMail mail;
  guint64 n_there;
  guint64 n_seen;
  GPtrArray *sorted;
  gboolean last;
  GError *error;
} AmpsEmbeddedPortion;

void amps_embedded_portion_free (gpointer portion);

/**
 * AmpsEmbeddedSorter:
 *
 * The thread that has the file while dead letters are dealt with. It does a portion in one
 * transaction each time that it is asked to, so that nothing piles up.
 */
typedef struct _AmpsEmbeddedSorter AmpsEmbeddedSorter;

AmpsEmbeddedSorter *amps_embedded_sorter_new (const AmpsEmbeddedSettings *settings,
                                              const AmpsDeadLettersRequest *request,
                                              AmpsMailbox *portions);
void amps_embedded_sorter_free (AmpsEmbeddedSorter *self);
void amps_embedded_sorter_go_on (AmpsEmbeddedSorter *self);

G_END_DECLS
