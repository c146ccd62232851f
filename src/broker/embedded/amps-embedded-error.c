/* SPDX-License-Identifier: MIT */
#include "amps-embedded-error.h"

#include "core/amps-error.h"

/**
 * amps_embedded_set_error:
 * @error: (out) (optional): return location
 * @database: which has just failed
 *
 * Tells what SQLite says, and what the system said to it where that is the cause.
 *
 * Returns: %FALSE
 */
gboolean
amps_embedded_set_error (GError **error, sqlite3 *database)
{
  int code = sqlite3_errcode (database) & 0xff;
  int cause = sqlite3_system_errno (database);
  gboolean has_cause = cause != 0 && (code == SQLITE_CANTOPEN || code == SQLITE_IOERR);

  g_set_error (error, AMPS_ERROR, AMPS_ERROR_UNAVAILABLE, "%s%s%s", sqlite3_errmsg (database),
               has_cause ? ": " : "", has_cause ? g_strerror (cause) : "");
  return FALSE;
}
