/* SPDX-License-Identifier: MIT */
#include "amps-embedded-sorter.h"

#include "amps-embedded-file-monitor.h"
#include "amps-embedded-store-dead.h"
#include "base/amps-error.h"

/* Letters, and bytes that are handed over, in one transaction. */
#define MAX_PORTION 100
#define MAX_BYTES (4 * 1024 * 1024)

/* Between two tries to write to the file, while others do. */
#define PAUSE (100 * 1000)

typedef enum {
  COMMAND_GO_ON,
  COMMAND_STOP,
} CommandKind;

typedef struct {
  AmpsMail mail;
  CommandKind kind;
} Command;

struct _AmpsEmbeddedSorter {
  const AmpsEmbeddedSettings *settings; /* outlives it */
  AmpsDeadLettersAction action;
  AmpsDeadLetterFilter *filter; /* (owned) */
  gboolean with_bodies;
  gint64 max_silence;    /* µs to wait for the file */
  AmpsMailbox *portions; /* of the main thread, outlives it */
  AmpsMailbox *commands; /* (owned) of the sorter's thread */
  GMainContext *context; /* (owned) likewise */
  GThread *thread;       /* (owned) */

  /* Of its thread alone: */
  gboolean stopped;
  AmpsEmbeddedStore *store;       /* (owned) (nullable) once it is open */
  AmpsEmbeddedFileMonitor *watch; /* (owned) (nullable) */
  GArray *rows;                   /* (owned) (nullable) of all letters */
  unsigned int next;              /* of the rows */
  guint64 n_taken;
};

static void
sorted_free (gpointer data)
{
  AmpsEmbeddedSorted *sorted = data;

  amps_dead_letter_free (sorted->letter);
  g_clear_error (&sorted->error);
  g_free (sorted);
}

static AmpsEmbeddedPortion *
portion_new (void)
{
  AmpsEmbeddedPortion *portion = g_new0 (AmpsEmbeddedPortion, 1);

  portion->sorted = g_ptr_array_new_with_free_func (sorted_free);
  return portion;
}

/**
 * amps_embedded_portion_free:
 * @portion: (transfer full): a portion
 */
void
amps_embedded_portion_free (gpointer portion)
{
  AmpsEmbeddedPortion *self = portion;

  g_ptr_array_unref (self->sorted);
  g_clear_error (&self->error);
  g_free (self);
}

/* In its thread */

/* A file that is made by looking for letters in it would hide that its name is wrong. */
static gboolean
embedded_sorter_open_store (AmpsEmbeddedSorter *self, GError **error)
{
  if (self->store != NULL)
    return TRUE;

  if (!g_file_test (self->settings->path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, AMPS_ERROR, AMPS_ERROR_NOT_FOUND,
                   "there is no file %s; is BROKER_HOST the same as that of AMPS?",
                   self->settings->path);
      return FALSE;
    }

  self->store = amps_embedded_store_open (self->settings->path, self->settings->durable, error);
  if (self->store == NULL)
    return FALSE;

  self->watch = amps_embedded_file_monitor_new ();
  amps_embedded_file_monitor_follow (self->watch, amps_embedded_store_get_log (self->store));
  self->rows = amps_embedded_store_list_dead (self->store, self->settings->dead_letters,
                                              g_get_real_time (), error);
  return self->rows != NULL;
}

static gboolean
embedded_sorter_begin (AmpsEmbeddedSorter *self, GError **error)
{
  gint64 end = g_get_monotonic_time () + self->max_silence;

  while (TRUE)
    {
      g_autoptr (GError) problem = NULL;

      if (amps_embedded_store_begin (self->store, &problem))
        return TRUE;
      if (amps_embedded_store_is_broken (self->store) || g_get_monotonic_time () >= end)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return FALSE;
        }
      g_usleep (PAUSE);
    }
}

static gboolean
embedded_sorter_apply (AmpsEmbeddedSorter *self, gint64 row, const AmpsDeadLetter *letter,
                       GError **error)
{
  switch (self->action)
    {
    case AMPS_DEAD_LETTERS_REDRIVE:
      return amps_embedded_store_redrive (
          self->store, row, letter->queue != NULL ? letter->queue : self->settings->subject, error);
    case AMPS_DEAD_LETTERS_PURGE:
      return amps_embedded_store_remove (self->store, row, error);
    case AMPS_DEAD_LETTERS_LIST:
    default:
      return TRUE;
    }
}

/* What is refused for good fails alone: those beside it are not to blame. */
static gboolean
embedded_sorter_is_refused (const GError *problem)
{
  return g_error_matches (problem, AMPS_ERROR, AMPS_ERROR_TOO_LARGE) ||
         g_error_matches (problem, AMPS_ERROR, AMPS_ERROR_NOT_PERMITTED);
}

/* @letter: (transfer full) */
static gboolean
sort (AmpsEmbeddedSorter *self, gint64 row, AmpsDeadLetter *letter, AmpsEmbeddedPortion *portion,
      GError **error)
{
  AmpsEmbeddedSorted *sorted = g_new0 (AmpsEmbeddedSorted, 1);

  sorted->letter = letter;
  g_ptr_array_add (portion->sorted, sorted);
  if (embedded_sorter_apply (self, row, letter, &sorted->error) ||
      embedded_sorter_is_refused (sorted->error))
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&sorted->error));
  return FALSE;
}

static gboolean
embedded_sorter_has_enough (AmpsEmbeddedSorter *self, const AmpsEmbeddedPortion *portion)
{
  return self->next + portion->n_seen >= self->rows->len ||
         (self->filter->limit > 0 && self->n_taken + portion->sorted->len >= self->filter->limit);
}

static gboolean
fill (AmpsEmbeddedSorter *self, AmpsEmbeddedPortion *portion, GError **error)
{
  gint64 now = g_get_real_time ();
  gsize n_bytes = 0;

  while (!embedded_sorter_has_enough (self, portion) && portion->n_seen < MAX_PORTION &&
         n_bytes < MAX_BYTES)
    {
      gint64 row = g_array_index (self->rows, gint64, self->next + portion->n_seen);
      g_autoptr (AmpsDeadLetter) letter = NULL;

      if (!amps_embedded_store_read_dead (self->store, row, self->settings->dead_letters, now,
                                          self->with_bodies, &letter, error))
        return FALSE;

      portion->n_seen++;
      if (letter == NULL || !amps_dead_letter_filter_takes (self->filter, letter))
        continue;

      n_bytes += letter->body != NULL ? letter->size : 0;
      if (!sort (self, row, g_steal_pointer (&letter), portion, error))
        return FALSE;
    }

  return TRUE;
}

static gboolean
embedded_sorter_transact (AmpsEmbeddedSorter *self, AmpsEmbeddedPortion *portion, GError **error)
{
  if (self->action == AMPS_DEAD_LETTERS_LIST)
    return fill (self, portion, error);

  if (!amps_embedded_store_is_in_place (self->store, error) || !embedded_sorter_begin (self, error))
    return FALSE;
  if (!fill (self, portion, error) || !amps_embedded_store_commit (self->store, error))
    {
      amps_embedded_store_roll_back (self->store);
      return FALSE;
    }

  if (self->action == AMPS_DEAD_LETTERS_REDRIVE && portion->sorted->len > 0)
    amps_embedded_file_monitor_announce (self->watch);
  return TRUE;
}

static AmpsEmbeddedPortion *
do_portion (AmpsEmbeddedSorter *self)
{
  g_autoptr (GError) error = NULL;
  AmpsEmbeddedPortion *portion = portion_new ();

  if (embedded_sorter_open_store (self, &error) && embedded_sorter_transact (self, portion, &error))
    {
      portion->n_there = self->rows->len;
      portion->last = embedded_sorter_has_enough (self, portion);
      self->next += (unsigned int) portion->n_seen;
      self->n_taken += portion->sorted->len;
      return portion;
    }

  amps_embedded_portion_free (portion);
  portion = portion_new ();
  portion->n_there = self->rows != NULL ? self->rows->len : 0;
  portion->last = TRUE;
  portion->error = g_steal_pointer (&error);
  return portion;
}

static void
embedded_sorter_on_command (AmpsMail *mail, gpointer user_data)
{
  AmpsEmbeddedSorter *self = user_data;
  g_autofree Command *command = (Command *) mail;

  if (command->kind == COMMAND_STOP)
    self->stopped = TRUE;
  else
    amps_mailbox_send (self->portions, &do_portion (self)->mail);
}

static gpointer
embedded_sorter_serve (gpointer user_data)
{
  AmpsEmbeddedSorter *self = user_data;

  while (!self->stopped)
    g_main_context_iteration (self->context, TRUE);

  g_clear_pointer (&self->watch, amps_embedded_file_monitor_free);
  g_clear_pointer (&self->store, amps_embedded_store_close);
  g_clear_pointer (&self->rows, g_array_unref);
  return NULL;
}

/* In the main thread */

static void
embedded_sorter_send (AmpsEmbeddedSorter *self, CommandKind kind)
{
  Command *command = g_new0 (Command, 1);

  command->kind = kind;
  amps_mailbox_send (self->commands, &command->mail);
}

/**
 * amps_embedded_sorter_new:
 * @settings: outlives the sorter
 * @request: what is to be done
 * @portions: gets what is done; outlives the sorter
 *
 * Returns: (transfer full): a sorter that has begun nothing
 */
AmpsEmbeddedSorter *
amps_embedded_sorter_new (const AmpsEmbeddedSettings *settings,
                          const AmpsDeadLettersRequest *request, AmpsMailbox *portions)
{
  AmpsEmbeddedSorter *self = g_new0 (AmpsEmbeddedSorter, 1);

  self->settings = settings;
  self->action = request->action;
  self->filter = amps_dead_letter_filter_copy (request->filter);
  self->with_bodies = request->with_bodies;
  self->max_silence = request->max_silence;
  self->portions = portions;
  self->context = g_main_context_new ();
  self->commands =
      amps_mailbox_new ("dead letters", self->context, embedded_sorter_on_command, g_free, self);
  self->thread = g_thread_new ("dead-letters", embedded_sorter_serve, self);
  return self;
}

/**
 * amps_embedded_sorter_free:
 * @self: (transfer full): a sorter that is at no portion, so that it ends at once
 */
void
amps_embedded_sorter_free (AmpsEmbeddedSorter *self)
{
  embedded_sorter_send (self, COMMAND_STOP);
  g_thread_join (self->thread);
  amps_mailbox_free (self->commands);
  g_main_context_unref (self->context);
  amps_dead_letter_filter_free (self->filter);
  g_free (self);
}

/**
 * amps_embedded_sorter_go_on:
 * @self: a sorter
 *
 * Asks for the next portion, or the first one.
 */
void
amps_embedded_sorter_go_on (AmpsEmbeddedSorter *self)
{
  embedded_sorter_send (self, COMMAND_GO_ON);
}
