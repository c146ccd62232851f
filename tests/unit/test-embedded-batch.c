/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/embedded/amps-embedded-batch.h"
#include "fixture-tests.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

typedef struct {
  char *folder; /* (owned) */
  char *path;   /* (owned) */
  AmpsEmbeddedStore *store;
  AmpsEmbeddedLease *lease;
  AmpsMailbox *events;
  GString *answers; /* (owned) */
  GQueue batch;
} Fixture;

static void
on_event (AmpsMail *mail, gpointer user_data)
{
  const AmpsEmbeddedEvent *event = (AmpsEmbeddedEvent *) mail;
  Fixture *f = user_data;

  g_assert_cmpint (event->kind, ==, AMPS_EMBEDDED_EVENT_DONE);
  g_string_append_printf (f->answers, "%u:%d ", (unsigned int) event->id,
                          event->error != NULL ? event->error->code : -1);
  amps_embedded_event_free (mail);
}

/* Somebody else limits a queue, in his own way. */
static const char limit[] =
    "CREATE TRIGGER few_jobs BEFORE INSERT ON jobs WHEN NEW.queue = 'full' "
    "BEGIN SELECT RAISE (ABORT, 'the queue is full'); END;"
    "CREATE TRIGGER no_dead_letters BEFORE UPDATE ON jobs WHEN NEW.queue = 'dead' "
    "BEGIN SELECT RAISE (ABORT, 'no dead letters here'); END";

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  sqlite3 *database;

  f->folder = g_dir_make_tmp ("amps-batch-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "queue.db", NULL);
  f->store = amps_embedded_store_open (f->path, FALSE, &error);
  g_assert_no_error (error);
  g_assert_cmpint (sqlite3_open (f->path, &database), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (database, limit, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (database);
  f->lease = amps_embedded_lease_new (1000);
  f->answers = g_string_new (NULL);
  f->events = amps_mailbox_new ("test", NULL, on_event, amps_embedded_event_free, f);
  g_queue_init (&f->batch);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_true (g_queue_is_empty (&f->batch));
  amps_mailbox_free (f->events);
  g_string_free (f->answers, TRUE);
  amps_embedded_lease_free (f->lease);
  amps_embedded_store_close (f->store);
  g_unlink (f->path);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_free (f->path);
  g_free (f->folder);
}

static void
publish (Fixture *f, guint64 id, const char *queue)
{
  AmpsEmbeddedCommand *command = amps_embedded_command_new (AMPS_EMBEDDED_COMMAND_PUBLISH, id);

  command->queue = g_strdup (queue);
  command->body = g_bytes_new_static ("x", 1);
  g_queue_push_tail (&f->batch, command);
}

static void
settle (Fixture *f, guint64 id, gint64 job, AmpsSettlementKind kind)
{
  AmpsEmbeddedCommand *command = amps_embedded_command_new (AMPS_EMBEDDED_COMMAND_SETTLE, id);

  command->job = job;
  command->epoch = f->lease->epoch;
  command->settlement.kind = kind;
  g_queue_push_tail (&f->batch, command);
}

static gboolean
apply (Fixture *f, GError **error)
{
  g_assert_true (amps_embedded_store_begin (f->store, NULL));
  return amps_embedded_batch_apply (&f->batch, f->store, f->lease, "dead", 1, error);
}

static void
commit (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (apply (f, &error));
  g_assert_no_error (error);
  amps_embedded_batch_count (&f->batch, f->lease);
  g_assert_true (amps_embedded_store_commit (f->store, NULL));
  amps_embedded_batch_answer (&f->batch, f->events);
}

static void
assert_answered (Fixture *f, const char *expected)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpstr (f->answers->str, ==, expected);
  g_string_truncate (f->answers, 0);
}

/* Returns: the id of the last one */
static gint64
claim (Fixture *f, const char *queue, unsigned int n_jobs)
{
  g_autoptr (GPtrArray) jobs =
      amps_embedded_store_claim (f->store, queue, f->lease->owner, 1, 1000, 10, NULL);

  g_assert_cmpuint (jobs->len, ==, n_jobs);
  f->lease->n_held += n_jobs;
  return n_jobs > 0 ? ((AmpsStoredJob *) g_ptr_array_index (jobs, n_jobs - 1))->id : 0;
}

static void
test_refused_publication_fails_alone (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *expected = g_strdup_printf ("1:-1 2:%d 3:-1 ", AMPS_ERROR_NOT_PERMITTED);

  publish (f, 1, "jobs");
  publish (f, 2, "full");
  publish (f, 3, "jobs");
  g_assert_true (amps_embedded_batch_is_news (&f->batch));
  commit (f);
  assert_answered (f, expected);
  g_assert_false (amps_embedded_store_is_broken (f->store));
  claim (f, "full", 0);
  claim (f, "jobs", 2);
}

/* The job stays ours, to be tried again. */
static void
test_refused_dead_letter_stays (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *expected = g_strdup_printf ("2:%d ", AMPS_ERROR_NOT_PERMITTED);
  gint64 job;

  publish (f, 0, "jobs");
  commit (f);
  job = claim (f, "jobs", 1);
  settle (f, 2, job, AMPS_SETTLE_DEAD_LETTER);
  commit (f);
  assert_answered (f, expected);
  g_assert_cmpuint (f->lease->n_held, ==, 1);
  g_assert_cmpint (amps_embedded_lease_get_wait (f->lease, (AmpsEmbeddedTime){ 1, 1 }), !=, 0);

  settle (f, 3, job, AMPS_SETTLE_ACKNOWLEDGE);
  g_assert_false (amps_embedded_batch_is_news (&f->batch));
  commit (f);
  assert_answered (f, "3:-1 ");
  g_assert_cmpuint (f->lease->n_held, ==, 0);
}

/* One that others have is answered so, and the leases are looked at. */
static void
test_settlement_of_a_lost_job (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *expected = g_strdup_printf ("1:%d ", AMPS_ERROR_DETACHED);
  gint64 job;

  publish (f, 0, "jobs");
  commit (f);
  job = claim (f, "jobs", 1);
  f->lease->end = 900;
  g_assert_cmpint (amps_embedded_lease_get_wait (f->lease, (AmpsEmbeddedTime){ 1, 1 }), >, 0);
  settle (f, 1, job + 1, AMPS_SETTLE_ACKNOWLEDGE);
  commit (f);
  assert_answered (f, expected);
  g_assert_cmpuint (f->lease->n_held, ==, 1);
  g_assert_cmpint (amps_embedded_lease_get_wait (f->lease, (AmpsEmbeddedTime){ 1, 1 }), ==, 0);
}

/* It may be held again by now, and comes again then. */
static void
test_settlement_of_an_earlier_epoch (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *expected = g_strdup_printf ("1:%d ", AMPS_ERROR_DETACHED);
  gint64 job;

  publish (f, 0, "jobs");
  commit (f);
  job = claim (f, "jobs", 1);
  f->lease->end = 900;
  settle (f, 1, job, AMPS_SETTLE_ACKNOWLEDGE);
  f->lease->epoch++;
  commit (f);
  assert_answered (f, expected);
  g_assert_cmpuint (f->lease->n_held, ==, 1);
  g_assert_cmpint (amps_embedded_lease_get_wait (f->lease, (AmpsEmbeddedTime){ 1, 1 }), >, 0);
  settle (f, 2, job, AMPS_SETTLE_ACKNOWLEDGE);
  commit (f);
  assert_answered (f, "2:-1 ");
}

/* Who waits is told; what nobody waits for is kept, and done in the end. */
static void
test_failure (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *expected =
      g_strdup_printf ("4:%d 5:%d ", AMPS_ERROR_UNAVAILABLE, AMPS_ERROR_UNAVAILABLE);
  g_autoptr (GError) error = g_error_new_literal (AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "full");
  gint64 job;

  publish (f, 0, "jobs");
  commit (f);
  job = claim (f, "jobs", 1);
  publish (f, 4, "jobs");
  settle (f, 0, job, AMPS_SETTLE_ACKNOWLEDGE);
  settle (f, 5, job, AMPS_SETTLE_RETRY);
  amps_embedded_batch_fail (&f->batch, f->events, error);
  assert_answered (f, expected);
  commit (f);
  assert_answered (f, "");
  g_assert_cmpuint (f->lease->n_held, ==, 0);
  claim (f, "jobs", 0);
}

FIXTURE_TESTS = {
  { "/embedded-batch/refused-publication", test_refused_publication_fails_alone },
  { "/embedded-batch/refused-dead-letter", test_refused_dead_letter_stays },
  { "/embedded-batch/lost-job", test_settlement_of_a_lost_job },
  { "/embedded-batch/earlier-epoch", test_settlement_of_an_earlier_epoch },
  { "/embedded-batch/failure", test_failure },
};

FIXTURE_TESTS_MAIN
