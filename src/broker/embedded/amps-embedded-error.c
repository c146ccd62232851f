/* SPDX-License-Identifier: MIT */
#include "amps-embedded-error.h"

#include "base/amps-error.h"
#include "base/amps-foreign-text.h"

/* A statement is refused by itself when the transaction that it was in goes on. */
static AmpsError
get_error_code (sqlite3 *database)
{
  int code = sqlite3_errcode (database) & 0xff;

  if (sqlite3_get_autocommit (database))
    return AMPS_ERROR_UNAVAILABLE;
  if (code == SQLITE_TOOBIG)
    return AMPS_ERROR_TOO_LARGE;
  return code == SQLITE_CONSTRAINT ? AMPS_ERROR_NOT_PERMITTED : AMPS_ERROR_UNAVAILABLE;
}

/**
 * amps_embedded_set_error:
 * @error: (out) (optional): return location
 * @database: which has just failed
 *
 * Tells what SQLite says, and what the system said to it where that is the cause.
 * The code is %AMPS_ERROR_TOO_LARGE or %AMPS_ERROR_NOT_PERMITTED for a statement that
 * is refused for good, as by a trigger that somebody put into the file, and
 * %AMPS_ERROR_UNAVAILABLE for all else.
 *
 * Returns: %FALSE
 */
gboolean
amps_embedded_set_error (GError **error, sqlite3 *database)
{
  int code = sqlite3_errcode (database) & 0xff;
  int cause = sqlite3_system_errno (database);
  /* It quotes names out of the file. */
  g_autofree char *message = amps_foreign_text_dup (sqlite3_errmsg (database), -1);
  gboolean has_cause = cause != 0 && (code == SQLITE_CANTOPEN || code == SQLITE_IOERR);

  g_set_error (error, AMPS_ERROR, get_error_code (database), "%s%s%s", message,
               has_cause ? ": " : "", has_cause ? g_strerror (cause) : "");
  return FALSE;
}
