/* SPDX-License-Identifier: MIT */
#include "amps-embedded-store-private.h"

#include "amps-embedded-error.h"
#include "amps-embedded-file.h"
#include "amps-embedded-schema.h"
#include "base/amps-error.h"
#include "base/amps-foreign-text.h"

#include <string.h>

/* Negative: KiB. The pages that matter, of the ends of the queues, are few. */
#define CACHE_SIZE "-512"

/* Other processes commit within milliseconds. */
#define BUSY_TIMEOUT_MS 2000

/* Between two tries where SQLite does not wait by itself. */
#define SETUP_PAUSE_MS 10

/* Opening the file anew does not help against these, but against all others. */
static gboolean
passes (int code)
{
  return code == SQLITE_BUSY || code == SQLITE_PROTOCOL || code == SQLITE_FULL ||
         code == SQLITE_NOMEM || code == SQLITE_TOOBIG || code == SQLITE_CONSTRAINT;
}

/* Only other processes that use the same file lead to these. */
static gboolean
is_contended (AmpsEmbeddedStore *self)
{
  int code = sqlite3_errcode (self->database) & 0xff;

  return code == SQLITE_BUSY || code == SQLITE_PROTOCOL;
}

gboolean
amps_embedded_store_fail (AmpsEmbeddedStore *self, GError **error)
{
  self->broken = !passes (sqlite3_errcode (self->database) & 0xff);
  amps_embedded_set_error (error, self->database);
  g_prefix_error (error, "the queue's file: ");
  return FALSE;
}

static gboolean
embedded_store_execute (AmpsEmbeddedStore *self, const char *sql, GError **error)
{
  return sqlite3_exec (self->database, sql, NULL, NULL, NULL) == SQLITE_OK ||
         amps_embedded_store_fail (self, error);
}

static gboolean
embedded_store_prepare (AmpsEmbeddedStore *self, GError **error)
{
  for (unsigned int i = 0; i < AMPS_EMBEDDED_N_STATEMENTS; i++)
    {
      if (sqlite3_prepare_v3 (self->database, amps_embedded_statements[i], -1,
                              SQLITE_PREPARE_PERSISTENT, &self->statements[i], NULL) != SQLITE_OK)
        return amps_embedded_store_fail (self, error);
    }

  return TRUE;
}

/* SQLite opens for reading what it may not write, and says nothing of it. */
static gboolean
check_writable (AmpsEmbeddedStore *self, GError **error)
{
  if (sqlite3_db_readonly (self->database, "main") == 0)
    return TRUE;

  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE,
                       "the file may not be written, or is on a read-only file system");
  return FALSE;
}

/* The mode can't be changed within the transaction that makes the schema, so a file
 * of another program is found before either. */
static gboolean
try_to_set_up_schema (AmpsEmbeddedStore *self, GError **error)
{
  return amps_embedded_schema_check (&amps_embedded_schema, self->database, error) &&
         embedded_store_execute (self, "PRAGMA journal_mode = WAL", error) &&
         amps_embedded_schema_migrate (&amps_embedded_schema, self->database, error);
}

/* SQLite does not wait for a process that changes the mode of the journal, as one
 * does that starts on the same new file at the same time. */
static gboolean
set_up_schema (AmpsEmbeddedStore *self, GError **error)
{
  gint64 end = g_get_monotonic_time () + BUSY_TIMEOUT_MS * 1000;
  g_autoptr (GError) problem = NULL;

  while (!try_to_set_up_schema (self, &problem))
    {
      if (!is_contended (self) || g_get_monotonic_time () >= end)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return FALSE;
        }

      g_clear_error (&problem);
      sqlite3_sleep (g_random_int_range (1, SETUP_PAUSE_MS));
    }

  return TRUE;
}

/**
 * amps_embedded_store_open:
 * @path: a file, made if it is missing; or `:memory:`
 * @durable: whether what is committed survives a loss of power
 * @error: return location: %AMPS_ERROR_UNAVAILABLE, or %AMPS_ERROR_FAILED when
 *   the file is none of ours
 *
 * Returns: (transfer full) (nullable): the queues in @path
 */
AmpsEmbeddedStore *
amps_embedded_store_open (const char *path, gboolean durable, GError **error)
{
  g_autoptr (AmpsEmbeddedStore) self = g_new0 (AmpsEmbeddedStore, 1);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  gboolean open;

  amps_embedded_file_make (path);
  open = sqlite3_open_v2 (path, &self->database, flags, NULL) == SQLITE_OK ||
         amps_embedded_store_fail (self, error);

  sqlite3_busy_timeout (self->database, BUSY_TIMEOUT_MS);
  if (open && check_writable (self, error) && set_up_schema (self, error) &&
      embedded_store_execute (
          self, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", error) &&
      embedded_store_execute (self, "PRAGMA cache_size = " CACHE_SIZE, error) &&
      embedded_store_prepare (self, error))
    return g_steal_pointer (&self);

  g_autofree char *readable = amps_foreign_text_dup (path, -1);

  g_prefix_error (error, "%s: ", readable);
  return NULL;
}

/**
 * amps_embedded_store_close:
 * @self: (transfer full): a store
 */
void
amps_embedded_store_close (AmpsEmbeddedStore *self)
{
  for (unsigned int i = 0; i < AMPS_EMBEDDED_N_STATEMENTS; i++)
    sqlite3_finalize (self->statements[i]);
  sqlite3_close (self->database);
  g_clear_pointer (&self->budget, amps_byte_budget_unref);
  g_free (self);
}

/**
 * amps_embedded_store_get_log:
 * @self: a store
 *
 * Returns: (transfer none) (nullable): the path of the write-ahead log, which is
 *   beside the file itself when that was named by a symbolic link
 */
const char *
amps_embedded_store_get_log (AmpsEmbeddedStore *self)
{
  const char *file = sqlite3_db_filename (self->database, "main");

  return file != NULL && *file != '\0' ? sqlite3_filename_wal (file) : NULL;
}

/**
 * amps_embedded_store_is_in_place:
 * @self: a store
 * @error: return location
 *
 * A file that was removed would take jobs and be gone with them.
 *
 * Returns: whether the file is still the one that its path names
 */
gboolean
amps_embedded_store_is_in_place (AmpsEmbeddedStore *self, GError **error)
{
  int has_moved = 0;

  sqlite3_file_control (self->database, NULL, SQLITE_FCNTL_HAS_MOVED, &has_moved);
  if (!has_moved)
    return TRUE;

  self->broken = TRUE;
  g_set_error_literal (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE,
                       "the queue's file was moved or removed while it was in use");
  return FALSE;
}

/**
 * amps_embedded_store_is_broken:
 * @self: a store
 *
 * Returns: whether something failed that waiting won't mend, so that the file
 *   should be opened anew
 */
gboolean
amps_embedded_store_is_broken (AmpsEmbeddedStore *self)
{
  return self->broken;
}

/* Statements */

void
amps_embedded_store_bind_text (sqlite3_stmt *statement, int index, const char *text)
{
  sqlite3_bind_text (statement, index, text, -1, SQLITE_STATIC);
}

static gboolean
embedded_store_run (AmpsEmbeddedStore *self, AmpsEmbeddedStatement which, GError **error)
{
  sqlite3_stmt *statement = self->statements[which];
  gboolean done = sqlite3_step (statement) == SQLITE_DONE || amps_embedded_store_fail (self, error);

  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
  return done;
}

/**
 * amps_embedded_store_begin:
 * @self: a store
 * @error: return location
 *
 * Returns: whether a transaction has begun, which no other process writes beside
 */
gboolean
amps_embedded_store_begin (AmpsEmbeddedStore *self, GError **error)
{
  return embedded_store_run (self, AMPS_EMBEDDED_STATEMENT_BEGIN, error);
}

/**
 * amps_embedded_store_commit:
 * @self: a store
 * @error: return location
 *
 * Returns: whether what was done since the beginning is safe
 */
gboolean
amps_embedded_store_commit (AmpsEmbeddedStore *self, GError **error)
{
  return embedded_store_run (self, AMPS_EMBEDDED_STATEMENT_COMMIT, error);
}

/**
 * amps_embedded_store_roll_back:
 * @self: a store
 *
 * Undoes what was done since the beginning.
 */
void
amps_embedded_store_roll_back (AmpsEmbeddedStore *self)
{
  /* SQLite may have done it itself. */
  if (!sqlite3_get_autocommit (self->database))
    embedded_store_run (self, AMPS_EMBEDDED_STATEMENT_ROLL_BACK, NULL);
}

/**
 * amps_embedded_store_execute:
 * @self: a store
 * @sql: a statement
 * @n_changed: (out): how many rows it has changed
 * @error: return location
 *
 * For what is done so rarely that it need not be prepared.
 *
 * Returns: whether it is done
 */
gboolean
amps_embedded_store_execute (AmpsEmbeddedStore *self, const char *sql, gint64 *n_changed,
                             GError **error)
{
  if (!embedded_store_execute (self, sql, error))
    return FALSE;

  *n_changed = sqlite3_changes (self->database);
  return TRUE;
}

/**
 * amps_embedded_store_publish:
 * @self: a store
 * @queue: made by it, if it is new
 * @body: an event
 * @now: µs since 1970
 * @error: return location: in a transaction, which goes on, %AMPS_ERROR_TOO_LARGE or
 *   %AMPS_ERROR_NOT_PERMITTED when the file refuses it for good
 *
 * Returns: whether it was put into @queue
 */
gboolean
amps_embedded_store_publish (AmpsEmbeddedStore *self, const char *queue, GBytes *body, gint64 now,
                             GError **error)
{
  sqlite3_stmt *statement = self->statements[AMPS_EMBEDDED_STATEMENT_PUBLISH];
  gsize length;
  gconstpointer data = g_bytes_get_data (body, &length);

  amps_embedded_store_bind_text (statement, 1, queue);
  sqlite3_bind_int64 (statement, 3, now);
  if (sqlite3_bind_blob64 (statement, 2, data != NULL ? data : "", length, SQLITE_STATIC) !=
      SQLITE_OK)
    return amps_embedded_store_fail (self, error);
  return embedded_store_run (self, AMPS_EMBEDDED_STATEMENT_PUBLISH, error);
}

static AmpsEmbeddedStatement
get_statement (AmpsSettlementKind kind, const char *dead_letters)
{
  static const AmpsEmbeddedStatement by_kind[] = {
    [AMPS_SETTLE_ACKNOWLEDGE] = AMPS_EMBEDDED_STATEMENT_ACKNOWLEDGE,
    [AMPS_SETTLE_REQUEUE] = AMPS_EMBEDDED_STATEMENT_GIVE_BACK,
    [AMPS_SETTLE_REQUEUE_FAILED] = AMPS_EMBEDDED_STATEMENT_GIVE_BACK,
    [AMPS_SETTLE_RETRY] = AMPS_EMBEDDED_STATEMENT_RETRY,
    [AMPS_SETTLE_DEAD_LETTER] = AMPS_EMBEDDED_STATEMENT_DEAD_LETTER,
  };

  if (kind == AMPS_SETTLE_DEAD_LETTER && dead_letters == NULL)
    return AMPS_EMBEDDED_STATEMENT_ACKNOWLEDGE;
  return by_kind[kind];
}

static AmpsSettled
get_settled (AmpsSettlementKind kind, const char *dead_letters)
{
  static const AmpsSettled by_kind[] = {
    [AMPS_SETTLE_ACKNOWLEDGE] = AMPS_SETTLED_ACKNOWLEDGED,
    [AMPS_SETTLE_REQUEUE] = AMPS_SETTLED_REQUEUED,
    [AMPS_SETTLE_REQUEUE_FAILED] = AMPS_SETTLED_REQUEUED,
    [AMPS_SETTLE_RETRY] = AMPS_SETTLED_MOVED,
    [AMPS_SETTLE_DEAD_LETTER] = AMPS_SETTLED_MOVED,
  };

  if (kind == AMPS_SETTLE_DEAD_LETTER && dead_letters == NULL)
    return AMPS_SETTLED_REJECTED;
  return by_kind[kind];
}

/**
 * amps_embedded_store_settle:
 * @self: a store
 * @id: a job
 * @owner: who claimed it
 * @settlement: what is to become of it
 * @dead_letters: (nullable): the queue of dead letters; %NULL to discard them
 * @now: µs since 1970
 * @settled: (out): what was done; nothing if the lease was not @owner's any more
 * @error: return location
 *
 * Returns: whether it could be done
 */
gboolean
amps_embedded_store_settle (AmpsEmbeddedStore *self, gint64 id, const char *owner,
                            const AmpsSettlement *settlement, const char *dead_letters, gint64 now,
                            AmpsSettled *settled, GError **error)
{
  AmpsEmbeddedStatement which = get_statement (settlement->kind, dead_letters);
  sqlite3_stmt *statement = self->statements[which];

  sqlite3_bind_int64 (statement, 1, id);
  amps_embedded_store_bind_text (statement, 2, owner);
  if (which == AMPS_EMBEDDED_STATEMENT_GIVE_BACK)
    sqlite3_bind_int64 (statement, 3, settlement->attempt);
  if (which == AMPS_EMBEDDED_STATEMENT_RETRY || which == AMPS_EMBEDDED_STATEMENT_DEAD_LETTER)
    {
      sqlite3_bind_int64 (statement, 3, now);
      sqlite3_bind_int64 (statement, 4, settlement->attempt);
      amps_embedded_store_bind_text (statement, 5, settlement->detail);
      sqlite3_bind_int64 (statement, 6, settlement->delay);
    }
  if (which == AMPS_EMBEDDED_STATEMENT_DEAD_LETTER)
    {
      amps_embedded_store_bind_text (statement, 6, settlement->reason);
      amps_embedded_store_bind_text (statement, 7, dead_letters);
    }

  if (!embedded_store_run (self, which, error))
    return FALSE;

  *settled = sqlite3_changes (self->database) > 0 ? get_settled (settlement->kind, dead_letters)
                                                  : AMPS_SETTLED_NOT;
  return TRUE;
}

/**
 * amps_embedded_store_renew:
 * @self: a store
 * @owner: who claimed
 * @lease_end: until when now, in µs since 1970
 * @n_renewed: (out): how many jobs @owner has
 * @error: return location
 *
 * Returns: whether it could be done
 */
gboolean
amps_embedded_store_renew (AmpsEmbeddedStore *self, const char *owner, gint64 lease_end,
                           unsigned int *n_renewed, GError **error)
{
  sqlite3_stmt *statement = self->statements[AMPS_EMBEDDED_STATEMENT_RENEW];

  amps_embedded_store_bind_text (statement, 1, owner);
  sqlite3_bind_int64 (statement, 2, lease_end);
  if (!embedded_store_run (self, AMPS_EMBEDDED_STATEMENT_RENEW, error))
    return FALSE;

  *n_renewed = (unsigned int) sqlite3_changes (self->database);
  return TRUE;
}

/**
 * amps_embedded_store_give_up:
 * @self: a store
 * @owner: who claimed
 * @error: return location
 *
 * Gives back all that @owner has.
 *
 * Returns: whether it could be done
 */
gboolean
amps_embedded_store_give_up (AmpsEmbeddedStore *self, const char *owner, GError **error)
{
  amps_embedded_store_bind_text (self->statements[AMPS_EMBEDDED_STATEMENT_GIVE_UP], 1, owner);
  return embedded_store_run (self, AMPS_EMBEDDED_STATEMENT_GIVE_UP, error);
}

/**
 * amps_embedded_store_get_next_due:
 * @self: a store
 * @queue: which
 * @due: (out): when the next job may be claimed, in µs since 1970; -1 for never
 * @error: return location
 *
 * Returns: whether it could be found out
 */
gboolean
amps_embedded_store_get_next_due (AmpsEmbeddedStore *self, const char *queue, gint64 *due,
                                  GError **error)
{
  sqlite3_stmt *statement = self->statements[AMPS_EMBEDDED_STATEMENT_NEXT_DUE];
  gboolean read;

  amps_embedded_store_bind_text (statement, 1, queue);
  read = sqlite3_step (statement) == SQLITE_ROW || amps_embedded_store_fail (self, error);
  if (read)
    *due = sqlite3_column_type (statement, 0) == SQLITE_NULL ? -1
                                                             : sqlite3_column_int64 (statement, 0);
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
  return read;
}

static gboolean
embedded_store_count (AmpsEmbeddedStore *self, AmpsEmbeddedStatement which, const char *queue,
                      gint64 now, AmpsQueueDepths *depths, const char *label, GError **error)
{
  sqlite3_stmt *statement = self->statements[which];
  gboolean read;

  amps_embedded_store_bind_text (statement, 1, queue);
  sqlite3_bind_int64 (statement, 2, now);
  read = sqlite3_step (statement) == SQLITE_ROW || amps_embedded_store_fail (self, error);
  if (read)
    amps_queue_depths_add (depths, label, (guint64) sqlite3_column_int64 (statement, 0));
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
  return read;
}

/**
 * amps_embedded_store_count:
 * @self: a store
 * @subject: a queue
 * @dead_letters: (nullable): another one
 * @now: µs since 1970
 * @error: return location
 *
 * Returns: (transfer full) (nullable): how many jobs of both may be claimed, and how
 *   many of @subject are to be tried again later
 */
AmpsQueueDepths *
amps_embedded_store_count (AmpsEmbeddedStore *self, const char *subject, const char *dead_letters,
                           gint64 now, GError **error)
{
  g_autoptr (AmpsQueueDepths) depths = amps_queue_depths_new ();
  g_autofree char *retries = g_strconcat (subject, ".retry", NULL);

  if (embedded_store_count (self, AMPS_EMBEDDED_STATEMENT_COUNT_READY, subject, now, depths,
                            subject, error) &&
      (dead_letters == NULL ||
       embedded_store_count (self, AMPS_EMBEDDED_STATEMENT_COUNT_READY, dead_letters, now, depths,
                             dead_letters, error)) &&
      embedded_store_count (self, AMPS_EMBEDDED_STATEMENT_COUNT_DELAYED, subject, now, depths,
                            retries, error))
    return g_steal_pointer (&depths);

  return NULL;
}
