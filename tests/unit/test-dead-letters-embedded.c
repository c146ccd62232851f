/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/embedded/amps-dead-letters-embedded.h"
#include "broker/embedded/amps-embedded-store.h"

#include <glib/gstdio.h>
#include <string.h>

/* More than one transaction takes. */
#define N_LETTERS 250

typedef struct {
  char *folder;                 /* (owned) */
  char *path;                   /* (owned) */
  AmpsEmbeddedStore *store;     /* (owned) seen from another process, as it were */
  AmpsDeadLetters *letters;     /* (owned) */
  AmpsDeadLetterFilter *filter; /* (owned) */
  GAsyncResult *result;         /* (owned) (nullable) */
  GPtrArray *ids;               /* (owned) (element-type utf8) of the letters that were told */
  unsigned int n_errors;
  char *body;                /* (owned) (nullable) of the last one */
  GCancellable *cancellable; /* (owned) (nullable) to be cancelled at the first letter */
} Fixture;

static AmpsDeadLetters *
open_letters (const char *path, GError **error)
{
  static const char *const none[] = { NULL };
  g_autofree char *uri =
      g_strdup_printf ("BROKER_HOST=sqlite:%s%s", *path == '/' ? "//" : "", path);
  const char *const environment[] = { "BROKER_SUBJECT=jobs", uri, NULL };
  g_autoptr (AmpsConfig) config = amps_config_new (environment, NULL, none, NULL);
  g_autoptr (AmpsClock) clock = amps_clock_new ();

  return amps_dead_letters_embedded_new (config, clock, error);
}

static void
publish (Fixture *f, const char *queue, unsigned int id)
{
  g_autofree char *event = g_strdup_printf (
      "{\"specversion\":\"1.0\",\"id\":\"%u\",\"source\":\"/s\",\"type\":\"t%u\"}", id, id % 2);
  g_autoptr (GBytes) body = g_bytes_new (event, strlen (event));

  g_assert_true (amps_embedded_store_publish (f->store, queue, body, 1, NULL));
}

/* Gives up all jobs of a queue. */
static void
give_up (Fixture *f, const char *queue)
{
  const AmpsSettlement settlement = { .kind = AMPS_SETTLE_DEAD_LETTER,
                                      .attempt = 3,
                                      .reason = "rejected",
                                      .detail = (char *) "no such mailbox" };
  g_autoptr (GPtrArray) jobs =
      amps_embedded_store_claim (f->store, queue, "me", 100, 200, N_LETTERS, NULL);

  for (unsigned int i = 0; i < jobs->len; i++)
    {
      const AmpsStoredJob *job = g_ptr_array_index (jobs, i);
      AmpsSettled settled;

      g_assert_true (amps_embedded_store_settle (f->store, job->id, "me", &settlement, "jobs.dead",
                                                 1000, &settled, NULL));
      g_assert_cmpint (settled, ==, AMPS_SETTLED_MOVED);
    }
}

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->folder = g_dir_make_tmp ("amps-dead-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "queue.db", NULL);
  f->store = amps_embedded_store_open (f->path, FALSE, NULL);
  f->letters = open_letters (f->path, NULL);
  f->filter = amps_dead_letter_filter_new ();
  f->ids = g_ptr_array_new_with_free_func (g_free);

  g_assert_true (amps_embedded_store_begin (f->store, NULL));
  for (unsigned int i = 0; i < N_LETTERS; i++)
    publish (f, "jobs", i);
  give_up (f, "jobs");
  g_assert_true (amps_embedded_store_commit (f->store, NULL));
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_clear_object (&f->result);
  g_clear_object (&f->cancellable);
  g_ptr_array_unref (f->ids);
  amps_dead_letter_filter_free (f->filter);
  g_assert_finalize_object (f->letters);
  amps_embedded_store_close (f->store);
  g_unlink (f->path);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_free (f->path);
  g_free (f->folder);
  g_free (f->body);
}

static void
on_letter (const AmpsDeadLetter *letter, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_ptr_array_add (f->ids, g_strdup (letter->id));
  f->n_errors += error != NULL;
  g_clear_pointer (&f->body, g_free);
  if (letter->body != NULL)
    f->body = g_strndup (g_bytes_get_data (letter->body, NULL), g_bytes_get_size (letter->body));
  if (f->cancellable != NULL)
    g_cancellable_cancel (f->cancellable);

  g_assert_cmpstr (letter->reason, ==, "rejected");
  g_assert_cmpstr (letter->detail, ==, "no such mailbox");
  g_assert_cmpstr (letter->queue, ==, "jobs");
  g_assert_cmpuint (letter->attempt, ==, 3);
  g_assert_cmpint (letter->time, ==, 1000);
}

static void
on_end (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  ((Fixture *) user_data)->result = g_object_ref (result);
}

static gboolean
run (Fixture *f, AmpsDeadLettersAction action, gboolean with_bodies, GError **error)
{
  const AmpsDeadLettersRequest request = { .action = action,
                                           .filter = f->filter,
                                           .with_bodies = with_bodies,
                                           .on_letter = on_letter,
                                           .user_data = f };

  g_ptr_array_set_size (f->ids, 0);
  g_clear_object (&f->result);
  amps_dead_letters_run_async (f->letters, &request, f->cancellable, on_end, f);
  while (f->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return amps_dead_letters_run_finish (f->letters, f->result, error);
}

static void
assert_depth (Fixture *f, const char *queue, unsigned int expected)
{
  g_autoptr (GPtrArray) jobs =
      amps_embedded_store_claim (f->store, queue, "counter", 5000, 6000, 10000, NULL);

  g_assert_cmpuint (jobs->len, ==, expected);
  g_assert_true (amps_embedded_store_give_up (f->store, "counter", NULL));
}

static void
test_list (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (run (f, AMPS_DEAD_LETTERS_LIST, FALSE, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (f->ids->len, ==, N_LETTERS);
  g_assert_cmpstr (g_ptr_array_index (f->ids, 0), ==, "0");
  g_assert_cmpuint (amps_dead_letters_get_counts (f->letters)->n_there, ==, N_LETTERS);
  g_assert_null (f->body);

  f->filter->type = g_strdup ("t1");
  f->filter->limit = 3;
  g_assert_true (run (f, AMPS_DEAD_LETTERS_LIST, TRUE, &error));
  g_assert_cmpuint (f->ids->len, ==, 3);
  g_assert_cmpstr (g_ptr_array_index (f->ids, 2), ==, "5");
  g_assert_nonnull (strstr (f->body, "\"id\":\"5\""));
  assert_depth (f, "jobs.dead", N_LETTERS);
}

static void
test_redrive (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) jobs = NULL;
  const AmpsStoredJob *job;

  f->filter->limit = 150;
  g_assert_true (run (f, AMPS_DEAD_LETTERS_REDRIVE, FALSE, NULL));
  g_assert_cmpuint (f->ids->len, ==, 150);
  assert_depth (f, "jobs.dead", N_LETTERS - 150);

  jobs = amps_embedded_store_claim (f->store, "jobs", "me", 5000, 6000, 1000, NULL);
  g_assert_cmpuint (jobs->len, ==, 150);
  job = g_ptr_array_index (jobs, 0);
  g_assert_cmpuint (job->attempt, ==, 1);
  g_assert_cmpuint (job->handed_out, ==, 1);
  g_assert_cmpint (job->first_received, ==, 5000);
  g_assert_cmpuint (job->retry, ==, 0);
}

static void
test_purge (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->filter->type = g_strdup ("t0");
  g_assert_true (run (f, AMPS_DEAD_LETTERS_PURGE, FALSE, NULL));
  g_assert_cmpuint (f->ids->len, ==, N_LETTERS / 2);
  assert_depth (f, "jobs.dead", N_LETTERS / 2);
  assert_depth (f, "jobs", 0);
}

/* What somebody consumes is his. */
static void
test_claimed (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  gint64 later = g_get_real_time () + AMPS_SECONDS (3600);
  g_autoptr (GPtrArray) jobs =
      amps_embedded_store_claim (f->store, "jobs.dead", "other", 2000, later, 10, NULL);

  g_assert_cmpuint (jobs->len, ==, 10);
  g_assert_true (run (f, AMPS_DEAD_LETTERS_PURGE, FALSE, NULL));
  g_assert_cmpuint (f->ids->len, ==, N_LETTERS - 10);
}

/* One that the file refuses fails alone. */
static void
test_refused (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  gint64 n_changed;

  g_assert_true (amps_embedded_store_execute (
      f->store,
      "CREATE TRIGGER theirs BEFORE UPDATE OF queue ON jobs WHEN OLD.id = 7"
      " BEGIN SELECT RAISE (ABORT, 'not this one'); END",
      &n_changed, NULL));
  g_assert_true (run (f, AMPS_DEAD_LETTERS_REDRIVE, FALSE, NULL));
  g_assert_cmpuint (f->ids->len, ==, N_LETTERS);
  g_assert_cmpuint (f->n_errors, ==, 1);
  assert_depth (f, "jobs.dead", 1);
  assert_depth (f, "jobs", N_LETTERS - 1);
}

/* The portion that it is at is finished; nothing is half done. */
static void
test_cancel (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  f->cancellable = g_cancellable_new ();
  g_assert_false (run (f, AMPS_DEAD_LETTERS_REDRIVE, FALSE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (f->ids->len, >, 0);
  g_assert_cmpuint (f->ids->len, <, N_LETTERS);
  assert_depth (f, "jobs", f->ids->len);
  assert_depth (f, "jobs.dead", N_LETTERS - f->ids->len);
}

/* It is not made by looking for it. */
static void
test_no_file (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = g_build_filename (f->folder, "other.db", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_finalize_object (f->letters);
  f->letters = open_letters (path, NULL);
  g_assert_false (run (f, AMPS_DEAD_LETTERS_LIST, FALSE, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_NOT_FOUND);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
on_last_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  gboolean *ended = user_data;

  *ended = amps_dead_letters_run_finish (AMPS_DEAD_LETTERS (source), result, NULL);
  g_object_unref (source);
}

/* Whoever is told needs them no longer. */
static void
test_dropped (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  const AmpsDeadLettersRequest request = { .filter = f->filter };
  gboolean ended = FALSE;

  amps_dead_letters_run_async (g_object_ref (f->letters), &request, NULL, on_last_end, &ended);
  g_object_unref (f->letters);
  while (!ended)
    g_main_context_iteration (NULL, TRUE);
  f->letters = open_letters (f->path, NULL);
}

static void
test_memory (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (open_letters (":memory:", &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_INVALID_ARGUMENT);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*func) (Fixture *f, gconstpointer data);
  } tests[] = {
    { "list", test_list },       { "redrive", test_redrive }, { "purge", test_purge },
    { "claimed", test_claimed }, { "refused", test_refused }, { "cancel", test_cancel },
    { "no-file", test_no_file }, { "dropped", test_dropped },
  };

  g_test_init (&argc, &argv, NULL);
  for (unsigned int i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strconcat ("/dead-letters-embedded/", tests[i].path, NULL);

      g_test_add (path, Fixture, NULL, set_up, tests[i].func, tear_down);
    }
  g_test_add_func ("/dead-letters-embedded/memory", test_memory);
  return g_test_run ();
}
