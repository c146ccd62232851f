/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/amps-dead-letters.h"
#include "main-loop.h"

/* A backend that does what the test says. */
typedef struct {
  AmpsDeadLetters parent_instance;
  gboolean cancelled;
} FakeDeadLetters;

typedef AmpsDeadLettersClass FakeDeadLettersClass;

GType fake_dead_letters_get_type (void);

G_DEFINE_TYPE (FakeDeadLetters, fake_dead_letters, AMPS_TYPE_DEAD_LETTERS)

static void
run (AmpsDeadLetters *self)
{
  amps_dead_letters_begin (self, 5);
}

static void
cancel (AmpsDeadLetters *self)
{
  ((FakeDeadLetters *) self)->cancelled = TRUE;
  amps_dead_letters_end (self, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "enough"));
}

static void
fake_dead_letters_class_init (FakeDeadLettersClass *klass)
{
  klass->run = run;
  klass->cancel = cancel;
}

static void
fake_dead_letters_init (FakeDeadLetters *self G_GNUC_UNUSED)
{
}

typedef struct {
  AmpsDeadLetters *letters;     /* (owned) */
  AmpsDeadLetterFilter *filter; /* (owned) */
  GAsyncResult *result;         /* (owned) (nullable) */
  unsigned int n_letters;
  unsigned int n_errors;
  unsigned int n_progress;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->letters = g_object_new (fake_dead_letters_get_type (), NULL);
  f->filter = amps_dead_letter_filter_new ();
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  iterate_until_idle ();
  g_clear_object (&f->result);
  amps_dead_letter_filter_free (f->filter);
  g_assert_finalize_object (f->letters);
}

static void
on_letter (const AmpsDeadLetter *letter, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_nonnull (letter);
  f->n_letters++;
  f->n_errors += error != NULL;
}

static void
on_progress (const AmpsDeadLettersCounts *counts, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_cmpuint (counts->n_there, ==, 5);
  f->n_progress++;
}

static void
on_end (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;

  g_clear_object (&f->result);
  f->result = g_object_ref (result);
}

static void
begin (Fixture *f, GCancellable *cancellable)
{
  const AmpsDeadLettersRequest request = { .action = AMPS_DEAD_LETTERS_REDRIVE,
                                           .filter = f->filter,
                                           .on_letter = on_letter,
                                           .on_progress = on_progress,
                                           .user_data = f };

  amps_dead_letters_run_async (f->letters, &request, cancellable, on_end, f);
}

static gboolean
finish (Fixture *f, GError **error)
{
  while (f->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return amps_dead_letters_run_finish (f->letters, f->result, error);
}

static void
test_counts (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsDeadLetter) letter = amps_dead_letter_new ();
  g_autoptr (GError) problem = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_UNROUTABLE, "gone");
  g_autoptr (GError) error = NULL;
  const AmpsDeadLettersCounts *counts = amps_dead_letters_get_counts (f->letters);

  begin (f, NULL);
  amps_dead_letters_see (f->letters, 3);
  amps_dead_letters_tell (f->letters, letter, NULL);
  amps_dead_letters_tell (f->letters, letter, problem);
  iterate_until_idle ();
  amps_dead_letters_end (f->letters, NULL);
  /* Not from within, as he who is told may drop what tells him. */
  g_assert_null (f->result);

  g_assert_true (finish (f, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (counts->n_seen, ==, 3);
  g_assert_cmpuint (counts->n_done, ==, 1);
  g_assert_cmpuint (counts->n_failed, ==, 1);
  g_assert_cmpuint (f->n_letters, ==, 2);
  g_assert_cmpuint (f->n_errors, ==, 1);
  g_assert_cmpuint (f->n_progress, ==, 4);

  /* The next one begins anew. */
  begin (f, NULL);
  g_assert_cmpuint (counts->n_seen, ==, 0);
  amps_dead_letters_end (f->letters, NULL);
}

/* Whoever asked may forget what he asked for. */
static void
test_filter_is_copied (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->filter->limit = 7;
  begin (f, NULL);
  f->filter->limit = 8;
  g_assert_cmpuint (amps_dead_letters_get_request (f->letters)->filter->limit, ==, 7);
  amps_dead_letters_end (f->letters, NULL);
}

static void
test_busy (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  begin (f, NULL);
  begin (f, NULL);
  g_assert_false (finish (f, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_BUSY);
  amps_dead_letters_end (f->letters, NULL);
}

static void
test_cancel (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  begin (f, cancellable);
  g_cancellable_cancel (cancellable);
  g_assert_false (finish (f, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (((FakeDeadLetters *) f->letters)->cancelled);
}

/* What is done is done. */
static void
test_cancelled_too_late (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  begin (f, cancellable);
  amps_dead_letters_end (f->letters, NULL);
  g_cancellable_cancel (cancellable);
  g_assert_true (finish (f, &error));
  g_assert_false (((FakeDeadLetters *) f->letters)->cancelled);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/dead-letters/counts", Fixture, NULL, set_up, test_counts, tear_down);
  g_test_add ("/dead-letters/filter", Fixture, NULL, set_up, test_filter_is_copied, tear_down);
  g_test_add ("/dead-letters/busy", Fixture, NULL, set_up, test_busy, tear_down);
  g_test_add ("/dead-letters/cancel", Fixture, NULL, set_up, test_cancel, tear_down);
  g_test_add ("/dead-letters/too-late", Fixture, NULL, set_up, test_cancelled_too_late, tear_down);
  return g_test_run ();
}
