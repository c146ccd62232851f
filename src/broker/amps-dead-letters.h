/* SPDX-License-Identifier: MIT */
#pragma once

#include "jobs/amps-dead-letter-filter.h"
#include "jobs/amps-dead-letter.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AmpsDeadLettersAction:
 * @AMPS_DEAD_LETTERS_LIST: they are looked at, and stay where they are
 * @AMPS_DEAD_LETTERS_REDRIVE: each goes back to the queue that it came from
 * @AMPS_DEAD_LETTERS_PURGE: they are removed for good
 *
 * What is done with dead letters.
 */
typedef enum {
  AMPS_DEAD_LETTERS_LIST,
  AMPS_DEAD_LETTERS_REDRIVE,
  AMPS_DEAD_LETTERS_PURGE,
} AmpsDeadLettersAction;

/**
 * AmpsDeadLettersCounts:
 * @n_there: letters that were in the queue when it began
 * @n_seen: those of them that were looked at
 * @n_done: those that were listed, redriven or removed
 * @n_failed: those that were meant, and stayed since something was wrong with each
 *
 * How far it is.
 */
typedef struct {
  guint64 n_there;
  guint64 n_seen;
  guint64 n_done;
  guint64 n_failed;
} AmpsDeadLettersCounts;

/**
 * AmpsDeadLetterFunc:
 * @letter: one of those that are meant
 * @error: (nullable): why it stays where it is, if it was to go
 * @user_data: as given
 */
typedef void (*AmpsDeadLetterFunc) (const AmpsDeadLetter *letter, const GError *error,
                                    gpointer user_data);

/**
 * AmpsDeadLettersProgressFunc:
 * @counts: how far it is
 * @user_data: as given
 */
typedef void (*AmpsDeadLettersProgressFunc) (const AmpsDeadLettersCounts *counts,
                                             gpointer user_data);

/**
 * AmpsDeadLettersRequest:
 * @action: what is to be done
 * @filter: with which of them
 * @with_bodies: whether @on_letter wants the bodies
 * @max_silence: µs in which something has to happen; 0 for 30 s
 * @on_letter: (nullable): called for each letter that is meant, once it is dealt with
 * @on_progress: (nullable): called when there are other counts
 * @user_data: passed to both
 */
typedef struct {
  AmpsDeadLettersAction action;
  const AmpsDeadLetterFilter *filter;
  gboolean with_bodies;
  gint64 max_silence;
  AmpsDeadLetterFunc on_letter;
  AmpsDeadLettersProgressFunc on_progress;
  gpointer user_data;
} AmpsDeadLettersRequest;

#define AMPS_TYPE_DEAD_LETTERS (amps_dead_letters_get_type ())
G_DECLARE_DERIVABLE_TYPE (AmpsDeadLetters, amps_dead_letters, AMPS, DEAD_LETTERS, GObject)

/**
 * AmpsDeadLettersClass:
 * @run: begins with what [method@Amps.DeadLetters.get_request] says
 * @cancel: goes no further, and ends soon
 *
 * What a backend does. Both are called in the main thread and never block it.
 */
struct _AmpsDeadLettersClass {
  GObjectClass parent_class;

  void (*run) (AmpsDeadLetters *self);
  void (*cancel) (AmpsDeadLetters *self);

  gpointer padding[4];
};

void amps_dead_letters_run_async (AmpsDeadLetters *self, const AmpsDeadLettersRequest *request,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data);
gboolean amps_dead_letters_run_finish (AmpsDeadLetters *self, GAsyncResult *result, GError **error);
const AmpsDeadLettersCounts *amps_dead_letters_get_counts (AmpsDeadLetters *self);

/* For subclasses. */
const AmpsDeadLettersRequest *amps_dead_letters_get_request (AmpsDeadLetters *self);
void amps_dead_letters_begin (AmpsDeadLetters *self, guint64 n_there);
void amps_dead_letters_see (AmpsDeadLetters *self, guint64 n_seen);
void amps_dead_letters_tell (AmpsDeadLetters *self, const AmpsDeadLetter *letter,
                             const GError *error);
void amps_dead_letters_end (AmpsDeadLetters *self, GError *error);

G_END_DECLS
