/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsDeadLetter:
 * @id: (nullable): the event's `id`; if it is no event, what its producer called the message
 * @source: (nullable): the event's `source`
 * @type: (nullable): the event's `type`
 * @reason: (nullable): why it was given up, such as `rejected`
 * @detail: (nullable): the last cause, for people
 * @queue: (nullable): the queue that it was in, and goes back to; %NULL for the subject
 * @worker: (nullable): which AMPS has given it up
 * @attempt: the attempt that was the last one; 0 when unknown
 * @first_received: µs since 1970: when AMPS first got the job; 0 when unknown
 * @time: µs since 1970: when it was given up; 0 when unknown
 * @size: bytes of its body
 * @body: (nullable): the event, if it was asked for
 *
 * A job that was given up. Except @detail, its texts are what others have written: who shows
 * them takes care of control characters.
 */
typedef struct {
  char *id;
  char *source;
  char *type;
  char *reason;
  char *detail;
  char *queue;
  char *worker;
  unsigned int attempt;
  gint64 first_received;
  gint64 time;
  gsize size;
  GBytes *body;
} AmpsDeadLetter;

AmpsDeadLetter *amps_dead_letter_new (void);
void amps_dead_letter_free (AmpsDeadLetter *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsDeadLetter, amps_dead_letter_free)

G_END_DECLS
