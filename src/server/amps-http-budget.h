/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsHttpBudget:
 *
 * The memory that large bodies of requests may take together, from when they begin
 * to come until their requests are answered.
 */
typedef struct _AmpsHttpBudget AmpsHttpBudget;

AmpsHttpBudget *amps_http_budget_new (gsize limit);
AmpsHttpBudget *amps_http_budget_ref (AmpsHttpBudget *self);
void amps_http_budget_unref (AmpsHttpBudget *self);

gboolean amps_http_budget_take (AmpsHttpBudget *self, gsize size);
void amps_http_budget_give_back (AmpsHttpBudget *self, gsize size);
gsize amps_http_budget_get_used (AmpsHttpBudget *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsHttpBudget, amps_http_budget_unref)

G_END_DECLS
