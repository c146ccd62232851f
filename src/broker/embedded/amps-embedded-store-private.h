/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-embedded-statements.h"
#include "amps-embedded-store.h"

#include <sqlite3.h>

G_BEGIN_DECLS

/* What the files of the store share. */
struct _AmpsEmbeddedStore {
  sqlite3 *database;
  sqlite3_stmt *statements[AMPS_EMBEDDED_N_STATEMENTS]; /* (owned) */
  gboolean broken;
  AmpsByteBudget *budget; /* (owned) (nullable) of the jobs that are claimed */
  gsize lacking;          /* bytes that the next one has, if there was no room for it */
};

gboolean amps_embedded_store_fail (AmpsEmbeddedStore *self, GError **error);
void amps_embedded_store_bind_text (sqlite3_stmt *statement, int index, const char *text);

G_END_DECLS
