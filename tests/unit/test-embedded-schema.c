/* SPDX-License-Identifier: MIT */
#include "base/amps-error.h"
#include "broker/embedded/amps-embedded-schema.h"
#include "broker/embedded/amps-embedded-store.h"
#include "fixture-tests.h"

#include <glib/gstdio.h>
#include <string.h>

/* A file's life: each AMPS knows one step more. The second loses nothing of what
 * the first put in, and the third can't be taken. */
static const char *const steps[] = {
  "CREATE TABLE jobs (id INTEGER PRIMARY KEY, body BLOB NOT NULL)",
  ("ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 5;"
   "CREATE INDEX jobs_by_priority ON jobs (priority)"),
  "ALTER TABLE jobs ADD COLUMN other INTEGER; CREATE TABLE jobs (id)",
};

static const AmpsEmbeddedSchema first = { steps, 1 };
static const AmpsEmbeddedSchema second = { steps, 2 };
static const AmpsEmbeddedSchema third = { steps, 3 };

typedef struct {
  char *folder; /* (owned) */
  char *path;   /* (owned) */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  f->folder = g_dir_make_tmp ("amps-schema-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "queue.db", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

  for (unsigned int i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *path = g_strconcat (f->path, suffixes[i], NULL);

      g_unlink (path);
    }

  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_free (f->path);
  g_free (f->folder);
}

static sqlite3 *
open_file (Fixture *f)
{
  sqlite3 *database;

  g_assert_cmpint (sqlite3_open (f->path, &database), ==, SQLITE_OK);
  return database;
}

static void
execute (Fixture *f, const char *sql)
{
  sqlite3 *database = open_file (f);

  g_assert_cmpint (sqlite3_exec (database, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (database);
}

static int
read_number (Fixture *f, const char *sql)
{
  sqlite3 *database = open_file (f);
  sqlite3_stmt *statement;
  int number;

  g_assert_cmpint (sqlite3_prepare_v2 (database, sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  number = sqlite3_column_int (statement, 0);
  sqlite3_finalize (statement);
  sqlite3_close (database);
  return number;
}

static gboolean
migrate (Fixture *f, const AmpsEmbeddedSchema *schema, GError **error)
{
  sqlite3 *database = open_file (f);
  gboolean done = amps_embedded_schema_migrate (schema, database, error);

  sqlite3_close (database);
  return done;
}

static void
assert_migrates (Fixture *f, const AmpsEmbeddedSchema *schema)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (migrate (f, schema, &error));
  g_assert_no_error (error);
  g_assert_cmpint (read_number (f, "PRAGMA user_version"), ==, (int) schema->n_steps);
}

static void
test_older_file_is_migrated (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  assert_migrates (f, &first);
  execute (f, "INSERT INTO jobs (body) VALUES ('a'), ('b')");
  assert_migrates (f, &second);
  g_assert_cmpint (read_number (f, "SELECT sum(priority) FROM jobs"), ==, 10);
  assert_migrates (f, &second);
  g_assert_cmpint (read_number (f, "SELECT count(*) FROM jobs"), ==, 2);
}

static void
test_empty_file_gets_all_steps (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  assert_migrates (f, &second);
  execute (f, "INSERT INTO jobs (body) VALUES ('a')");
  g_assert_cmpint (read_number (f, "SELECT priority FROM jobs"), ==, 5);
}

static void
test_failed_step_leaves_the_file_as_it_was (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  assert_migrates (f, &first);
  execute (f, "INSERT INTO jobs (body) VALUES ('a')");
  g_assert_false (migrate (f, &third, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE);
  g_assert_cmpint (read_number (f, "PRAGMA user_version"), ==, 1);
  g_assert_cmpint (read_number (f, "SELECT count(*) FROM pragma_table_info ('jobs')"), ==, 2);
  assert_migrates (f, &second);
}

static void
test_newer_file_is_refused (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  assert_migrates (f, &second);
  g_assert_false (migrate (f, &first, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "newer AMPS (version 2"));
  g_assert_cmpint (read_number (f, "PRAGMA user_version"), ==, 2);
}

static void
test_foreign_file_is_left_alone (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  execute (f, "CREATE TABLE theirs (x)");
  g_assert_false (migrate (f, &first, &error));
  g_assert_error (error, AMPS_ERROR, AMPS_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "another program"));
  g_assert_cmpint (read_number (f, "PRAGMA application_id"), ==, 0);
  g_assert_cmpint (read_number (f, "SELECT count(*) FROM sqlite_schema"), ==, 1);
}

/* The columns that docs/embedded-broker.md tells people of, and the steps that
 * released versions left behind. */
static void
test_ours (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  AmpsEmbeddedStore *store = amps_embedded_store_open (f->path, TRUE, &error);

  g_assert_no_error (error);
  amps_embedded_store_close (store);
  g_assert_cmpint (read_number (f, "PRAGMA user_version"), ==, (int) amps_embedded_schema.n_steps);
  execute (f, "SELECT boot_id, shift FROM clock");
  execute (f, "SELECT id, queue, due, owner, body, attempt, handed_out, returns, published,"
              " first_received, origin, reason, detail, died FROM jobs");
}

#define LIVING                                                                                     \
  "due = 0 AND owner IS NULL AND attempt = 1 AND handed_out = 0 AND returns = 0"                   \
  " AND first_received = 0 AND origin IS NULL AND reason IS NULL AND detail IS NULL"               \
  " AND died IS NULL"

/* Step 2 is about the dead letters of files that version 1 has made, and however
 * people word it. One that is consumed where it is, and dies again, stays one. */
static void
test_redriven_dead_letters_start_anew (Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
  AmpsEmbeddedSchema version_1 = { amps_embedded_schema.steps, 1 };

  assert_migrates (f, &version_1);
  execute (f, "INSERT INTO jobs (id, queue, body, published, due, attempt, handed_out, returns,"
              " first_received, origin, reason, detail, died) VALUES"
              " (1, 'a.dead', 'x', 5, 0, 7, 0, 3, 6, 'a', 'rejected', 'why', 8),"
              " (2, 'a.dead', 'x', 5, 0, 7, 0, 3, 6, 'a', 'rejected', 'why', 8),"
              " (3, 'a.dead', 'x', 5, 0, 7, 0, 3, 6, 'a', 'rejected', 'why', 8),"
              " (4, 'a.dead', 'x', 5, 0, 7, 0, 3, 6, 'a', 'rejected', 'why', 8),"
              " (5, 'a', 'x', 5, 99, 7, 0, 3, 6, NULL, NULL, 'why', NULL)");
  assert_migrates (f, &amps_embedded_schema);
  execute (f, "UPDATE jobs SET queue = origin WHERE id = 1");
  execute (f, "UPDATE jobs SET queue = origin, origin = NULL WHERE id = 2");
  execute (f, "UPDATE jobs SET queue = 'other' WHERE id = 3");
  execute (f, "UPDATE jobs SET queue = 'a.dead.dead', origin = queue, died = 9 WHERE id = 4");
  execute (f, "UPDATE jobs SET queue = 'b' WHERE id = 5");

  g_assert_cmpint (read_number (f, "SELECT count(*) FROM jobs WHERE id < 4 AND " LIVING), ==, 3);
  g_assert_cmpint (read_number (f, "SELECT count(*) FROM jobs WHERE queue = 'a' AND id < 3"), ==,
                   2);
  g_assert_cmpint (read_number (f, "SELECT attempt FROM jobs WHERE id = 4 AND died = 9"), ==, 7);
  /* A retry that is moved goes on. */
  g_assert_cmpint (read_number (f, "SELECT attempt FROM jobs WHERE id = 5 AND due = 99"), ==, 7);
}

FIXTURE_TESTS = {
  { "/embedded-schema/older-file", test_older_file_is_migrated },
  { "/embedded-schema/empty-file", test_empty_file_gets_all_steps },
  { "/embedded-schema/failed-step", test_failed_step_leaves_the_file_as_it_was },
  { "/embedded-schema/newer-file", test_newer_file_is_refused },
  { "/embedded-schema/foreign-file", test_foreign_file_is_left_alone },
  { "/embedded-schema/ours", test_ours },
  { "/embedded-schema/redriven", test_redriven_dead_letters_start_anew },
};

FIXTURE_TESTS_MAIN
