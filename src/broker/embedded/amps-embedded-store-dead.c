/* SPDX-License-Identifier: MIT */
#include "amps-embedded-store-dead.h"

#include "amps-embedded-store-private.h"
#include "base/amps-foreign-text.h"
#include "event/amps-cloudevent.h"

/* How dead letters are looked at, put back and removed: so rarely that nothing is prepared
 * beforehand. Those that somebody consumes, under whose lease they are, are let alone. */

static sqlite3_stmt *
embedded_store_dead_prepare (AmpsEmbeddedStore *self, const char *sql, GError **error)
{
  sqlite3_stmt *statement = NULL;

  if (sqlite3_prepare_v2 (self->database, sql, -1, &statement, NULL) != SQLITE_OK)
    amps_embedded_store_fail (self, error);
  return statement;
}

static gboolean
embedded_store_dead_finish (AmpsEmbeddedStore *self, sqlite3_stmt *statement, GError **error)
{
  gboolean done = sqlite3_reset (statement) == SQLITE_OK || amps_embedded_store_fail (self, error);

  sqlite3_finalize (statement);
  return done;
}

/**
 * amps_embedded_store_list_dead:
 * @self: a store
 * @queue: of dead letters
 * @now: µs since 1970
 * @error: return location
 *
 * Returns: (transfer full) (nullable) (element-type gint64): the rows of those that nobody
 *   has, oldest first
 */
GArray *
amps_embedded_store_list_dead (AmpsEmbeddedStore *self, const char *queue, gint64 now,
                               GError **error)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (gint64));
  sqlite3_stmt *statement = embedded_store_dead_prepare (
      self, "SELECT id FROM jobs WHERE queue = ?1 AND due <= ?2 ORDER BY id", error);

  if (statement == NULL)
    return NULL;

  amps_embedded_store_bind_text (statement, 1, queue);
  sqlite3_bind_int64 (statement, 2, now);
  while (sqlite3_step (statement) == SQLITE_ROW)
    {
      gint64 row = sqlite3_column_int64 (statement, 0);

      g_array_append_val (rows, row);
    }

  return embedded_store_dead_finish (self, statement, error) ? g_steal_pointer (&rows) : NULL;
}

static char *
dup_column (sqlite3_stmt *statement, int column)
{
  const char *text = (const char *) sqlite3_column_text (statement, column);

  return text != NULL && g_utf8_validate (text, -1, NULL) ? g_strdup (text) : NULL;
}

static void
read_event (AmpsDeadLetter *letter, const char *body)
{
  g_autoptr (AmpsCloudEvent) event =
      amps_cloud_event_scan (body, letter->size, AMPS_EVENT_VALIDATION_LENIENT, NULL);

  if (event == NULL)
    return;

  letter->id = g_strdup (event->id);
  letter->source = g_strdup (event->source);
  letter->type = g_strdup (event->type);
}

static AmpsDeadLetter *
read_letter (sqlite3_stmt *statement, gboolean with_body)
{
  AmpsDeadLetter *letter = amps_dead_letter_new ();
  const char *body = sqlite3_column_blob (statement, 0);
  const char *detail = (const char *) sqlite3_column_text (statement, 2);

  letter->size = (gsize) sqlite3_column_bytes (statement, 0);
  letter->reason = dup_column (statement, 1);
  letter->detail = detail != NULL ? amps_foreign_text_dup (detail, -1) : NULL;
  letter->queue = dup_column (statement, 3);
  letter->attempt = (unsigned int) sqlite3_column_int (statement, 4);
  letter->first_received = sqlite3_column_int64 (statement, 5);
  letter->time = sqlite3_column_int64 (statement, 6);
  read_event (letter, body != NULL ? body : "");
  if (with_body)
    letter->body = g_bytes_new (body, letter->size);
  return letter;
}

/**
 * amps_embedded_store_read_dead:
 * @self: a store
 * @row: of a dead letter
 * @queue: where it was
 * @now: µs since 1970
 * @with_body: whether its body is wanted
 * @letter: (out) (transfer full) (nullable): it; %NULL if somebody has it by now
 * @error: return location
 *
 * Returns: whether it could be found out
 */
gboolean
amps_embedded_store_read_dead (AmpsEmbeddedStore *self, gint64 row, const char *queue, gint64 now,
                               gboolean with_body, AmpsDeadLetter **letter, GError **error)
{
  g_autoptr (AmpsDeadLetter) found = NULL;
  sqlite3_stmt *statement = embedded_store_dead_prepare (
      self,
      "SELECT body, reason, detail, origin, attempt, first_received, died FROM jobs"
      " WHERE id = ?1 AND queue = ?2 AND due <= ?3",
      error);

  *letter = NULL;
  if (statement == NULL)
    return FALSE;

  sqlite3_bind_int64 (statement, 1, row);
  amps_embedded_store_bind_text (statement, 2, queue);
  sqlite3_bind_int64 (statement, 3, now);
  if (sqlite3_step (statement) == SQLITE_ROW)
    found = read_letter (statement, with_body);
  if (!embedded_store_dead_finish (self, statement, error))
    return FALSE;

  *letter = g_steal_pointer (&found);
  return TRUE;
}

/**
 * amps_embedded_store_redrive:
 * @self: a store, in a transaction
 * @row: of a dead letter
 * @queue: where to
 * @error: return location: %AMPS_ERROR_NOT_PERMITTED or %AMPS_ERROR_TOO_LARGE if the file
 *   refuses it for good, as by a trigger of somebody else; the transaction goes on then
 *
 * The letter begins as if it had just been published.
 *
 * Returns: whether it is in @queue
 */
gboolean
amps_embedded_store_redrive (AmpsEmbeddedStore *self, gint64 row, const char *queue, GError **error)
{
  sqlite3_stmt *statement = embedded_store_dead_prepare (
      self,
      "UPDATE jobs SET queue = ?2, due = 0, wait = 0, owner = NULL, attempt = 1,"
      " handed_out = 0, returns = 0, first_received = 0, origin = NULL, reason = NULL,"
      " detail = NULL, died = NULL WHERE id = ?1",
      error);

  if (statement == NULL)
    return FALSE;

  sqlite3_bind_int64 (statement, 1, row);
  amps_embedded_store_bind_text (statement, 2, queue);
  sqlite3_step (statement);
  return embedded_store_dead_finish (self, statement, error);
}

/**
 * amps_embedded_store_remove:
 * @self: a store, in a transaction
 * @row: of a dead letter
 * @error: return location, as of amps_embedded_store_redrive()
 *
 * Returns: whether it is gone
 */
gboolean
amps_embedded_store_remove (AmpsEmbeddedStore *self, gint64 row, GError **error)
{
  sqlite3_stmt *statement =
      embedded_store_dead_prepare (self, "DELETE FROM jobs WHERE id = ?1", error);

  if (statement == NULL)
    return FALSE;

  sqlite3_bind_int64 (statement, 1, row);
  sqlite3_step (statement);
  return embedded_store_dead_finish (self, statement, error);
}
