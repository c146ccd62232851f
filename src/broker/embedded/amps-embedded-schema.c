/* SPDX-License-Identifier: MIT */
#include "amps-embedded-schema.h"

#include "amps-embedded-error.h"
#include "base/amps-error.h"

/* "AMPS" in ASCII: file(1) and we know whose file it is. */
#define APPLICATION_ID 0x414d5053

/* Never change a step that was released; add one, and what it does to a file
 * with jobs in it to the tests. */
static const char *const steps[] = {
  "CREATE TABLE jobs ("
  " id INTEGER PRIMARY KEY AUTOINCREMENT,"
  " queue TEXT NOT NULL,"
  " due INTEGER NOT NULL DEFAULT 0," /* 0: at once; else when: a delay's end, or a lease's */
  " owner TEXT,"                     /* who has the lease */
  " body BLOB NOT NULL,"
  " attempt INTEGER NOT NULL DEFAULT 1,"
  " handed_out INTEGER NOT NULL DEFAULT 0,"
  " returns INTEGER NOT NULL DEFAULT 0,"
  " published INTEGER NOT NULL,"
  " first_received INTEGER NOT NULL DEFAULT 0,"
  " origin TEXT," /* of a dead letter: the queue it was in */
  " reason TEXT,"
  " detail TEXT,"
  " died INTEGER);"
  "CREATE INDEX jobs_by_due ON jobs (queue, due, id);"
  "CREATE INDEX jobs_by_owner ON jobs (owner) WHERE owner IS NOT NULL;",
  /* A dead letter that is moved, by SQL of whatever wording, begins as if it had just
   * been published. One that dies again has another time of death. */
  ("CREATE TRIGGER jobs_redriven AFTER UPDATE OF queue ON jobs"
   " WHEN OLD.died IS NOT NULL AND NEW.died IS OLD.died AND NEW.queue <> OLD.queue "
   "BEGIN"
   " UPDATE jobs SET due = 0, owner = NULL, attempt = 1, handed_out = 0, returns = 0,"
   " first_received = 0, origin = NULL, reason = NULL, detail = NULL, died = NULL"
   " WHERE id = NEW.id; "
   "END;"),
  /* Of the machine's start that the file was used in last: how far its wall clock is from
   * the one that nobody can set. */
  ("CREATE TABLE clock (boot_id TEXT NOT NULL, shift INTEGER NOT NULL);"
   "INSERT INTO clock VALUES ('', 0);"),
  /* How far away `due` was when it was set, in µs; 0 where that is not known. */
  "ALTER TABLE jobs ADD COLUMN wait INTEGER NOT NULL DEFAULT 0;",
  /* How often it was put back to run again, counted as an attempt or not. */
  "ALTER TABLE jobs ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;",
};

const AmpsEmbeddedSchema amps_embedded_schema = { steps, G_N_ELEMENTS (steps) };

static gboolean
embedded_schema_execute (sqlite3 *database, const char *sql, GError **error)
{
  return sqlite3_exec (database, sql, NULL, NULL, NULL) == SQLITE_OK ||
         amps_embedded_set_error (error, database);
}

static gboolean
embedded_schema_read_number (sqlite3 *database, const char *sql, gint64 *number, GError **error)
{
  sqlite3_stmt *statement = NULL;
  gboolean read = sqlite3_prepare_v2 (database, sql, -1, &statement, NULL) == SQLITE_OK &&
                  sqlite3_step (statement) == SQLITE_ROW;

  if (read)
    *number = sqlite3_column_int64 (statement, 0);
  else
    amps_embedded_set_error (error, database);

  sqlite3_finalize (statement);
  return read;
}

/* To be called in a transaction: while another process makes the schema, what is
 * read one by one does not belong together. */
static gboolean
embedded_schema_read_version (const AmpsEmbeddedSchema *self, sqlite3 *database,
                              unsigned int *version, GError **error)
{
  gint64 application;
  gint64 found;
  gint64 n_tables;

  if (!embedded_schema_read_number (database, "PRAGMA application_id", &application, error) ||
      !embedded_schema_read_number (database, "PRAGMA user_version", &found, error) ||
      !embedded_schema_read_number (database, "SELECT count(*) FROM sqlite_schema", &n_tables,
                                    error))
    return FALSE;

  if (application != APPLICATION_ID && (application != 0 || n_tables != 0))
    g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_FAILED,
                         "the file belongs to another program; name another file");
  else if (found > self->n_steps)
    g_set_error (error, AMPS_ERROR, AMPS_ERROR_FAILED,
                 "the file was made by a newer AMPS (version %" G_GINT64_FORMAT
                 " of its schema, and this one knows %u); use that one",
                 found, self->n_steps);
  else
    {
      *version = (unsigned int) MAX (found, 0);
      return TRUE;
    }

  return FALSE;
}

static gboolean
end_transaction (sqlite3 *database, gboolean done, GError **error)
{
  if (done)
    return embedded_schema_execute (database, "COMMIT", error);

  /* SQLite may have done it itself. */
  if (!sqlite3_get_autocommit (database))
    embedded_schema_execute (database, "ROLLBACK", NULL);
  return FALSE;
}

/**
 * amps_embedded_schema_check:
 * @self: a schema
 * @database: a file
 * @error: return location
 *
 * Looks only, so that a file of another program is left as it is.
 *
 * Returns: whether @database is empty or of @self, in a version that it knows
 */
gboolean
amps_embedded_schema_check (const AmpsEmbeddedSchema *self, sqlite3 *database, GError **error)
{
  unsigned int version;

  return embedded_schema_execute (database, "BEGIN", error) &&
         end_transaction (database, embedded_schema_read_version (self, database, &version, error),
                          error);
}

static gboolean
take_steps (const AmpsEmbeddedSchema *self, sqlite3 *database, GError **error)
{
  unsigned int version;

  if (!embedded_schema_read_version (self, database, &version, error))
    return FALSE;

  for (; version < self->n_steps; version++)
    {
      g_autofree char *mark = g_strdup_printf (
          "PRAGMA application_id = %d; PRAGMA user_version = %u", APPLICATION_ID, version + 1);

      if (!embedded_schema_execute (database, self->steps[version], error) ||
          !embedded_schema_execute (database, mark, error))
        return FALSE;
    }

  return TRUE;
}

/**
 * amps_embedded_schema_migrate:
 * @self: a schema
 * @database: a file
 * @error: return location
 *
 * In one transaction, since another process may be about to do the same: either
 * all steps are taken or the file is as it was.
 *
 * Returns: whether @database has the version of @self
 */
gboolean
amps_embedded_schema_migrate (const AmpsEmbeddedSchema *self, sqlite3 *database, GError **error)
{
  return embedded_schema_execute (database, "BEGIN IMMEDIATE", error) &&
         end_transaction (database, take_steps (self, database, error), error);
}
