/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

/**
 * AmpsEmbeddedSchema:
 * @steps: SQL; each leads from the version before to the next one, the first from
 *   an empty file
 * @n_steps: how many: the version that they lead to
 *
 * What a file of queues looks like, and how older ones are brought up to it.
 */
typedef struct {
  const char *const *steps;
  unsigned int n_steps;
} AmpsEmbeddedSchema;

extern const AmpsEmbeddedSchema amps_embedded_schema;

gboolean amps_embedded_schema_check (const AmpsEmbeddedSchema *self, sqlite3 *database,
                                     GError **error);
gboolean amps_embedded_schema_migrate (const AmpsEmbeddedSchema *self, sqlite3 *database,
                                       GError **error);

G_END_DECLS
