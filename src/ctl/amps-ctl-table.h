/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-output.h"

G_BEGIN_DECLS

/**
 * AmpsCtlColumn:
 * @title: what stands above it, translated
 * @right: whether its cells stand at the right, as numbers do
 * @flexible: whether its cells are cut first where a line is too long
 *
 * A column of a table.
 */
typedef struct {
  const char *title;
  gboolean right;
  gboolean flexible;
} AmpsCtlColumn;

/**
 * AmpsCtlTable:
 *
 * Lines of cells for people, no wider than the terminal. Cells may hold anything that somebody
 * else wrote.
 */
typedef struct _AmpsCtlTable AmpsCtlTable;

AmpsCtlTable *amps_ctl_table_new (const AmpsCtlColumn *columns, unsigned int n_columns);
void amps_ctl_table_free (AmpsCtlTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsCtlTable, amps_ctl_table_free)

void amps_ctl_table_add (AmpsCtlTable *self, AmpsCtlStyle style, const char *text);
void amps_ctl_table_append_to (AmpsCtlTable *self, GString *lines, AmpsCtlOutput *output,
                               unsigned int width);
void amps_ctl_table_print (AmpsCtlTable *self, AmpsCtlOutput *output);

G_END_DECLS
