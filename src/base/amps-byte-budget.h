/* SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AmpsByteBudget:
 *
 * How many bytes may be held in memory at once, and how many are. What is larger than
 * all of it may be held alone.
 *
 * Only atomic numbers, so any thread may give back. One thread at a time takes.
 */
typedef struct _AmpsByteBudget AmpsByteBudget;

AmpsByteBudget *amps_byte_budget_new (gsize limit);
AmpsByteBudget *amps_byte_budget_ref (AmpsByteBudget *self);
void amps_byte_budget_unref (AmpsByteBudget *self);
gboolean amps_byte_budget_fits (AmpsByteBudget *self, gsize size);
gboolean amps_byte_budget_take (AmpsByteBudget *self, gsize size);
void amps_byte_budget_add (AmpsByteBudget *self, gsize size);
void amps_byte_budget_give_back (AmpsByteBudget *self, gsize size);
GBytes *amps_byte_budget_wrap (AmpsByteBudget *self, GBytes *bytes, gsize size);
gsize amps_byte_budget_get_held (AmpsByteBudget *self);
gsize amps_byte_budget_get_limit (AmpsByteBudget *self);
GSource *amps_byte_budget_source_new (AmpsByteBudget *self, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmpsByteBudget, amps_byte_budget_unref)

G_END_DECLS
