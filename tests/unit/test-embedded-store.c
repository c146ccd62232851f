/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/embedded/amps-embedded-store.h"
#include "fixture-tests.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define DEAD "jobs.dead"

typedef struct {
  AmpsEmbeddedStore *store;
  gint64 now;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  f->store = amps_embedded_store_open (":memory:", TRUE, &error);
  g_assert_no_error (error);
  f->now = 1000000;
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  amps_embedded_store_close (f->store);
}

static void
publish (Fixture *f, const char *body)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (body, strlen (body));
  g_autoptr (GError) error = NULL;

  g_assert_true (amps_embedded_store_publish (f->store, "jobs", bytes, f->now, &error));
  g_assert_no_error (error);
}

/* The bodies of what @owner gets, in a row. */
static char *
claim (Fixture *f, const char *queue, const char *owner, unsigned int limit, gint64 *last_id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) jobs =
      amps_embedded_store_claim (f->store, queue, owner, f->now, f->now + 100, limit, &error);
  GString *bodies = g_string_new (NULL);

  g_assert_no_error (error);
  for (unsigned int i = 0; i < jobs->len; i++)
    {
      AmpsStoredJob *job = g_ptr_array_index (jobs, i);

      g_string_append_len (bodies, g_bytes_get_data (job->body, NULL),
                           (gssize) g_bytes_get_size (job->body));
      g_string_append_printf (bodies, "%u%u ", job->attempt, job->handed_out);
      *last_id = job->id;
    }

  return g_string_free (bodies, FALSE);
}

static void
assert_claimed (Fixture *f, const char *owner, unsigned int limit, const char *expected)
{
  gint64 id;
  g_autofree char *bodies = claim (f, "jobs", owner, limit, &id);

  g_assert_cmpstr (bodies, ==, expected);
}

static gboolean
settle (Fixture *f, gint64 id, const char *owner, AmpsSettlement settlement)
{
  g_autoptr (GError) error = NULL;
  AmpsSettled settled;

  g_assert_true (amps_embedded_store_settle (f->store, id, owner, &settlement, DEAD, f->now,
                                             &settled, &error));
  g_assert_no_error (error);
  return settled != AMPS_SETTLED_NOT;
}

/* The file says so of one job. */
static void
assert_waits_for (Fixture *f, gint64 wait)
{
  g_autofree char *sql =
      g_strdup_printf ("UPDATE jobs SET wait = wait WHERE wait = %" G_GINT64_FORMAT, wait);
  gint64 n_changed;

  g_assert_true (amps_embedded_store_execute (f->store, sql, &n_changed, NULL));
  g_assert_cmpint (n_changed, ==, 1);
}

static void
test_order_and_limit (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  publish (f, "a");
  publish (f, "b");
  publish (f, "c");
  assert_claimed (f, "me", 2, "a11 b11 ");
  assert_claimed (f, "other", 2, "c11 ");
  assert_claimed (f, "other", 2, "");
}

/* No more than there is room for, in order; but the next one alone, however large. */
static void
test_room (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (5);
  GPtrArray *jobs;

  amps_embedded_store_set_budget (f->store, budget);
  publish (f, "aa");
  publish (f, "bb");
  publish (f, "cccccccc");
  publish (f, "d");
  jobs = amps_embedded_store_claim (f->store, "jobs", "me", f->now, f->now + 100, 9, NULL);
  g_assert_cmpuint (jobs->len, ==, 2);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 4);
  g_assert_cmpuint (amps_embedded_store_get_lacking (f->store), ==, 8);
  assert_claimed (f, "me", 9, "");

  g_ptr_array_unref (jobs);
  g_assert_cmpuint (amps_byte_budget_get_held (budget), ==, 0);
  assert_claimed (f, "me", 9, "cccccccc11 ");
  g_assert_cmpuint (amps_embedded_store_get_lacking (f->store), ==, 1);
  assert_claimed (f, "me", 9, "d11 ");
  g_assert_cmpuint (amps_embedded_store_get_lacking (f->store), ==, 0);
}

/* What waited comes first, however little there is room for. */
static void
test_room_for_what_waited (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (AmpsByteBudget) budget = amps_byte_budget_new (1);
  gint64 id;
  g_autofree char *last = NULL;

  publish (f, "a");
  last = claim (f, "jobs", "me", 1, &id);
  publish (f, "b");
  g_assert_true (settle (f, id, "me", (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE }));
  g_free (g_steal_pointer (&last));
  publish (f, "c");
  last = claim (f, "jobs", "me", 1, &id);
  g_assert_true (
      settle (f, id, "me", (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE, .attempt = 1 }));
  g_free (g_steal_pointer (&last));
  publish (f, "d");
  last = claim (f, "jobs", "me", 1, &id);
  publish (f, "e");
  g_free (g_steal_pointer (&last));
  f->now += 100;
  amps_embedded_store_set_budget (f->store, budget);
  publish (f, "0");
  assert_claimed (f, "me", 9, "c12 ");
}

static void
test_leases (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  unsigned int n_renewed;
  gint64 id;
  g_autofree char *mine = NULL;
  g_autofree char *theirs = NULL;

  publish (f, "a");
  mine = claim (f, "jobs", "me", 1, &id);
  f->now += 99;
  assert_claimed (f, "other", 1, "");
  g_assert_true (amps_embedded_store_renew (f->store, "me", f->now + 100, &n_renewed, NULL));
  g_assert_cmpuint (n_renewed, ==, 1);
  f->now += 99;
  assert_claimed (f, "other", 1, "");

  f->now += 1;
  theirs = claim (f, "jobs", "other", 1, &id);
  g_assert_cmpstr (theirs, ==, "a12 ");
  g_assert_false (settle (f, id, "me", (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE }));
  g_assert_true (settle (f, id, "other", (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE }));
  g_assert_false (settle (f, id, "other", (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE }));
}

static void
test_reclaim (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) jobs = NULL;
  gint64 id;

  publish (f, "a");
  publish (f, "b");
  assert_claimed (f, "me", 1, "a11 ");
  assert_claimed (f, "other", 1, "b11 ");
  jobs = amps_embedded_store_reclaim (f->store, "me", "me again", f->now + 100, NULL);
  g_assert_cmpuint (jobs->len, ==, 1);
  id = ((AmpsStoredJob *) jobs->pdata[0])->id;
  g_assert_cmpuint (((AmpsStoredJob *) jobs->pdata[0])->handed_out, ==, 2);
  assert_claimed (f, "me again", 2, "");
  g_assert_false (settle (f, id, "me", (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE }));
  g_assert_true (settle (f, id, "me again", (AmpsSettlement){ .kind = AMPS_SETTLE_ACKNOWLEDGE }));
}

static void
test_settlements (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *first = NULL;
  g_autofree char *again = NULL;
  g_autofree char *failed = NULL;
  g_autofree char *late = NULL;
  g_autofree char *dead = NULL;
  gint64 due;
  gint64 id;

  publish (f, "a");
  first = claim (f, "jobs", "me", 1, &id);
  g_assert_true (settle (f, id, "me", (AmpsSettlement){ .kind = AMPS_SETTLE_REQUEUE }));
  again = claim (f, "jobs", "me", 1, &id);
  g_assert_cmpstr (again, ==, "a12 ");
  assert_waits_for (f, 100);

  g_assert_true (
      settle (f, id, "me", (AmpsSettlement){ .kind = AMPS_SETTLE_REQUEUE_FAILED, .attempt = 2 }));
  failed = claim (f, "jobs", "me", 1, &id);
  g_assert_cmpstr (failed, ==, "a23 ");

  g_assert_true (settle (f, id, "me",
                         (AmpsSettlement){ .kind = AMPS_SETTLE_RETRY, .delay = 50, .attempt = 2 }));
  g_assert_true (amps_embedded_store_get_next_due (f->store, "jobs", &due, NULL));
  g_assert_cmpint (due, ==, f->now + 50);
  assert_waits_for (f, 50);
  assert_claimed (f, "me", 1, "");
  f->now += 50;
  late = claim (f, "jobs", "me", 1, &id);
  g_assert_cmpstr (late, ==, "a21 ");

  g_assert_true (settle (
      f, id, "me",
      (AmpsSettlement){ .kind = AMPS_SETTLE_DEAD_LETTER, .attempt = 2, .reason = "rejected" }));
  assert_claimed (f, "me", 1, "");
  dead = claim (f, DEAD, "me", 1, &id);
  g_assert_cmpstr (dead, ==, "a11 ");
  g_assert_true (amps_embedded_store_get_next_due (f->store, "empty", &due, NULL));
  g_assert_cmpint (due, ==, -1);
}

/* Who consumes the queue of dead letters begins anew, and counts from there. */
static void
test_dead_letters_are_consumed (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsSettlement dead = { AMPS_SETTLE_DEAD_LETTER, .attempt = 4, .reason = "max-attempts" };
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *third = NULL;
  gint64 id;

  publish (f, "a");
  first = claim (f, "jobs", "me", 1, &id);
  g_assert_true (settle (f, id, "me", dead));
  second = claim (f, DEAD, "me", 1, &id);
  g_assert_cmpstr (second, ==, "a11 ");
  g_assert_true (settle (f, id, "me", (AmpsSettlement){ AMPS_SETTLE_RETRY, .attempt = 2 }));
  third = claim (f, DEAD, "me", 1, &id);
  g_assert_cmpstr (third, ==, "a21 ");
}

static void
test_dead_letters_are_discarded (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsSettlement dead = { AMPS_SETTLE_DEAD_LETTER, .attempt = 1, .reason = "rejected" };
  g_autofree char *first = NULL;
  AmpsSettled settled;
  gint64 due;
  gint64 id;

  publish (f, "a");
  publish (f, "b");
  first = claim (f, "jobs", "me", 1, &id);
  g_assert_true (
      amps_embedded_store_settle (f->store, id, "me", &dead, NULL, f->now, &settled, NULL));
  g_assert_cmpint (settled, ==, AMPS_SETTLED_REJECTED);
  g_assert_true (amps_embedded_store_get_next_due (f->store, DEAD, &due, NULL));
  g_assert_cmpint (due, ==, -1);
  f->now += 1000;
  assert_claimed (f, "me", 2, "b11 ");
}

static void
test_give_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  publish (f, "a");
  publish (f, "b");
  assert_claimed (f, "me", 2, "a11 b11 ");
  g_assert_true (amps_embedded_store_give_up (f->store, "me", NULL));
  assert_claimed (f, "other", 2, "a12 b12 ");
}

/* A process died with one, and a retry has waited: a long queue must not keep
 * them back. */
static void
test_waited_come_first (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *lost = NULL;
  g_autofree char *retried = NULL;
  gint64 id;

  publish (f, "lost");
  publish (f, "retried");
  lost = claim (f, "jobs", "dead", 1, &id);
  retried = claim (f, "jobs", "me", 1, &id);
  g_assert_true (settle (f, id, "me", (AmpsSettlement){ AMPS_SETTLE_RETRY, 90, 2, NULL, NULL }));
  for (unsigned int i = 0; i < 5; i++)
    publish (f, "new");

  f->now += 50;
  assert_claimed (f, "me", 1, "new11 ");
  f->now += 50;
  assert_claimed (f, "me", 3, "lost12 retried21 new11 ");
}

/* Also if the failure does not count as an attempt. */
static void
test_retries_are_told_apart (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  const AmpsSettlement retry = { AMPS_SETTLE_RETRY, 1, 1, NULL, NULL };
  char detail[] = "bad";
  const AmpsSettlement reject = { AMPS_SETTLE_DEAD_LETTER, 0, 1, "rejected", detail };

  publish (f, "a");
  for (unsigned int i = 0; i < 3; i++)
    {
      g_autoptr (GPtrArray) jobs =
          amps_embedded_store_claim (f->store, "jobs", "me", f->now, f->now + 100, 1, NULL);
      const AmpsStoredJob *job = g_ptr_array_index (jobs, 0);

      g_assert_cmpuint (job->retry, ==, i == 0 ? 0 : i + 1);
      g_assert_true (settle (f, job->id, "me", i < 2 ? retry : reject));
      f->now += 1;
    }
}

static void
test_removed_file (Fixture *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *folder = g_dir_make_tmp ("amps-store-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "queue.db", NULL);
  g_autofree char *other = g_build_filename (folder, "other.db", NULL);
  g_autoptr (AmpsEmbeddedStore) store = amps_embedded_store_open (path, TRUE, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (amps_embedded_store_is_in_place (store, NULL));
  g_assert_false (amps_embedded_store_is_broken (store));
  g_assert_cmpint (g_rename (path, other), ==, 0);
  g_assert_false (amps_embedded_store_is_in_place (store, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);
  g_assert_true (amps_embedded_store_is_broken (store));

  g_assert_cmpint (g_rename (other, path), ==, 0);
  g_clear_pointer (&store, amps_embedded_store_close);
  g_unlink (path);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
test_log (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *folder = g_dir_make_tmp ("amps-store-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "queue.db", NULL);
  g_autofree char *log = g_build_filename (folder, "queue.db-wal", NULL);
  g_autofree char *link = g_build_filename (folder, "link", NULL);
  g_autoptr (AmpsEmbeddedStore) store = NULL;

  g_assert_cmpint (symlink (path, link), ==, 0);
  store = amps_embedded_store_open (link, TRUE, NULL);
  g_assert_cmpstr (amps_embedded_store_get_log (store), ==, log);
  g_assert_true (g_file_test (log, G_FILE_TEST_EXISTS));
  g_assert_null (amps_embedded_store_get_log (f->store));

  g_clear_pointer (&store, amps_embedded_store_close);
  g_unlink (link);
  g_unlink (path);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
test_roll_back (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_assert_true (amps_embedded_store_begin (f->store, NULL));
  publish (f, "a");
  amps_embedded_store_roll_back (f->store);
  amps_embedded_store_roll_back (f->store);
  assert_claimed (f, "me", 1, "");

  g_assert_true (amps_embedded_store_begin (f->store, NULL));
  publish (f, "b");
  g_assert_true (amps_embedded_store_commit (f->store, NULL));
  assert_claimed (f, "me", 1, "b11 ");
}

#define N_STARTERS 6
#define N_NEW_FILES 60

static gpointer
open_in_thread (gpointer path)
{
  g_autoptr (GError) error = NULL;
  AmpsEmbeddedStore *store = amps_embedded_store_open (path, FALSE, &error);

  g_assert_no_error (error);
  return store;
}

/* All of them find an empty file, or one that is just being made. */
static void
test_new_file_is_opened_at_once (Fixture *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *folder = g_dir_make_tmp ("amps-store-XXXXXX", NULL);

  for (unsigned int i = 0; i < N_NEW_FILES; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%u.db", folder, i);
      GThread *threads[N_STARTERS];
      AmpsEmbeddedStore *stores[N_STARTERS];

      for (unsigned int j = 0; j < N_STARTERS; j++)
        threads[j] = g_thread_new ("starter", open_in_thread, path);
      for (unsigned int j = 0; j < N_STARTERS; j++)
        stores[j] = g_thread_join (threads[j]);
      for (unsigned int j = 0; j < N_STARTERS; j++)
        amps_embedded_store_close (stores[j]);
      g_unlink (path);
    }

  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
assert_count (Fixture *f, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmpsQueueDepths) depths =
      amps_embedded_store_count (f->store, "jobs", DEAD, f->now, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_no_error (error);
  amps_queue_depths_append (depths, text);
  g_assert_cmpstr (strstr (text->str, "amps_queue_messages{"), ==, expected);
}

/* Those in flight are not counted until their lease has ended. */
static void
test_count (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  gint64 id;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *third = NULL;

  for (unsigned int i = 0; i < 5; i++)
    publish (f, "a");
  first = claim (f, "jobs", "me", 1, &id);
  settle (f, id, "me", (AmpsSettlement){ .kind = AMPS_SETTLE_RETRY, .delay = 1000 });
  second = claim (f, "jobs", "me", 1, &id);
  settle (f, id, "me", (AmpsSettlement){ .kind = AMPS_SETTLE_DEAD_LETTER, .reason = "rejected" });
  third = claim (f, "jobs", "me", 1, &id);
  assert_count (f, "amps_queue_messages{queue=\"jobs\"} 2\n"
                   "amps_queue_messages{queue=\"jobs.dead\"} 1\n"
                   "amps_queue_messages{queue=\"jobs.retry\"} 1\n");

  f->now += 100;
  assert_count (f, "amps_queue_messages{queue=\"jobs\"} 3\n"
                   "amps_queue_messages{queue=\"jobs.dead\"} 1\n"
                   "amps_queue_messages{queue=\"jobs.retry\"} 1\n");
  f->now += 900;
  assert_count (f, "amps_queue_messages{queue=\"jobs\"} 4\n"
                   "amps_queue_messages{queue=\"jobs.dead\"} 1\n"
                   "amps_queue_messages{queue=\"jobs.retry\"} 0\n");
}

FIXTURE_TESTS = {
  { "/embedded-store/order-and-limit", test_order_and_limit },
  { "/embedded-store/room", test_room },
  { "/embedded-store/room-for-what-waited", test_room_for_what_waited },
  { "/embedded-store/leases", test_leases },
  { "/embedded-store/reclaim", test_reclaim },
  { "/embedded-store/settlements", test_settlements },
  { "/embedded-store/dead-letters-consumed", test_dead_letters_are_consumed },
  { "/embedded-store/dead-letters-discarded", test_dead_letters_are_discarded },
  { "/embedded-store/give-up", test_give_up },
  { "/embedded-store/waited-come-first", test_waited_come_first },
  { "/embedded-store/retries-are-told-apart", test_retries_are_told_apart },
  { "/embedded-store/removed-file", test_removed_file },
  { "/embedded-store/log", test_log },
  { "/embedded-store/roll-back", test_roll_back },
  { "/embedded-store/new-file", test_new_file_is_opened_at_once },
  { "/embedded-store/count", test_count },
};

FIXTURE_TESTS_MAIN
