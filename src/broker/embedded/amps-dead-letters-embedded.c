/* SPDX-License-Identifier: MIT */
#include "amps-dead-letters-embedded.h"

#include "amps-embedded-sorter.h"
#include "base/amps-error.h"

struct _AmpsDeadLettersEmbedded {
  AmpsDeadLetters parent_instance;
  AmpsEmbeddedSettings *settings; /* (owned) */
  AmpsMailbox *portions;          /* (owned) */
  AmpsEmbeddedSorter *sorter;     /* (owned) (nullable) while something is done */
  gboolean begun;
  gboolean cancelled;
};

G_DEFINE_FINAL_TYPE (AmpsDeadLettersEmbedded, amps_dead_letters_embedded, AMPS_TYPE_DEAD_LETTERS)

static GError *
get_end (AmpsDeadLettersEmbedded *self, AmpsEmbeddedPortion *portion)
{
  if (portion->error == NULL && !portion->last && self->cancelled)
    return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "it was interrupted");

  return g_steal_pointer (&portion->error);
}

static void
dead_letters_embedded_tell (AmpsDeadLettersEmbedded *self, const AmpsEmbeddedPortion *portion)
{
  AmpsDeadLetters *letters = AMPS_DEAD_LETTERS (self);

  if (!self->begun)
    amps_dead_letters_begin (letters, portion->n_there);
  self->begun = TRUE;
  amps_dead_letters_see (letters, portion->n_seen);
  for (unsigned int i = 0; i < portion->sorted->len; i++)
    {
      const AmpsEmbeddedSorted *sorted = g_ptr_array_index (portion->sorted, i);

      amps_dead_letters_tell (letters, sorted->letter, sorted->error);
    }
}

static void
on_portion (AmpsMail *mail, gpointer user_data)
{
  AmpsDeadLettersEmbedded *self = user_data;
  AmpsEmbeddedPortion *portion = (AmpsEmbeddedPortion *) mail;

  dead_letters_embedded_tell (self, portion);
  if (!portion->last && !self->cancelled)
    {
      amps_embedded_sorter_go_on (self->sorter);
    }
  else
    {
      g_clear_pointer (&self->sorter, amps_embedded_sorter_free);
      amps_dead_letters_end (AMPS_DEAD_LETTERS (self), get_end (self, portion));
    }

  amps_embedded_portion_free (portion);
}

static void
dead_letters_embedded_run (AmpsDeadLetters *letters)
{
  AmpsDeadLettersEmbedded *self = AMPS_DEAD_LETTERS_EMBEDDED (letters);

  self->begun = self->cancelled = FALSE;
  self->sorter = amps_embedded_sorter_new (self->settings, amps_dead_letters_get_request (letters),
                                           self->portions);
  amps_embedded_sorter_go_on (self->sorter);
}

/* After the portion that it is at. */
static void
dead_letters_embedded_cancel (AmpsDeadLetters *letters)
{
  AMPS_DEAD_LETTERS_EMBEDDED (letters)->cancelled = TRUE;
}

static void
amps_dead_letters_embedded_finalize (GObject *object)
{
  AmpsDeadLettersEmbedded *self = AMPS_DEAD_LETTERS_EMBEDDED (object);

  g_warn_if_fail (self->sorter == NULL);
  g_clear_pointer (&self->portions, amps_mailbox_free);
  g_clear_pointer (&self->settings, amps_embedded_settings_free);

  G_OBJECT_CLASS (amps_dead_letters_embedded_parent_class)->finalize (object);
}

static void
amps_dead_letters_embedded_class_init (AmpsDeadLettersEmbeddedClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = amps_dead_letters_embedded_finalize;
  AMPS_DEAD_LETTERS_CLASS (klass)->run = dead_letters_embedded_run;
  AMPS_DEAD_LETTERS_CLASS (klass)->cancel = dead_letters_embedded_cancel;
}

static void
amps_dead_letters_embedded_init (AmpsDeadLettersEmbedded *self G_GNUC_UNUSED)
{
}

/**
 * amps_dead_letters_embedded_new:
 * @config: the settings, in which dead letters have a queue
 * @clock: what time is measured by
 * @error: return location: %AMPS_ERROR_INVALID_ARGUMENT if there is no file
 *
 * Returns: (transfer full) (nullable): the dead letters in the file
 */
AmpsDeadLetters *
amps_dead_letters_embedded_new (AmpsConfig *config, AmpsClock *clock G_GNUC_UNUSED, GError **error)
{
  g_return_val_if_fail (AMPS_IS_CONFIG (config), NULL);
  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);

  g_autoptr (AmpsDeadLettersEmbedded) self = g_object_new (AMPS_TYPE_DEAD_LETTERS_EMBEDDED, NULL);

  self->settings = amps_embedded_settings_new (amps_config_get_broker_uris (config)[0],
                                               amps_config_get_subject (config),
                                               amps_config_get_dead_letter_queue (config), error);
  if (self->settings == NULL)
    return NULL;
  if (g_str_equal (self->settings->path, ":memory:"))
    {
      g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT,
                           "only the AMPS that has a queue in memory (sqlite::memory:) can see it");
      return NULL;
    }

  self->portions =
      amps_mailbox_new ("dead letters", NULL, on_portion, amps_embedded_portion_free, self);
  return AMPS_DEAD_LETTERS (g_steal_pointer (&self));
}
